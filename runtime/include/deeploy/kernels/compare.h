// SPDX-License-Identifier: Apache-2.0
//
// Comparison of two operands, element by element. Template: compare.inc.
#ifndef DEEPLOY_KERNELS_COMPARE_H
#define DEEPLOY_KERNELS_COMPARE_H

#include "deeploy/requant.h"

// y = a op b, as bytes 0 and 1. a and b are two of int8, uint8 and int32, or floats. Strides are in
// elements; 0 broadcasts. Unused dimensions have size 1. y must not overlap a or b.
typedef struct {
  const void *a, *b;
  uint8_t *y;
  uint32_t dim[6];
  int32_t a_stride[6], b_stride[6], y_stride[6];
} dpl_compare_args;

#endif
