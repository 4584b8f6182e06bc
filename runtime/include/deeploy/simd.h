// SPDX-License-Identifier: Apache-2.0
//
// Selects the form of the inner loops for the instruction set. Each form defines the same names:
//
//   dpl_panel                 a few activation vectors, prepared for use with many weight rows
//   DPL_PANEL_ROWS, _COLS     size of the tile one dot product step computes: rows x channels
//   DPL_PANEL_MAX_K           longest vectors a panel takes
//   DPL_PANEL_COPIES          1 if dpl_panel_set keeps no pointer to the vector
//   dpl_panel_set             puts one vector into the panel
//   dpl_panel_dot             dpl_tile = panel x DPL_PANEL_COLS weight rows
//   dpl_scaler, _set          requantisation parameters, prepared once per kernel call
//   dpl_tile_store            requantises and stores a whole tile
//   dpl_tile_unpack           accumulators of a tile, row by row
//   dpl_quad_dot              dpl_quad = one activation vector x four weight rows
//   dpl_quad_store, _unpack   as for tiles
//   dpl_held, _set            four short columns of a matrix, kept for use with many vectors
//   dpl_held_dot              dpl_quad = one short activation vector x those columns
//   dpl_outer_dot             up to four activation vectors x eight columns of a matrix
//   DPL_OUTER_COLS_ONE        columns it takes if there is only one vector
//   dpl_copy_bytes            memcpy for small sizes
//   dpl_eight_store           requantises and stores up to eight accumulators
//   DPL_DW_TAPS, _CHANNELS    largest window and block of channels of depthwise convolution
//   dpl_dw_block, _set        weights of a block of channels, prepared for use with many pixels
//   dpl_dw_pixel              computes and stores a block of channels of one pixel
//
// Vectors are bytes, signed or unsigned as the constant flags say; nothing beyond their last
// element is read.
#ifndef DEEPLOY_SIMD_H
#define DEEPLOY_SIMD_H

#include "deeploy/requant.h"

// Constant properties of the operands: every use is inlined with literal values.
typedef struct {
  int x_signed, w_signed, y_signed;
  uint32_t y_size; // bytes: 1 or 4
} dpl_types;

DPL_INLINE int32_t dpl_element(const uint8_t *p, uint32_t i, int is_signed) {
  return is_signed ? (int32_t)(int8_t)p[i] : (int32_t)p[i];
}

#define DPL_HELD_K 16 // longest vectors that count as short

DPL_INLINE void dpl_store_one(uint8_t *y, uint32_t channel, int32_t value, dpl_types t) {
  if (t.y_size == 4)
    ((int32_t *)(void *)y)[channel] = value;
  else
    y[channel] = (uint8_t)value;
}

#if defined(__SSE2__) && !defined(DPL_PORTABLE)
#include "deeploy/simd_sse2.h"
#include "deeploy/simd_sse2_dw.h"
#else
#include "deeploy/simd_portable.h"
#endif

#endif
