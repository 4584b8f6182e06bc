// SPDX-License-Identifier: Apache-2.0
//
// Copy between strided arrays: transposes, slices, concatenations. Template: copy.inc.
#ifndef DEEPLOY_KERNELS_COPY_H
#define DEEPLOY_KERNELS_COPY_H

#include "deeploy/requant.h"

// Strides are in elements of 1, 2 or 4 bytes and may be negative or, for x, 0. Unused dimensions
// have size 1. y must not overlap x.
typedef struct {
  const void *x;
  void *y;
  uint32_t dim[6];
  int32_t x_stride[6], y_stride[6];
} dpl_copy_args;

#endif
