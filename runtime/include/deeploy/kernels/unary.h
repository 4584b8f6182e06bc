// SPDX-License-Identifier: Apache-2.0
//
// Element-wise requantisation; also clip, ReLU and casts. Template: unary.inc.
#ifndef DEEPLOY_KERNELS_UNARY_H
#define DEEPLOY_KERNELS_UNARY_H

#include "deeploy/requant.h"

// y = clamp((x * mul + add) >> shift, lo, hi), wrapping around at 32 bits as in requant.h, where
// mul and add are arrays with strides of their own, or mul0 and add0 if NULL. x and y are int8,
// uint8 or int32. Strides are in elements; 0 broadcasts. Unused dimensions have size 1. y may be
// the same memory as x if types and strides are equal.
typedef struct {
  const void *x;
  void *y;
  uint32_t dim[6];
  int32_t x_stride[6], y_stride[6];
  const int32_t *mul;
  int32_t mul_stride[6];
  const int32_t *add;
  int32_t add_stride[6];
  int32_t mul0, add0;
  int32_t shift, lo, hi;
} dpl_unary_args;

#endif
