// SPDX-License-Identifier: Apache-2.0
//
// Gathers the window of one output of a convolution into a contiguous vector. Elements are bytes.
#ifndef DEEPLOY_IM2COL_H
#define DEEPLOY_IM2COL_H

#include "deeploy/kernels/conv2d.h"
#include "deeploy/window.h"

#include <string.h>

// The input channels of one group.
typedef struct {
  const uint8_t *x; // channel 0 of the group in pixel (0, 0)
  uint32_t channels;
} dpl_window_source;

DPL_INLINE void dpl_copy_bytes(uint8_t *dst, const uint8_t *src, uint32_t n) {
  if (n < 16) { // a call of memcpy costs more than the copy
    for (; n >= 4; n -= 4, dst += 4, src += 4)
      memcpy(dst, src, 4);
    for (; n > 0; n--)
      *dst++ = *src++;
    return;
  }
  memcpy(dst, src, n);
}

// Columns cols.begin..cols.end-1 of one row of the window, zeros for the others.
static void dpl_gather_row(uint8_t *dst, const uint8_t *x, const dpl_conv2d_args *a,
                           uint32_t channels, dpl_range cols) {
  memset(dst, 0, (size_t)cols.begin * channels);
  if (a->dil_w == 1 && a->x_pix == (int32_t)channels) {
    dpl_copy_bytes(dst + cols.begin * channels, x + (ptrdiff_t)cols.begin * a->x_pix,
                   (cols.end - cols.begin) * channels);
  } else {
    for (uint32_t kx = cols.begin; kx < cols.end; kx++)
      dpl_copy_bytes(dst + kx * channels, x + (ptrdiff_t)(kx * a->dil_w) * a->x_pix, channels);
  }
  memset(dst + cols.end * channels, 0, (size_t)(a->k_w - cols.end) * channels);
}

// The window of output (oy, ox): in place if it is contiguous, else gathered into `scratch`.
static const uint8_t *dpl_window(const dpl_conv2d_args *a, dpl_window_source s, uint32_t oy,
                                 uint32_t ox, uint8_t *scratch) {
  int32_t iy = (int32_t)(oy * a->stride_h) - a->pad_top;
  int32_t ix = (int32_t)(ox * a->stride_w) - a->pad_left;
  dpl_range rows = dpl_taps(iy, a->k_h, a->dil_h, a->in_h);
  dpl_range cols = dpl_taps(ix, a->k_w, a->dil_w, a->in_w);
  const uint8_t *x = s.x + (ptrdiff_t)iy * a->x_row + (ptrdiff_t)ix * a->x_pix;
  uint32_t row_bytes = a->k_w * s.channels;
  int inside = rows.end - rows.begin == a->k_h && cols.end - cols.begin == a->k_w;
  int dense = a->k_w == 1 || (a->dil_w == 1 && a->x_pix == (int32_t)s.channels);
  if (inside && dense && (a->k_h == 1 || (int32_t)a->dil_h * a->x_row == (int32_t)row_bytes))
    return x;
  memset(scratch, 0, (size_t)rows.begin * row_bytes);
  for (uint32_t ky = rows.begin; ky < rows.end; ky++)
    dpl_gather_row(scratch + ky * row_bytes, x + (ptrdiff_t)(ky * a->dil_h) * a->x_row, a,
                   s.channels, cols);
  memset(scratch + rows.end * row_bytes, 0, (size_t)(a->k_h - rows.end) * row_bytes);
  return scratch;
}

#endif
