// SPDX-License-Identifier: Apache-2.0
//
// Copy into a larger array, with a value around it. Template: pad.inc.
#ifndef DEEPLOY_KERNELS_PAD_H
#define DEEPLOY_KERNELS_PAD_H

#include "deeploy/requant.h"

// y [dim] at index i is x [in_dim] at index i - lo where that exists, else `value` (its low bits
// for small elements). lo may be negative, which crops. Strides are in elements of 1, 2 or 4
// bytes. Unused dimensions have size 1 in dim and in_dim, and lo 0. y must not overlap x.
typedef struct {
  const void *x;
  void *y;
  uint32_t dim[6];
  int32_t y_stride[6];
  uint32_t in_dim[6];
  int32_t x_stride[6];
  int32_t lo[6];
  uint32_t value;
} dpl_pad_args;

#endif
