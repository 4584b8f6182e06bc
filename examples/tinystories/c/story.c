// SPDX-License-Identifier: Apache-2.0
//
// Prints a story while the network makes it, token by token; see usage() for the options.
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model.h"
#include "network.h"
#include "sampler.h"
#include "tokenizer.h"

#define ROTATION_BASE 10000.0f // of the wavelengths of the rotary embedding (arXiv 2104.09864)

typedef struct {
  sampler choice;
  uint32_t steps;
  const char *prompt;
} options;

static token_entry by_id[MODEL_VOCAB_SIZE], by_text[MODEL_VOCAB_SIZE];
static int32_t tokens[NETWORK_POSITIONS + 1];
static sampler_candidate candidates[MODEL_VOCAB_SIZE];

static void fail(const char *message) {
  fprintf(stderr, "error: %s\n", message);
  exit(1);
}

static void *tensor(const network_tensor *list, uint32_t count, const char *name) {
  for (uint32_t i = 0; i < count; i++)
    if (strcmp(list[i].name, name) == 0)
      return list[i].data;
  fail("the network is not a decoder: it lacks an input or output");
  return NULL;
}

// The rotary embedding of a position as a matrix, of which each pair of dimensions is a block.
static void rotate(float matrix[MODEL_HEAD_DIM][MODEL_HEAD_DIM], uint32_t position) {
  memset(matrix, 0, sizeof(float) * MODEL_HEAD_DIM * MODEL_HEAD_DIM);
  for (uint32_t i = 0; i < MODEL_HEAD_DIM; i += 2) {
    float angle = (float)position * powf(ROTATION_BASE, -(float)i / MODEL_HEAD_DIM);
    matrix[i][i] = matrix[i + 1][i + 1] = cosf(angle);
    matrix[i][i + 1] = sinf(angle);
    matrix[i + 1][i] = -matrix[i][i + 1];
  }
}

// The logits of what follows `token`, which stands at `position`.
static const float *step(int32_t token, uint32_t position) {
  static float *x, (*rotation)[MODEL_HEAD_DIM];
  static const float *logits;
  if (x == NULL) {
    x = tensor(network_inputs, NETWORK_INPUT_COUNT, "x");
    rotation = tensor(network_inputs, NETWORK_INPUT_COUNT, "rotation");
    logits = tensor(network_outputs, NETWORK_OUTPUT_COUNT, "logits");
  }
  memcpy(x, model_embedding[token], sizeof model_embedding[token]);
  rotate(rotation, position);
  if (network_run(position) != 0)
    fail("the network did not run");
  return logits;
}

static void print_piece(const tokenizer *t, int32_t previous, int32_t token) {
  uint8_t byte;
  uint32_t length;
  const uint8_t *text = tokenizer_piece(t, previous, token, &byte, &length);
  fwrite(text, 1, length, stdout);
  fflush(stdout);
}

// Goes through the prompt, then draws tokens until the text ends; returns the number of steps.
static uint32_t tell(const tokenizer *t, options *o) {
  uint32_t given = tokenizer_encode(t, o->prompt, tokens, NETWORK_POSITIONS), position = 0;
  if (given == 0)
    fail("the prompt is too long");
  while (position < o->steps) {
    const float *logits = step(tokens[position], position);
    if (++position >= given)
      tokens[position] = sampler_next(&o->choice, logits, candidates, MODEL_VOCAB_SIZE);
    if (tokens[position] == TOKEN_BEGIN)
      break;
    print_piece(t, tokens[position - 1], tokens[position]);
  }
  printf("\n");
  return position;
}

static void usage(void) {
  fprintf(stderr,
          "usage: story [-n STEPS] [-t TEMPERATURE] [-p TOP_P] [-s SEED] [PROMPT]\n"
          "  -n STEPS        tokens to go through, those of the prompt among them (default %d)\n"
          "  -t TEMPERATURE  0 takes the most probable token (default 0)\n"
          "  -p TOP_P        draw from the tokens that make up this share (default 0.9)\n"
          "  -s SEED         of the random numbers, not 0 (default 1)\n",
          NETWORK_POSITIONS);
  exit(2);
}

static options parse(int argc, char **argv) {
  options o = {{0.0f, 0.9f, 1}, NETWORK_POSITIONS, ""};
  for (int letter; (letter = getopt(argc, argv, "n:t:p:s:")) != -1;) {
    char *end = optarg;
    if (letter == 'n')
      o.steps = (uint32_t)strtoul(optarg, &end, 10);
    else if (letter == 't')
      o.choice.temperature = strtof(optarg, &end);
    else if (letter == 'p')
      o.choice.top_p = strtof(optarg, &end);
    else if (letter == 's')
      o.choice.state = strtoull(optarg, &end, 10);
    if (optarg == NULL || end == optarg || *end != '\0')
      usage();
  }
  if (argc > optind + 1 || o.choice.state == 0 || o.steps == 0 || o.steps > NETWORK_POSITIONS)
    usage();
  if (optind < argc)
    o.prompt = argv[optind];
  return o;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char **argv) {
  options o = parse(argc, argv);
  tokenizer t;
  if (tokenizer_open(&t, by_id, by_text, MODEL_VOCAB_SIZE, model_tokenizer,
                     sizeof model_tokenizer) != 0)
    fail("the tokenizer does not fit the network");
  dpl_arenas_prepare(network_arenas, NETWORK_ARENA_COUNT);
  network_load();
  double begin = seconds();
  uint32_t steps = tell(&t, &o);
  double elapsed = seconds() - begin;
  fprintf(stderr, "%u tokens in %.3f s, %.0f tokens/s\n", (unsigned)steps, elapsed,
          steps / elapsed);
  return dpl_arenas_check(network_arenas, NETWORK_ARENA_COUNT) != 0;
}
