// SPDX-License-Identifier: Apache-2.0
//
// Sum, mean, maximum or minimum over some dimensions. Template: reduce.inc.
#ifndef DEEPLOY_KERNELS_REDUCE_H
#define DEEPLOY_KERNELS_REDUCE_H

#include "deeploy/requant.h"

// y [dim] = op over `over` of x [dim, over]. x and y are float, int8, uint8 or int32. Strides are
// in elements: x_stride those of x in dim, over_stride those in over. y must not overlap x.
typedef struct {
  const void *x;
  void *y;
  uint32_t dim[6], over[6];
  int32_t x_stride[6], y_stride[6], over_stride[6];
} dpl_reduce_args;

// floor(sum / n + 1/2)
DPL_INLINE int32_t dpl_mean(int32_t sum, uint32_t n) {
  int32_t dividend = 2 * sum + (int32_t)n, divisor = 2 * (int32_t)n;
  return dividend / divisor - (dividend % divisor < 0);
}

DPL_INLINE int32_t dpl_mean_wide(int64_t sum, uint32_t n) {
  int64_t dividend = 2 * sum + n, divisor = 2 * (int64_t)n;
  return (int32_t)(dividend / divisor - (dividend % divisor < 0));
}

#endif
