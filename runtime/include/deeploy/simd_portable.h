// SPDX-License-Identifier: Apache-2.0
//
// Plain C form of simd.h; also the pattern for instruction sets with byte dot products.
#ifndef DEEPLOY_SIMD_PORTABLE_H
#define DEEPLOY_SIMD_PORTABLE_H

#include <string.h>

#define DPL_PANEL_ROWS 2
#define DPL_PANEL_COLS 4
#define DPL_PANEL_MAX_K UINT32_MAX
#define DPL_PANEL_COPIES 0
#define DPL_OUTER_COLS_ONE 8

typedef struct {
  const dpl_requant *rq;
} dpl_scaler;

DPL_INLINE void dpl_scaler_set(dpl_scaler *scaler, const dpl_requant *rq) { scaler->rq = rq; }

typedef struct {
  const uint8_t *x[DPL_PANEL_ROWS];
  int x_signed;
} dpl_panel;

typedef struct {
  int32_t acc[DPL_PANEL_ROWS * DPL_PANEL_COLS];
} dpl_tile;

typedef struct {
  int32_t acc[4];
} dpl_quad;

DPL_INLINE void dpl_panel_set(dpl_panel *panel, uint32_t row, const uint8_t *x, uint32_t k,
                              int x_signed) {
  (void)k;
  panel->x[row] = x;
  panel->x_signed = x_signed;
}

DPL_INLINE void dpl_copy_bytes(uint8_t *dst, const uint8_t *src, uint32_t n) {
  memcpy(dst, src, n);
}

// Weight row c is at w + c * w_stride.
DPL_INLINE dpl_tile dpl_panel_dot(const dpl_panel *panel, const uint8_t *w, int32_t w_stride,
                                  uint32_t k, dpl_types t) {
  const uint8_t *w0 = w, *w1 = w0 + w_stride, *w2 = w1 + w_stride, *w3 = w2 + w_stride;
  const uint8_t *xa = panel->x[0], *xb = panel->x[1];
  // Unsigned accumulators wrap around; each product fits in 17 bits.
  uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
  for (uint32_t i = 0; i < k; i++) {
    int32_t a = dpl_element(xa, i, t.x_signed), b = dpl_element(xb, i, t.x_signed);
    int32_t v0 = dpl_element(w0, i, t.w_signed), v1 = dpl_element(w1, i, t.w_signed);
    int32_t v2 = dpl_element(w2, i, t.w_signed), v3 = dpl_element(w3, i, t.w_signed);
    a0 += (uint32_t)(a * v0);
    a1 += (uint32_t)(a * v1);
    a2 += (uint32_t)(a * v2);
    a3 += (uint32_t)(a * v3);
    b0 += (uint32_t)(b * v0);
    b1 += (uint32_t)(b * v1);
    b2 += (uint32_t)(b * v2);
    b3 += (uint32_t)(b * v3);
  }
  dpl_tile tile = {{(int32_t)a0, (int32_t)a1, (int32_t)a2, (int32_t)a3, (int32_t)b0, (int32_t)b1,
                    (int32_t)b2, (int32_t)b3}};
  return tile;
}

DPL_INLINE void dpl_tile_unpack(dpl_tile tile, int32_t *acc) {
  for (uint32_t i = 0; i < DPL_PANEL_ROWS * DPL_PANEL_COLS; i++)
    acc[i] = tile.acc[i];
}

DPL_INLINE void dpl_tile_store(dpl_tile tile, uint8_t *const *y, uint32_t channel,
                               const dpl_scaler *s, dpl_types t) {
  for (uint32_t r = 0; r < DPL_PANEL_ROWS; r++)
    for (uint32_t c = 0; c < DPL_PANEL_COLS; c++)
      dpl_store_one(y[r], channel + c,
                    dpl_requant_one(s->rq, tile.acc[r * DPL_PANEL_COLS + c], channel + c), t);
}

DPL_INLINE dpl_quad dpl_quad_dot(const uint8_t *x, const uint8_t *w, int32_t w_stride, uint32_t k,
                                 dpl_types t) {
  const uint8_t *w0 = w, *w1 = w0 + w_stride, *w2 = w1 + w_stride, *w3 = w2 + w_stride;
  uint32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
  for (uint32_t i = 0; i < k; i++) {
    int32_t a = dpl_element(x, i, t.x_signed);
    a0 += (uint32_t)(a * dpl_element(w0, i, t.w_signed));
    a1 += (uint32_t)(a * dpl_element(w1, i, t.w_signed));
    a2 += (uint32_t)(a * dpl_element(w2, i, t.w_signed));
    a3 += (uint32_t)(a * dpl_element(w3, i, t.w_signed));
  }
  dpl_quad quad = {{(int32_t)a0, (int32_t)a1, (int32_t)a2, (int32_t)a3}};
  return quad;
}

