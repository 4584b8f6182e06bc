// SPDX-License-Identifier: Apache-2.0
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 4 // length of the longest token
#define ENTRY 8  // score and length
#define NONE (-1)

static int compare_texts(const uint8_t *a, uint32_t a_length, const uint8_t *b, uint32_t b_length) {
  int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
  return order ? order : (a_length > b_length) - (a_length < b_length);
}

// Equal texts by their number, so that the first is found.
static int compare_entries(const void *first, const void *second) {
  const token_entry *a = first, *b = second;
  int order = compare_texts(a->text, a->length, b->text, b->length);
  return order ? order : (a->id > b->id) - (a->id < b->id);
}

int tokenizer_open(tokenizer *t, token_entry *by_id, token_entry *by_text, uint32_t count,
                   const uint8_t *file, size_t bytes) {
  size_t at = HEADER;
  for (uint32_t i = 0; i < count; i++) {
    token_entry *entry = &by_id[i];
    if (at > bytes || bytes - at < ENTRY)
      return -1;
    memcpy(&entry->score, file + at, sizeof entry->score);
    memcpy(&entry->length, file + at + 4, sizeof entry->length);
    at += ENTRY;
    if (entry->length > bytes - at || entry->length > TOKEN_TEXT_MAX)
      return -1;
    entry->text = file + at;
    entry->id = (int32_t)i;
    at += entry->length;
  }
  if (at != bytes || count < TOKEN_BYTES + 256)
    return -1;
  memcpy(by_text, by_id, count * sizeof *by_id);
  qsort(by_text, count, sizeof *by_text, compare_entries);
  *t = (tokenizer){by_id, by_text, count};
  return 0;
}

// The token with the given text, or NONE.
static int32_t find(const tokenizer *t, const uint8_t *text, uint32_t length) {
  uint32_t low = 0, high = t->count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    const token_entry *entry = &t->by_text[middle];
    if (compare_texts(entry->text, entry->length, text, length) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == t->count)
    return NONE;
  const token_entry *entry = &t->by_text[low];
  int same = compare_texts(entry->text, entry->length, text, length) == 0;
  return same ? entry->id : NONE;
}

static int32_t find_pair(const tokenizer *t, int32_t first, int32_t second) {
  const token_entry *a = &t->by_id[first], *b = &t->by_id[second];
  uint8_t text[TOKEN_TEXT_MAX];
  if (a->length + b->length > TOKEN_TEXT_MAX)
    return NONE;
  memcpy(text, a->text, a->length);
  memcpy(text + a->length, b->text, b->length);
  return find(t, text, a->length + b->length);
}

// The bytes of the UTF-8 character at `text`.
static uint32_t character(const char *text) {
  uint32_t length = 1;
  while (length < 4 && ((uint8_t)text[length] & 0xc0) == 0x80)
    length++;
  return length;
}

// Appends the token of a character, or its bytes.
static uint32_t append(const tokenizer *t, const char *text, uint32_t length, int32_t *tokens) {
  int32_t id = find(t, (const uint8_t *)text, length);
  if (id != NONE) {
    tokens[0] = id;
    return 1;
  }
  for (uint32_t i = 0; i < length; i++)
    tokens[i] = TOKEN_BYTES + (uint8_t)text[i];
  return length;
}

// Merges the best two neighbours; returns 0 if there are none to merge.
static int merge(const tokenizer *t, int32_t *tokens, uint32_t count) {
  int32_t best = NONE;
  uint32_t at = 0;
  for (uint32_t i = 0; i + 1 < count; i++) {
    int32_t id = find_pair(t, tokens[i], tokens[i + 1]);
    if (id != NONE && (best == NONE || t->by_id[id].score > t->by_id[best].score)) {
      best = id;
      at = i;
    }
  }
  if (best == NONE)
    return 0;
  tokens[at] = best;
  memmove(tokens + at + 1, tokens + at + 2, (count - at - 2) * sizeof *tokens);
  return 1;
}

uint32_t tokenizer_encode(const tokenizer *t, const char *text, int32_t *tokens, uint32_t room) {
  uint32_t count = 0;
  if (strlen(text) + 2 > room)
    return 0;
  tokens[count++] = TOKEN_BEGIN;
  if (*text)
    count += append(t, " ", 1, tokens + count);
  while (*text) {
    uint32_t length = character(text);
    count += append(t, text, length, tokens + count);
    text += length;
  }
  while (merge(t, tokens, count))
    count--;
  return count;
}

const uint8_t *tokenizer_piece(const tokenizer *t, int32_t previous, int32_t token, uint8_t *byte,
                               uint32_t *length) {
  if (token >= TOKEN_BYTES && token < TOKEN_BYTES + 256) {
    *byte = (uint8_t)(token - TOKEN_BYTES);
    *length = 1;
    return byte;
  }
  const token_entry *entry = &t->by_id[token];
  uint32_t skip = previous == TOKEN_BEGIN && entry->length > 0 && entry->text[0] == ' ';
  *length = entry->length - skip;
  return entry->text + skip;
}
