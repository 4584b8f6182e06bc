// SPDX-License-Identifier: Apache-2.0
//
// What softmax and normalisations know of a row of floats. Four partial results are independent of
// each other, so that neither the latency of additions nor their rounding adds up.
#ifndef DEEPLOY_ROWWISE_F32_H
#define DEEPLOY_ROWWISE_F32_H

#include "deeploy/math.h"
#include "deeploy/rowwise.h"

DPL_INLINE float dpl_row_max(const float *x, uint32_t n) {
  float best[4] = {x[0], x[0], x[0], x[0]};
  uint32_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (uint32_t j = 0; j < 4; j++)
      best[j] = dpl_fmax(x[i + j], best[j]);
  for (; i < n; i++)
    best[0] = dpl_fmax(x[i], best[0]);
  return dpl_fmax(dpl_fmax(best[0], best[1]), dpl_fmax(best[2], best[3]));
}

DPL_INLINE float dpl_row_sum(const float *x, uint32_t n) {
  float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  uint32_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (uint32_t j = 0; j < 4; j++)
      sum[j] += x[i + j];
  for (; i < n; i++)
    sum[0] += x[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

// sum((x - mean)^2)
DPL_INLINE float dpl_row_squares(const float *x, uint32_t n, float mean) {
  float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  uint32_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (uint32_t j = 0; j < 4; j++)
      sum[j] += (x[i + j] - mean) * (x[i + j] - mean);
  for (; i < n; i++)
    sum[0] += (x[i] - mean) * (x[i] - mean);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

#endif