DPL_INLINE void dpl_quad_unpack(dpl_quad quad, int32_t *acc) {
  for (uint32_t i = 0; i < 4; i++)
    acc[i] = quad.acc[i];
}

DPL_INLINE void dpl_quad_store(dpl_quad quad, uint8_t *y, uint32_t channel, const dpl_scaler *s,
                               dpl_types t) {
  for (uint32_t c = 0; c < 4; c++)
    dpl_store_one(y, channel + c, dpl_requant_one(s->rq, quad.acc[c], channel + c), t);
}

typedef struct {
  uint8_t column[4][DPL_HELD_K];
} dpl_held;

// Beyond the length of the vectors, elements are zero.
DPL_INLINE void dpl_held_set(dpl_held *held, uint8_t columns[4][DPL_HELD_K]) {
  memcpy(held->column, columns, sizeof(held->column));
}

DPL_INLINE dpl_quad dpl_held_dot(const dpl_held *held, const uint8_t *x, uint32_t k, dpl_types t) {
  return dpl_quad_dot(x, held->column[0], DPL_HELD_K, k, t);
}

// acc[8 * r + c] = row r of a x column c of the [k][width] matrix at b, width <= 8.
DPL_INLINE void dpl_outer_dot(int32_t *acc, const uint8_t *const a[4], uint32_t rows,
                              const uint8_t *b, int32_t b_row, uint32_t k, uint32_t width,
                              dpl_types t) {
  for (uint32_t r = 0; r < rows; r++) {
    for (uint32_t c = 0; c < width; c++) {
      const uint8_t *column = b + c;
      uint32_t sum = 0;
      for (uint32_t i = 0; i < k; i++, column += b_row)
        sum += (uint32_t)(dpl_element(a[r], i, t.x_signed) * dpl_element(column, 0, t.w_signed));
      acc[8 * r + c] = (int32_t)sum;
    }
  }
}

// Requantises and stores the first `width` of eight channels.
DPL_INLINE void dpl_eight_store(const int32_t *acc, uint8_t *y, uint32_t channel, uint32_t width,
                                const dpl_scaler *s, dpl_types t) {
  for (uint32_t c = 0; c < width; c++)
    dpl_store_one(y, channel + c, dpl_requant_one(s->rq, acc[c], channel + c), t);
}

// --------------------------------------------------------------------------------- depthwise

#define DPL_DW_TAPS 64
#define DPL_DW_CHANNELS 16

// What a block of channels needs for all pixels.
typedef struct {
  const uint8_t *w;
  uint32_t stride;
  const dpl_scaler *scaler;
} dpl_dw_block;

// w points to the first channel of the block, `stride` is the distance of the taps.
DPL_INLINE void dpl_dw_block_set(dpl_dw_block *block, const uint8_t *w, uint32_t taps,
                                 uint32_t stride, uint32_t channel, uint32_t width,
                                 const dpl_scaler *s) {
  (void)taps, (void)channel, (void)width;
  block->w = w;
  block->stride = stride;
  block->scaler = s;
}

// Computes `width` channels of one pixel. Tap i of the first one is at base + table[i]. y points
// to channel 0.
DPL_INLINE void dpl_dw_pixel(const dpl_dw_block *block, uintptr_t base, const uintptr_t *table,
                             uint32_t taps, uint8_t *y, uint32_t channel, uint32_t width,
                             dpl_types t) {
  uint32_t acc[DPL_DW_CHANNELS];
  const uint8_t *w = block->w;
  for (uint32_t c = 0; c < width; c++)
    acc[c] = 0;
  for (uint32_t i = 0; i < taps; i++, w += block->stride) {
    const uint8_t *x = (const uint8_t *)(base + table[i]);
    for (uint32_t c = 0; c < width; c++)
      acc[c] += (uint32_t)(dpl_element(x, c, t.x_signed) * dpl_element(w, c, t.w_signed));
  }
  const dpl_requant *rq = block->scaler->rq;
  for (uint32_t c = 0; c < width; c++)
    dpl_store_one(y, channel + c, dpl_requant_one(rq, (int32_t)acc[c], channel + c), t);
}

#endif
