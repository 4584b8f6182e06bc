// SPDX-License-Identifier: Apache-2.0
//
// Normalisation of rows of floats. Templates: rms_norm_f32.inc, layer_norm_f32.inc.
#ifndef DEEPLOY_KERNELS_NORM_F32_H
#define DEEPLOY_KERNELS_NORM_F32_H

#include "deeploy/rowwise.h"

// y = x / sqrt(mean(x^2) + epsilon) * weight, or with the mean of the row taken from x and a bias
// (NULL for none) added. Rows are the last dimension and contiguous, weight and bias have one value
// for each column. y must not overlap x.
typedef struct {
  const void *x;
  void *y;
  dpl_rowwise rows;
  const float *weight, *bias;
  float epsilon;
} dpl_norm_f32_args;

#endif
