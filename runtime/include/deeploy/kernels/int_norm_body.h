// SPDX-License-Identifier: Apache-2.0
//
// What int_rms_norm.inc and int_layer_norm.inc do with the deviation of a row.
#ifndef DEEPLOY_KERNELS_INT_NORM_BODY_H
#define DEEPLOY_KERNELS_INT_NORM_BODY_H

#include "deeploy/division.h"
#include "deeploy/kernels/int_norm.h"

typedef struct {
  int32_t std;
  dpl_small_divider narrow;
  dpl_divider wide;
} dpl_deviation;

// std of n numbers, given the sum of their squares; only the divider that `narrow` asks for is set.
DPL_INLINE dpl_deviation dpl_deviation_of(uint32_t squares, uint32_t n, int narrow) {
  const uint32_t std = dpl_root_mean(squares + n, n);
  dpl_deviation d = {.std = (int32_t)std};
  if (narrow)
    d.narrow = dpl_small_divider_of(std);
  else
    d.wide = dpl_divider_of(std);
  return d;
}

// (x * weight / std + bias) >> shift, where the division truncates; `narrow` is constant. Rounded
// down twice it is ((x * weight + bias * std) >> shift) / std, once std - 1 makes a negative
// product truncate.
DPL_INLINE int64_t dpl_normalised(dpl_deviation d, int32_t x, int32_t weight, int32_t bias,
                                  int32_t shift, int narrow) {
  if (!narrow)
    return (dpl_divide_signed(d.wide, (int64_t)weight * x) + bias) >> shift;
  const int32_t product = x * weight;
  const int32_t truncating = product < 0 ? product + d.std - 1 : product;
  return dpl_small_divide(d.narrow, (truncating + bias * d.std) >> shift);
}

#endif
