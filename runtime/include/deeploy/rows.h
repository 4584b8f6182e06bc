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
  const dpl_requant *rq;
} dpl_rows;

// The whole panel; y[r] points to channel 0 of the output of row r.
DPL_INLINE void dpl_rows_panel(const dpl_rows *j, const dpl_panel *panel, uint8_t *const *y,
                               dpl_types t) {
  uint32_t c = j->first;
  for (; c + DPL_PANEL_COLS <= j->last; c += DPL_PANEL_COLS) {
    const uint8_t *w = j->w + (ptrdiff_t)c * j->w_stride;
    dpl_tile_store(dpl_panel_dot(panel, w, j->w_stride, j->k, t), y, c, j->rq, t);
  }
  for (; c < j->last; c++) { // stride 0: the tile holds the same channel several times
    int32_t acc[DPL_PANEL_ROWS * DPL_PANEL_COLS];
    dpl_tile_unpack(dpl_panel_dot(panel, j->w + (ptrdiff_t)c * j->w_stride, 0, j->k, t), acc);
    for (uint32_t r = 0; r < DPL_PANEL_ROWS; r++)
      dpl_store_one(y[r], c, dpl_requant_one(j->rq, acc[r * DPL_PANEL_COLS], c), t);
  }
}

// One vector.
DPL_INLINE void dpl_rows_single(const dpl_rows *j, const uint8_t *x, uint8_t *y, dpl_types t) {
  uint32_t c = j->first;
  for (; c + 4 <= j->last; c += 4) {
    const uint8_t *w = j->w + (ptrdiff_t)c * j->w_stride;
    dpl_quad_store(dpl_quad_dot(x, w, j->w_stride, j->k, t), y, c, j->rq, t);
  }
  for (; c < j->last; c++) {
    int32_t acc[4];
    dpl_quad_unpack(dpl_quad_dot(x, j->w + (ptrdiff_t)c * j->w_stride, 0, j->k, t), acc);
    dpl_store_one(y, c, dpl_requant_one(j->rq, acc[0], c), t);
  }
}

#endif
