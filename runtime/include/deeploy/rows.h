// SPDX-License-Identifier: Apache-2.0
//
// Activation vectors times weight rows, requantised: the inner part of conv2d and matmul.
#ifndef DEEPLOY_ROWS_H
#define DEEPLOY_ROWS_H

#include "deeploy/simd.h"

// Channels first..last-1; the weights of channel c are the k bytes at w + c * w_stride.
typedef struct {
  const uint8_t *w;
  int32_t w_stride;
  uint32_t k, first, last;
  const dpl_scaler *scaler;
} dpl_rows;

// Both functions compute what does not fill a tile channel by channel, with weight stride 0, so
// that all rows of weights are the same one. Then the code of the tile need not be there twice.

// The whole panel; y[r] points to channel 0 of the output of row r.
DPL_INLINE void dpl_rows_panel(const dpl_rows *j, const dpl_panel *panel, uint8_t *const *y,
                               dpl_types t) {
  const uint8_t *w = j->w + (ptrdiff_t)j->first * j->w_stride;
  uint32_t count = DPL_PANEL_COLS;
  for (uint32_t c = j->first; c < j->last; c += count, w += (int32_t)count * j->w_stride) {
    count = c + DPL_PANEL_COLS <= j->last ? DPL_PANEL_COLS : 1;
    dpl_tile tile = dpl_panel_dot(panel, w, count == 1 ? 0 : j->w_stride, j->k, t);
    if (count > 1) {
      dpl_tile_store(tile, y, c, j->scaler, t);
      continue;
    }
    int32_t acc[DPL_PANEL_ROWS * DPL_PANEL_COLS];
    dpl_tile_unpack(tile, acc);
    for (uint32_t r = 0; r < DPL_PANEL_ROWS; r++)
      dpl_store_one(y[r], c, dpl_requant_one(j->scaler->rq, acc[r * DPL_PANEL_COLS], c), t);
  }
}

// One vector.
DPL_INLINE void dpl_rows_single(const dpl_rows *j, const uint8_t *x, uint8_t *y, dpl_types t) {
  const uint8_t *w = j->w + (ptrdiff_t)j->first * j->w_stride;
  uint32_t count = 4;
  for (uint32_t c = j->first; c < j->last; c += count, w += (int32_t)count * j->w_stride) {
    count = c + 4 <= j->last ? 4 : 1;
    dpl_quad quad = dpl_quad_dot(x, w, count == 1 ? 0 : j->w_stride, j->k, t);
    if (count > 1) {
      dpl_quad_store(quad, y, c, j->scaler, t);
      continue;
    }
    int32_t acc[4];
    dpl_quad_unpack(quad, acc);
    dpl_store_one(y, c, dpl_requant_one(j->scaler->rq, acc[0], c), t);
  }
}

#endif
