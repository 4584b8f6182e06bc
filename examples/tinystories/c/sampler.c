// SPDX-License-Identifier: Apache-2.0
#include "sampler.h"

#include <math.h>
#include <stdlib.h>

float sampler_random(uint64_t *state) {
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return (float)(x * 0x2545F4914F6CDD1Du >> 40) / 16777216.0f;
}

static int32_t largest(const float *logits, uint32_t count) {
  uint32_t best = 0;
  for (uint32_t i = 1; i < count; i++)
    if (logits[i] > logits[best])
      best = i;
  return (int32_t)best;
}

static int by_weight(const void *first, const void *second) {
  const sampler_candidate *a = first, *b = second;
  if (a->weight != b->weight)
    return a->weight < b->weight ? 1 : -1;
  return (a->id > b->id) - (a->id < b->id);
}

// How many of the sorted candidates reach `share` of all weights; `*sum` is the sum of theirs.
static uint32_t nucleus(const sampler_candidate *candidates, uint32_t count, float share,
                        float *sum) {
  float total = 0.0f;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < count; i++)
    total += candidates[i].weight;
  *sum = 0.0f;
  while (kept < count && (kept == 0 || *sum < share * total))
    *sum += candidates[kept++].weight;
  return kept;
}

int32_t sampler_next(sampler *s, const float *logits, sampler_candidate *candidates,
                     uint32_t count) {
  const int32_t top = largest(logits, count);
  if (s->temperature <= 0.0f)
    return top;
  for (uint32_t i = 0; i < count; i++)
    candidates[i] =
        (sampler_candidate){expf((logits[i] - logits[top]) / s->temperature), (int32_t)i};
  qsort(candidates, count, sizeof *candidates, by_weight);
  float sum;
  const uint32_t kept = nucleus(candidates, count, s->top_p, &sum);
  float left = sampler_random(&s->state) * sum;
  for (uint32_t i = 0; i + 1 < kept; i++) {
    left -= candidates[i].weight;
    if (left < 0.0f)
      return candidates[i].id;
  }
  return candidates[kept - 1].id;
}
