// SPDX-License-Identifier: Apache-2.0
//
// 2-D convolution with requantisation; 1-D convolution has height 1. Template: conv2d.inc.
#ifndef DEEPLOY_KERNELS_CONV2D_H
#define DEEPLOY_KERNELS_CONV2D_H

#include "deeploy/requant.h"

// Scratch of a core: two windows, k_h * k_w * in_c / groups bytes each; with one, outputs are
// computed one by one. Where windows are used in place (`dpl_windows_direct`) it may be NULL.

// x [in_h][in_w][in_c] of int8 or uint8: element (i, j, c) at x[i * x_row + j * x_pix + c].
// w [out_c][k_h][k_w][in_c / groups] of int8, contiguous.
// y [out_h][out_w][out_c] of int8, uint8 or int32: (i, j, c) at y[i * y_row + j * y_pix + c].
// Output (i, j) reads input rows i * stride_h + a * dil_h - pad_top for a in 0..k_h-1, columns
// likewise; what is outside the input reads as zero. Channels of rq are output channels.
// All strides are in elements. y must not overlap any input.
typedef struct {
  const void *x;
  const int8_t *w;
  void *y;
  uint8_t *scratch;
  uint32_t scratch_stride; // bytes from one core's scratch to the next one's
  uint32_t in_h, in_w, in_c;
  uint32_t out_h, out_w, out_c;
  uint32_t k_h, k_w;
  uint32_t stride_h, stride_w;
  uint32_t dil_h, dil_w;
  int32_t pad_top, pad_left;
  uint32_t groups;
  int32_t x_row, x_pix;
  int32_t y_row, y_pix;
  dpl_requant rq;
} dpl_conv2d_args;

#endif
