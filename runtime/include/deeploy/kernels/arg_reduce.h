// SPDX-License-Identifier: Apache-2.0
//
// Position of the largest or smallest value along one dimension. Template: arg_reduce.inc.
#ifndef DEEPLOY_KERNELS_ARG_REDUCE_H
#define DEEPLOY_KERNELS_ARG_REDUCE_H

#include "deeploy/requant.h"

// Each element of y [dim] is the place of the best of n elements of x, `step` apart; x_stride leads
// to the first ones. x are floats, int8, uint8 or int32, y int32. Strides are in elements. Unused
// dimensions have size 1. y must not overlap x.
typedef struct {
  const void *x;
  void *y;
  uint32_t dim[6];
  int32_t x_stride[6], y_stride[6];
  uint32_t n;
  int32_t step;
} dpl_arg_reduce_args;

#endif
