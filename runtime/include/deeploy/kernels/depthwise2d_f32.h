// SPDX-License-Identifier: Apache-2.0
//
// Depthwise 2-D convolution of floats (one filter per channel). Template: depthwise2d_f32.inc.
#ifndef DEEPLOY_KERNELS_DEPTHWISE2D_F32_H
#define DEEPLOY_KERNELS_DEPTHWISE2D_F32_H

#include "deeploy/requant.h"

// x [in_h][in_w][channels], w [k_h][k_w][channels] with w_tap elements from one tap to the next,
// and y [out_h][out_w][channels], addressed and windowed as in conv2d.h; add has one value per
// channel, or is NULL. y must not overlap x.
typedef struct {
  const void *x;
  const float *w;
  void *y;
  const float *add;
  uint32_t in_h, in_w, channels;
  uint32_t out_h, out_w;
  uint32_t k_h, k_w;
  uint32_t stride_h, stride_w;
  uint32_t dil_h, dil_w;
  int32_t pad_top, pad_left;
  int32_t x_row, x_pix;
  int32_t y_row, y_pix;
  uint32_t w_tap;
} dpl_depthwise2d_f32_args;

#endif
