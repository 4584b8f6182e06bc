// SPDX-License-Identifier: Apache-2.0
//
// Matrix product with requantisation. Template: matmul.inc.
#ifndef DEEPLOY_KERNELS_MATMUL_H
#define DEEPLOY_KERNELS_MATMUL_H

#include "deeploy/requant.h"

// For each of `batch` products: y [m][n] = requant(a [m][k] x b), where b is [n][k] if b_transposed
// and [k][n] otherwise. a and b are int8 or uint8, y is int8, uint8 or int32. Strides are in
// elements; the rows of a, b and y are contiguous; a batch stride of 0 repeats the operand.
// Channels of rq are the n columns of y, or its m rows if rq_per_row. y must not overlap a or b.
typedef struct {
  const void *a, *b;
  void *y;
  uint32_t batch, m, k, n;
  int32_t a_batch, a_row;
  int32_t b_batch, b_row;
  int32_t y_batch, y_row;
  uint32_t b_transposed, rq_per_row;
  dpl_requant rq;
} dpl_matmul_args;

#endif
