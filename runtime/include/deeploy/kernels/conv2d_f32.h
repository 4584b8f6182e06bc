// SPDX-License-Identifier: Apache-2.0
//
// 2-D convolution of floats; 1-D convolution has height 1. Template: conv2d_f32.inc.
#ifndef DEEPLOY_KERNELS_CONV2D_F32_H
#define DEEPLOY_KERNELS_CONV2D_F32_H

#include "deeploy/requant.h"

// x [in_h][in_w][in_c], w [out_c][k_h][k_w][in_c / groups] and y [out_h][out_w][out_c], addressed
// and windowed as in conv2d.h; add has one value per output channel, or is NULL. No scratch. y must
// not overlap any input.
typedef struct {
  const void *x;
  const float *w;
  void *y;
  const float *add;
  uint32_t in_h, in_w, in_c;
  uint32_t out_h, out_w, out_c;
  uint32_t k_h, k_w;
  uint32_t stride_h, stride_w;
  uint32_t dil_h, dil_w;
  int32_t pad_top, pad_left;
  uint32_t groups;
  int32_t x_row, x_pix;
  int32_t y_row, y_pix;
} dpl_conv2d_f32_args;

#endif
