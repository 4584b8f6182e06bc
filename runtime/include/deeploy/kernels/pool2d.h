// SPDX-License-Identifier: Apache-2.0
//
// Maximum and average over windows. Templates: max_pool2d.inc, avg_pool2d.inc.
#ifndef DEEPLOY_KERNELS_POOL2D_H
#define DEEPLOY_KERNELS_POOL2D_H

#include "deeploy/requant.h"

// x [in_h][in_w][channels] and y [out_h][out_w][channels] of the same type, int8, uint8, int32
// or float, addressed and windowed as in conv2d.h. Taps outside the input do not count: a maximum
// ignores them; an average is over the taps inside, or over k_h * k_w with zeros outside if
// count_include_pad. Averages of integers are rounded to the nearest, halves up. A window with no
// tap inside gives the least value of the type, or average 0. y must not overlap x.
typedef struct {
  const void *x;
  void *y;
  uint32_t in_h, in_w, channels;
  uint32_t out_h, out_w;
  uint32_t k_h, k_w;
  uint32_t stride_h, stride_w;
  uint32_t dil_h, dil_w;
  int32_t pad_top, pad_left;
  int32_t x_row, x_pix;
  int32_t y_row, y_pix;
  uint32_t count_include_pad; // averages only
} dpl_pool2d_args;

#endif
