// SPDX-License-Identifier: Apache-2.0
//
// Normalisation of rows of integers. Templates: int_rms_norm.inc, int_layer_norm.inc.
#ifndef DEEPLOY_KERNELS_INT_NORM_H
#define DEEPLOY_KERNELS_INT_NORM_H

#include "deeploy/rowwise.h"

// int_rms_norm: y = clamp(((x * weight) / std) >> shift, lo, hi).
// int_layer_norm: y = ((x - m) * weight / std + bias) >> shift, of which y has the low bits.
// m = sum(x) / n, truncating; std = isqrt(sum((x - m)^2) / n + 1), without m for rms; products have
// 64 bits and their division truncates.
//
// x is int8 or uint8 with rows of up to 65536 elements, y int8, uint8 or int32. Rows are the last
// dimension and contiguous, weight and bias have one value for each column. 0 <= shift <= 31. y
// must not overlap x.
//
// Instances with DPL_NARROW 1 compute in 32 bits, and divide in 16. They need that std <= 128, as
// it is for int8 and with m, and that with a bound
//     reach >= |(x - m) * weight| + 128 * |bias| + 128
// reach < 2^31 and (reach >> shift) < DPL_SMALL_DIVIDEND.
typedef struct {
  const void *x;
  void *y;
  dpl_rowwise rows;
  const int32_t *weight, *bias;
  int32_t shift, lo, hi;
} dpl_int_norm_args;

#endif
