// SPDX-License-Identifier: Apache-2.0
//
// Prints a story while the network makes it, token by token; see usage() for the options.
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "decoder.h"
#include "model.h"
#include "network.h"
#include "sampler.h"
#include "tokenizer.h"

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
    const float *logits = decoder_step(tokens[position], position);
    if (logits == NULL)
      fail("the network did not run");
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
  if (decoder_begin() != 0)
    return 1;
  double begin = seconds();
  uint32_t steps = tell(&t, &o);
  double elapsed = seconds() - begin;
  fprintf(stderr, "%u tokens in %.3f s, %.0f tokens/s\n", (unsigned)steps, elapsed,
          steps / elapsed);
  return decoder_end() != 0;
}
