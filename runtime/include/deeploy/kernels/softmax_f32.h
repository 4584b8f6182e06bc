// SPDX-License-Identifier: Apache-2.0
//
// Softmax of floats. Template: softmax_f32.inc.
#ifndef DEEPLOY_KERNELS_SOFTMAX_F32_H
#define DEEPLOY_KERNELS_SOFTMAX_F32_H

#include "deeploy/rowwise.h"

// y = exp(x - max) / sum(exp(x - max)), each row by itself. Rows are the last dimension and
// contiguous. y must not overlap x.
typedef struct {
  const void *x;
  void *y;
  dpl_rowwise rows;
} dpl_softmax_f32_args;

#endif
