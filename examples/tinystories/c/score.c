// SPDX-License-Identifier: Apache-2.0
//
// Reads texts from stdin, each a line of token numbers, and prints for each token but the first of
// its text: the logarithm of its probability, and the token that was most probable.
#include <math.h>
#include <stdio.h>

#include "decoder.h"
#include "model.h"

static int32_t most_probable(const float *logits) {
  int32_t best = 0;
  for (int32_t i = 1; i < MODEL_VOCAB_SIZE; i++)
    if (logits[i] > logits[best])
      best = i;
  return best;
}

static double log_probability(const float *logits, int32_t token, float most) {
  double sum = 0.0;
  for (int32_t i = 0; i < MODEL_VOCAB_SIZE; i++)
    sum += exp((double)logits[i] - most);
  return logits[token] - most - log(sum);
}

int main(void) {
  int32_t previous = 0;
  uint32_t position = 0;
  if (decoder_begin() != 0)
    return 1;
  for (int token; scanf("%d", &token) == 1;) {
    if (token < 0 || token >= MODEL_VOCAB_SIZE)
      return 2;
    if (position > 0) {
      const float *logits = decoder_step(previous, position - 1);
      if (logits == NULL)
        return 2;
      const int32_t best = most_probable(logits);
      printf("%.9g %d\n", log_probability(logits, token, logits[best]), (int)best);
    }
    previous = token;
    position = getchar() == '\n' ? 0 : position + 1;
  }
  return decoder_end();
}
