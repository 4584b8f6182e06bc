// SPDX-License-Identifier: Apache-2.0
//
// One of two operands, element by element. Template: select.inc.
#ifndef DEEPLOY_KERNELS_SELECT_H
#define DEEPLOY_KERNELS_SELECT_H

#include "deeploy/requant.h"

// y = c ? a : b. Strides are in elements, of one byte for c and of 1, 2 or 4 for the others; 0
// broadcasts. Unused dimensions have size 1. y must not overlap the others.
typedef struct {
  const void *c, *a, *b;
  void *y;
  uint32_t dim[6];
  int32_t c_stride[6], a_stride[6], b_stride[6], y_stride[6];
} dpl_select_args;

#endif
