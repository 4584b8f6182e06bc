// SPDX-License-Identifier: Apache-2.0
//
// Matrix product of floats. Template: matmul_f32.inc.
#ifndef DEEPLOY_KERNELS_MATMUL_F32_H
#define DEEPLOY_KERNELS_MATMUL_F32_H

#include "deeploy/requant.h"

// For each of `batch` products: y [m][n] = a [m][k] x b + add [n], where b is [n][k] if
// b_transposed and [k][n] otherwise; add may be NULL. Strides are in elements; the rows of a, b and
// y are contiguous; a batch stride of 0 repeats the operand. y must not overlap a or b.
typedef struct {
  const void *a, *b;
  void *y;
  const float *add;
  uint32_t batch, m, k, n;
  int32_t a_batch, a_row;
  int32_t b_batch, b_row;
  int32_t y_batch, y_row;
  uint32_t b_transposed;
} dpl_matmul_f32_args;

#endif
