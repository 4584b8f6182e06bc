// SPDX-License-Identifier: Apache-2.0
//
// Element-wise operation on two operands of floats. Template: binary_f32.inc.
#ifndef DEEPLOY_KERNELS_BINARY_F32_H
#define DEEPLOY_KERNELS_BINARY_F32_H

#include "deeploy/requant.h"

// y = op(a, b). Strides are in elements; 0 broadcasts. Unused dimensions have size 1. y may be the
// same memory as a or b if the strides are equal.
typedef struct {
  const void *a, *b;
  void *y;
  uint32_t dim[6];
  int32_t a_stride[6], b_stride[6], y_stride[6];
} dpl_binary_f32_args;

#endif
