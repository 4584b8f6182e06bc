// SPDX-License-Identifier: Apache-2.0
//
// Gathers the window of one output of a convolution into a contiguous vector. Elements are bytes.
#ifndef DEEPLOY_IM2COL_H
#define DEEPLOY_IM2COL_H

#include "deeploy/kernels/conv2d.h"
#include "deeploy/simd.h"
#include "deeploy/window.h"

#include <string.h>

// The input channels of one group.
typedef struct {
  const uint8_t *x; // channel 0 of the group in pixel (0, 0)
  uint32_t channels;
  int direct; // windows are used in place
} dpl_window_source;

// Windows that need no gathering: all are inside the input and contiguous.
DPL_INLINE int dpl_windows_direct(const dpl_conv2d_args *a, uint32_t channels) {
  int32_t last_row = (int32_t)((a->out_h - 1) * a->stride_h + (a->k_h - 1) * a->dil_h) - a->pad_top;
  int32_t last_col =
      (int32_t)((a->out_w - 1) * a->stride_w + (a->k_w - 1) * a->dil_w) - a->pad_left;
  int inside = a->pad_top <= 0 && a->pad_left <= 0 && last_row < (int32_t)a->in_h &&
               last_col < (int32_t)a->in_w;
  int dense_row = a->k_w == 1 || (a->dil_w == 1 && a->x_pix == (int32_t)channels);
  int dense =
      dense_row && (a->k_h == 1 || (int32_t)a->dil_h * a->x_row == (int32_t)(a->k_w * channels));
  return inside && dense;
}

// Taps of one row of the window, cols.begin..cols.end-1; x is where tap 0 is or would be.
DPL_INLINE void dpl_gather_row(uint8_t *dst, const uint8_t *x, const dpl_conv2d_args *a,
                               uint32_t channels, dpl_range cols) {
  if (a->dil_w == 1 && a->x_pix == (int32_t)channels) {
    dpl_copy_bytes(dst + cols.begin * channels, x + (ptrdiff_t)cols.begin * a->x_pix,
                   (cols.end - cols.begin) * channels);
  } else {
    for (uint32_t kx = cols.begin; kx < cols.end; kx++)
      dpl_copy_bytes(dst + kx * channels, x + (ptrdiff_t)(kx * a->dil_w) * a->x_pix, channels);
  }
}

// Gathers the window of output (oy, ox) into `scratch`.
static void dpl_gather(const dpl_conv2d_args *a, dpl_window_source s, uint32_t oy, uint32_t ox,
                       uint8_t *scratch) {
  int32_t iy = (int32_t)(oy * a->stride_h) - a->pad_top;
  int32_t ix = (int32_t)(ox * a->stride_w) - a->pad_left;
  dpl_range rows = dpl_taps(iy, a->k_h, a->dil_h, a->in_h);
  dpl_range cols = dpl_taps(ix, a->k_w, a->dil_w, a->in_w);
  const uint8_t *x = s.x + (ptrdiff_t)iy * a->x_row + (ptrdiff_t)ix * a->x_pix;
  uint32_t row_bytes = a->k_w * s.channels;
  if (rows.end - rows.begin < a->k_h || cols.end - cols.begin < a->k_w)
    memset(scratch, 0, (size_t)a->k_h * row_bytes);
  for (uint32_t ky = rows.begin; ky < rows.end; ky++)
    dpl_gather_row(scratch + ky * row_bytes, x + (ptrdiff_t)(ky * a->dil_h) * a->x_row, a,
                   s.channels, cols);
}

// The window of output (oy, ox), in place or gathered into `scratch`.
DPL_INLINE const uint8_t *dpl_window(const dpl_conv2d_args *a, dpl_window_source s, uint32_t oy,
                                     uint32_t ox, uint8_t *scratch) {
  if (s.direct)
    return s.x + ((ptrdiff_t)(oy * a->stride_h) - a->pad_top) * a->x_row +
           ((ptrdiff_t)(ox * a->stride_w) - a->pad_left) * a->x_pix;
  dpl_gather(a, s, oy, ox, scratch);
  return scratch;
}

#endif
