// SPDX-License-Identifier: Apache-2.0
//
// Chooses a token by its logit. Allocates nothing.
//
// Random numbers come from xorshift64* (S. Vigna, arXiv 1402.6246): shifts 12, 25 and 27, factor
// 0x2545F4914F6CDD1D. Each token that is drawn takes one; its upper 24 bits are a fraction.
#ifndef SAMPLER_H
#define SAMPLER_H

#include <stdint.h>

typedef struct {
  float temperature; // logits are divided by it; 0 takes the largest logit and draws nothing
  float top_p;       // draws from the most probable tokens whose probabilities reach this sum
  uint64_t state;    // of the random numbers; the seed, not 0
} sampler;

typedef struct {
  float weight;
  int32_t id;
} sampler_candidate;

// A fraction of 1, with 24 bits.
float sampler_random(uint64_t *state);

// The next token. `candidates` has room for `count` of them, and is sorted here. Of equal logits
// the first counts as more probable.
int32_t sampler_next(sampler *s, const float *logits, sampler_candidate *candidates,
                     uint32_t count);

#endif
