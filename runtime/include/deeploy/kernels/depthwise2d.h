// SPDX-License-Identifier: Apache-2.0
//
// Depthwise 2-D convolution (one filter per channel) with requantisation. Template:
// depthwise2d.inc.
#ifndef DEEPLOY_KERNELS_DEPTHWISE2D_H
#define DEEPLOY_KERNELS_DEPTHWISE2D_H

#include "deeploy/requant.h"

// x [in_h][in_w][channels] of int8 or uint8, w [k_h][k_w][channels] of int8 with w_tap elements
// from one tap to the next, and y [out_h][out_w][channels] of int8, uint8 or int32, addressed and
// windowed as in conv2d.h: what is outside the input reads as zero. No scratch. y must not overlap
// x.
typedef struct {
  const void *x;
  const int8_t *w;
  void *y;
  uint32_t in_h, in_w, channels;
  uint32_t out_h, out_w;
  uint32_t k_h, k_w;
  uint32_t stride_h, stride_w;
  uint32_t dil_h, dil_w;
  int32_t pad_top, pad_left;
  int32_t x_row, x_pix;
  int32_t y_row, y_pix;
  uint32_t w_tap;
  dpl_requant rq;
} dpl_depthwise2d_args;

#endif
