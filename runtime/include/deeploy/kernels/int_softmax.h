// SPDX-License-Identifier: Apache-2.0
//
// Integer softmax with a polynomial for the exponential. Template: int_softmax.inc.
#ifndef DEEPLOY_KERNELS_INT_SOFTMAX_H
#define DEEPLOY_KERNELS_INT_SOFTMAX_H

#include "deeploy/requant.h"

// With d = max - x, z = min(d / log2, 31) and p = z * log2 - d: y = e * 255 / sum(e) for
// e = (a * (p + b)^2 + c) >> z; divisions round down. e >= 0 and > 0 for d = 0, 255 * e < 2^31 and
// sum(e) < 2^31; log2 > 0. If table is not NULL, e is table[d] instead, for d of 0 to 255.
//
// x is int8 or uint8, y int8, uint8 or int32. Rows are the last dimension and contiguous; strides
// are in elements. Unused dimensions have size 1. Results are requantised if has_rq; the channels
// of rq are columns. y must not overlap x.
typedef struct {
  const void *x;
  void *y;
  uint32_t dim[6];
  int32_t x_stride[6], y_stride[6];
  const uint32_t *table;
  int32_t a, b, c;
  uint32_t log2;
  dpl_requant rq;
  uint32_t has_rq;
} dpl_int_softmax_args;

#endif
