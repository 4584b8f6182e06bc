// SPDX-License-Identifier: Apache-2.0
//
// Byte pair encoding with a tokenizer file of llama2.c, which has for each token a score (float32),
// a length (int32) and the text. Tokens 0, 1 and 2 are <unk>, <s> and </s>; the 256 tokens from 3
// on stand for single bytes. Allocates nothing.
#ifndef TOKENIZER_H
#define TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#define TOKEN_BEGIN 1 // begins a text, and ends the one before
#define TOKEN_BYTES 3 // the first of the 256
#define TOKEN_TEXT_MAX 256

typedef struct {
  const uint8_t *text; // in the file, without a zero at its end
  uint32_t length;
  float score;
  int32_t id;
} token_entry;

typedef struct {
  token_entry *by_id, *by_text;
  uint32_t count;
} tokenizer;

// Reads a file in memory, which must outlive the tokenizer. `by_id` and `by_text` have room for
// `count` entries each. Returns 0, or -1 if the file does not have exactly `count` tokens, of at
// most TOKEN_TEXT_MAX bytes.
int tokenizer_open(tokenizer *t, token_entry *by_id, token_entry *by_text, uint32_t count,
                   const uint8_t *file, size_t bytes);

// Writes TOKEN_BEGIN and the tokens of a text in UTF-8 that ends with a zero. A space comes before
// the text; characters without a token become bytes; then the two neighbours whose concatenation
// has the highest score are merged, the first of equals, until no concatenation is a token. Returns
// the number of tokens, or 0 if `room` is less than the bytes of the text and two.
uint32_t tokenizer_encode(const tokenizer *t, const char *text, int32_t *tokens, uint32_t room);

// The text of a token, `*length` bytes. The space that begins a text is not part of it. `byte`
// holds the text of a single byte.
const uint8_t *tokenizer_piece(const tokenizer *t, int32_t previous, int32_t token, uint8_t *byte,
                               uint32_t *length);

#endif
