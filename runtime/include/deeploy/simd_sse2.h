// SPDX-License-Identifier: Apache-2.0
//
// SSE2 form of simd.h. SSE2 multiplies 16-bit elements only, so bytes are widened first: the even
// and the odd bytes of a vector of 16 become two vectors of 8, which takes fewer instructions than
// widening its halves, and the order of elements does not matter to a dot product.
#ifndef DEEPLOY_SIMD_SSE2_H
#define DEEPLOY_SIMD_SSE2_H

#include <emmintrin.h>
#include <string.h>

#define DPL_PANEL_ROWS 4
#define DPL_PANEL_COLS 2
#define DPL_PANEL_MAX_K 2560
#define DPL_PANEL_COPIES 1

// ------------------------------------------------------------------------------ bytes to 16 bits

DPL_INLINE __m128i dpl_load16(const uint8_t *p) {
  return _mm_loadu_si128((const __m128i *)(const void *)p);
}

DPL_INLINE __m128i dpl_load8(const uint8_t *p) {
  return _mm_loadl_epi64((const __m128i *)(const void *)p);
}

// The n < 16 bytes at p, followed by zeros. Two overlapping loads cover every length.
DPL_INLINE __m128i dpl_load_part(const uint8_t *p, uint32_t n) {
  if (n >= 8) {
    __m128i high = n == 8 ? _mm_setzero_si128() : dpl_load8(p + n - 8);
    high = _mm_srl_epi64(high, _mm_cvtsi32_si128((int)(8 * (16 - n) & 63)));
    return _mm_unpacklo_epi64(dpl_load8(p), high);
  }
  if (n >= 4) {
    uint32_t low, high;
    memcpy(&low, p, 4);
    memcpy(&high, p + n - 4, 4);
    uint64_t both = (uint64_t)high << (8 * (n - 4)) | low;
    return _mm_set_epi64x(0, (int64_t)both);
  }
  if (n == 0)
    return _mm_setzero_si128();
  uint32_t bytes = p[0] | (uint32_t)p[n / 2] << (8 * (n / 2)) | (uint32_t)p[n - 1] << (8 * (n - 1));
  return _mm_cvtsi32_si128((int)bytes);
}

// Zeroes the first `drop` bytes: they were dealt with before. drop <= 16.
DPL_INLINE __m128i dpl_drop(__m128i v, uint32_t drop) {
  static const uint8_t keep[32] = {0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
                                   0,   0,   0,   0,   0,   255, 255, 255, 255, 255, 255,
                                   255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
  return _mm_and_si128(v, dpl_load16(keep + 16 - drop));
}

DPL_INLINE __m128i dpl_even(__m128i v, int is_signed) {
  return is_signed ? _mm_srai_epi16(_mm_slli_epi16(v, 8), 8)
                   : _mm_and_si128(v, _mm_set1_epi16(0xff));
}

DPL_INLINE __m128i dpl_odd(__m128i v, int is_signed) {
  return is_signed ? _mm_srai_epi16(v, 8) : _mm_srli_epi16(v, 8);
}

DPL_INLINE __m128i dpl_widen_low(__m128i v, int is_signed) {
  return is_signed ? _mm_srai_epi16(_mm_unpacklo_epi8(v, v), 8)
                   : _mm_unpacklo_epi8(v, _mm_setzero_si128());
}

DPL_INLINE __m128i dpl_widen_high(__m128i v, int is_signed) {
  return is_signed ? _mm_srai_epi16(_mm_unpackhi_epi8(v, v), 8)
                   : _mm_unpackhi_epi8(v, _mm_setzero_si128());
}

// ----------------------------------------------------------------------------------- requantise

// Low 32 bits of the products. SSE2 multiplies the even elements only.
DPL_INLINE __m128i dpl_mullo(__m128i a, __m128i b) {
  __m128i even = _mm_mul_epu32(a, b);
  __m128i odd = _mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32));
  return _mm_unpacklo_epi32(_mm_shuffle_epi32(even, 0x08), _mm_shuffle_epi32(odd, 0x08));
}

DPL_INLINE __m128i dpl_scale(__m128i acc, __m128i mul, __m128i add, const dpl_requant *rq) {
  return _mm_sra_epi32(_mm_add_epi32(dpl_mullo(acc, mul), add), _mm_cvtsi32_si128(rq->shift));
}

DPL_INLINE __m128i dpl_select(__m128i mask, __m128i yes, __m128i no) {
  return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
}

DPL_INLINE __m128i dpl_clamp4(__m128i v, const dpl_requant *rq) {
  __m128i lo = _mm_set1_epi32(rq->lo), hi = _mm_set1_epi32(rq->hi);
  v = dpl_select(_mm_cmpgt_epi32(lo, v), lo, v);
  return dpl_select(_mm_cmpgt_epi32(v, hi), hi, v);
}

// Eight values to bytes. The limits of a byte output fit in 16 bits, so saturating first is exact.
DPL_INLINE __m128i dpl_clamp8_bytes(__m128i a, __m128i b, const dpl_requant *rq, int y_signed) {
  __m128i v = _mm_packs_epi32(a, b);
  v = _mm_max_epi16(v, _mm_set1_epi16((int16_t)rq->lo));
  v = _mm_min_epi16(v, _mm_set1_epi16((int16_t)rq->hi));
  return y_signed ? _mm_packs_epi16(v, v) : _mm_packus_epi16(v, v);
}

DPL_INLINE __m128i dpl_param4(const int32_t *values, int32_t value0, uint32_t channel) {
  return values ? _mm_loadu_si128((const __m128i *)(const void *)(values + channel))
                : _mm_set1_epi32(value0);
}

// Values of two channels, twice.
DPL_INLINE __m128i dpl_param2(const int32_t *values, int32_t value0, uint32_t channel) {
  if (!values)
    return _mm_set1_epi32(value0);
  __m128i v = _mm_loadl_epi64((const __m128i *)(const void *)(values + channel));
  return _mm_unpacklo_epi64(v, v);
}

DPL_INLINE void dpl_store2(uint8_t *p, int value) {
  uint16_t bytes = (uint16_t)value;
  memcpy(p, &bytes, 2);
}

DPL_INLINE void dpl_store4(uint8_t *p, __m128i v) {
  int bytes = _mm_cvtsi128_si32(v);
  memcpy(p, &bytes, 4);
}

// ------------------------------------------------------------------------------- dot products

DPL_INLINE __m128i dpl_add_madd(__m128i acc, __m128i a, __m128i b) {
  return _mm_add_epi32(acc, _mm_madd_epi16(a, b));
}

// The sums of the elements of four vectors.
DPL_INLINE __m128i dpl_sums4(__m128i a, __m128i b, __m128i c, __m128i d) {
  __m128i ab = _mm_add_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
  __m128i cd = _mm_add_epi32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
  return _mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
}

// Vectors widened once: for each step of 16 elements, even and odd elements of each row. If k is
// not a multiple of 16, the last step covers the last 16 elements again, with zeros for those the
// steps before had: weights can then be loaded without care for the end of their row.
typedef struct {
  __m128i step[(DPL_PANEL_MAX_K + 15) / 16][DPL_PANEL_ROWS][2];
} dpl_panel;

typedef struct {
  __m128i rows01, rows23; // two channels of a row next to each other
} dpl_tile;

typedef struct {
  __m128i acc;
} dpl_quad;

DPL_INLINE void dpl_panel_put(dpl_panel *panel, uint32_t step, uint32_t row, __m128i v,
                              int x_signed) {
  panel->step[step][row][0] = dpl_even(v, x_signed);
  panel->step[step][row][1] = dpl_odd(v, x_signed);
}

DPL_INLINE void dpl_panel_set(dpl_panel *panel, uint32_t row, const uint8_t *x, uint32_t k,
                              int x_signed) {
  uint32_t whole = k / 16;
  for (uint32_t i = 0; i < whole; i++)
    dpl_panel_put(panel, i, row, dpl_load16(x + 16 * i), x_signed);
  if (k % 16) {
    __m128i tail = k < 16 ? dpl_load_part(x, k) : dpl_drop(dpl_load16(x + k - 16), 16 - k % 16);
    dpl_panel_put(panel, whole, row, tail, x_signed);
  }
}

DPL_INLINE void dpl_panel_step(__m128i acc[8], const __m128i x[DPL_PANEL_ROWS][2], __m128i wa,
                               __m128i wb, int w_signed) {
  __m128i a = dpl_even(wa, w_signed), b = dpl_even(wb, w_signed);
  for (uint32_t r = 0; r < DPL_PANEL_ROWS; r++) {
    acc[2 * r] = dpl_add_madd(acc[2 * r], a, x[r][0]);
    acc[2 * r + 1] = dpl_add_madd(acc[2 * r + 1], b, x[r][0]);
  }
  a = dpl_odd(wa, w_signed);
  b = dpl_odd(wb, w_signed);
  for (uint32_t r = 0; r < DPL_PANEL_ROWS; r++) {
    acc[2 * r] = dpl_add_madd(acc[2 * r], a, x[r][1]);
    acc[2 * r + 1] = dpl_add_madd(acc[2 * r + 1], b, x[r][1]);
  }
}

DPL_INLINE dpl_tile dpl_panel_dot(const dpl_panel *panel, const uint8_t *w, int32_t w_stride,
                                  uint32_t k, dpl_types t) {
  const uint8_t *wa = w, *wb = w + w_stride;
  __m128i acc[8];
  for (uint32_t i = 0; i < 8; i++)
    acc[i] = _mm_setzero_si128();
  uint32_t whole = k / 16;
  for (uint32_t i = 0; i < whole; i++)
    dpl_panel_step(acc, panel->step[i], dpl_load16(wa + 16 * i), dpl_load16(wb + 16 * i),
                   t.w_signed);
  if (k % 16) {
    __m128i a = k < 16 ? dpl_load_part(wa, k) : dpl_load16(wa + k - 16);
    __m128i b = k < 16 ? dpl_load_part(wb, k) : dpl_load16(wb + k - 16);
    dpl_panel_step(acc, panel->step[whole], a, b, t.w_signed);
  }
  dpl_tile tile = {dpl_sums4(acc[0], acc[1], acc[2], acc[3]),
                   dpl_sums4(acc[4], acc[5], acc[6], acc[7])};
  return tile;
}

DPL_INLINE void dpl_tile_unpack(dpl_tile tile, int32_t *acc) {
  _mm_storeu_si128((__m128i *)(void *)acc, tile.rows01);
  _mm_storeu_si128((__m128i *)(void *)(acc + 4), tile.rows23);
}

DPL_INLINE void dpl_tile_store(dpl_tile tile, uint8_t *const *y, uint32_t channel,
                               const dpl_requant *rq, dpl_types t) {
  __m128i mul = dpl_param2(rq->mul, rq->mul0, channel);
  __m128i add = dpl_param2(rq->add, rq->add0, channel);
  __m128i a = dpl_scale(tile.rows01, mul, add, rq), b = dpl_scale(tile.rows23, mul, add, rq);
  if (t.y_size == 4) {
    a = dpl_clamp4(a, rq);
    b = dpl_clamp4(b, rq);
    _mm_storel_epi64((__m128i *)(void *)(y[0] + 4 * channel), a);
    _mm_storel_epi64((__m128i *)(void *)(y[1] + 4 * channel), _mm_unpackhi_epi64(a, a));
    _mm_storel_epi64((__m128i *)(void *)(y[2] + 4 * channel), b);
    _mm_storel_epi64((__m128i *)(void *)(y[3] + 4 * channel), _mm_unpackhi_epi64(b, b));
    return;
  }
  __m128i bytes = dpl_clamp8_bytes(a, b, rq, t.y_signed);
  dpl_store2(y[0] + channel, _mm_extract_epi16(bytes, 0));
  dpl_store2(y[1] + channel, _mm_extract_epi16(bytes, 1));
  dpl_store2(y[2] + channel, _mm_extract_epi16(bytes, 2));
  dpl_store2(y[3] + channel, _mm_extract_epi16(bytes, 3));
}

DPL_INLINE void dpl_quad_step(__m128i acc[4], __m128i x, const __m128i w[4], dpl_types t) {
  __m128i even = dpl_even(x, t.x_signed), odd = dpl_odd(x, t.x_signed);
  for (uint32_t i = 0; i < 4; i++) {
    acc[i] = dpl_add_madd(acc[i], dpl_even(w[i], t.w_signed), even);
    acc[i] = dpl_add_madd(acc[i], dpl_odd(w[i], t.w_signed), odd);
  }
}

DPL_INLINE dpl_quad dpl_quad_dot(const uint8_t *x, const uint8_t *w, int32_t w_stride, uint32_t k,
                                 dpl_types t) {
  const uint8_t *w0 = w, *w1 = w0 + w_stride, *w2 = w1 + w_stride, *w3 = w2 + w_stride;
  __m128i acc[4];
  for (uint32_t i = 0; i < 4; i++)
    acc[i] = _mm_setzero_si128();
  for (uint32_t i = 0; i + 16 <= k; i += 16) {
    const __m128i v[4] = {dpl_load16(w0 + i), dpl_load16(w1 + i), dpl_load16(w2 + i),
                          dpl_load16(w3 + i)};
    dpl_quad_step(acc, dpl_load16(x + i), v, t);
  }
  if (k < 16) {
    const __m128i v[4] = {dpl_load_part(w0, k), dpl_load_part(w1, k), dpl_load_part(w2, k),
                          dpl_load_part(w3, k)};
    dpl_quad_step(acc, dpl_load_part(x, k), v, t);
  } else if (k % 16) {
    uint32_t i = k - 16;
    const __m128i v[4] = {dpl_load16(w0 + i), dpl_load16(w1 + i), dpl_load16(w2 + i),
                          dpl_load16(w3 + i)};
    dpl_quad_step(acc, dpl_drop(dpl_load16(x + i), 16 - k % 16), v, t);
  }
  dpl_quad quad = {dpl_sums4(acc[0], acc[1], acc[2], acc[3])};
  return quad;
}

DPL_INLINE void dpl_quad_unpack(dpl_quad quad, int32_t *acc) {
  _mm_storeu_si128((__m128i *)(void *)acc, quad.acc);
}

DPL_INLINE void dpl_quad_store(dpl_quad quad, uint8_t *y, uint32_t channel, const dpl_requant *rq,
                               dpl_types t) {
  __m128i v = dpl_scale(quad.acc, dpl_param4(rq->mul, rq->mul0, channel),
                        dpl_param4(rq->add, rq->add0, channel), rq);
  if (t.y_size == 4)
    _mm_storeu_si128((__m128i *)(void *)(y + 4 * channel), dpl_clamp4(v, rq));
  else
    dpl_store4(y + channel, dpl_clamp8_bytes(v, v, rq, t.y_signed));
}

// ------------------------------------------------------------------------------ outer products

// Two elements of a vector as 16-bit elements, four times.
DPL_INLINE __m128i dpl_pair(const uint8_t *p, int is_signed) {
  uint16_t bytes;
  memcpy(&bytes, p, 2);
  return _mm_shuffle_epi32(dpl_widen_low(_mm_cvtsi32_si128(bytes), is_signed), 0);
}

DPL_INLINE void dpl_outer_step(__m128i acc[4][2], const __m128i a[4], uint32_t rows, __m128i b0,
                               __m128i b1, int w_signed) {
  __m128i pairs = _mm_unpacklo_epi8(b0, b1);
  __m128i low = dpl_widen_low(pairs, w_signed), high = dpl_widen_high(pairs, w_signed);
  for (uint32_t r = 0; r < rows; r++) {
    acc[r][0] = dpl_add_madd(acc[r][0], a[r], low);
    acc[r][1] = dpl_add_madd(acc[r][1], a[r], high);
  }
}

// `rows` and `full` are constant here.
DPL_INLINE void dpl_outer_rows(int32_t acc[4][8], const uint8_t *const a[4], uint32_t rows,
                               const uint8_t *b, int32_t b_row, uint32_t k, uint32_t width,
                               int full, dpl_types t) {
  __m128i sum[4][2], x[4];
  for (uint32_t r = 0; r < rows; r++)
    sum[r][0] = sum[r][1] = _mm_setzero_si128();
  uint32_t i = 0;
  for (; i + 2 <= k; i += 2, b += 2 * (ptrdiff_t)b_row) {
    for (uint32_t r = 0; r < rows; r++)
      x[r] = dpl_pair(a[r] + i, t.x_signed);
    __m128i b0 = full ? dpl_load8(b) : dpl_load_part(b, width);
    __m128i b1 = full ? dpl_load8(b + b_row) : dpl_load_part(b + b_row, width);
    dpl_outer_step(sum, x, rows, b0, b1, t.w_signed);
  }
  if (i < k) {
    for (uint32_t r = 0; r < rows; r++)
      x[r] = _mm_set1_epi32(dpl_element(a[r], i, t.x_signed) & 0xffff);
    __m128i b0 = full ? dpl_load8(b) : dpl_load_part(b, width);
    dpl_outer_step(sum, x, rows, b0, _mm_setzero_si128(), t.w_signed);
  }
  for (uint32_t r = 0; r < rows; r++) {
    _mm_storeu_si128((__m128i *)(void *)acc[r], sum[r][0]);
    _mm_storeu_si128((__m128i *)(void *)(acc[r] + 4), sum[r][1]);
  }
}

DPL_INLINE void dpl_outer_dot(int32_t acc[4][8], const uint8_t *const a[4], uint32_t rows,
                              const uint8_t *b, int32_t b_row, uint32_t k, uint32_t width,
                              dpl_types t) {
  if (width < 8)
    dpl_outer_rows(acc, a, 4, b, b_row, k, width, 0, t);
  else if (rows == 1)
    dpl_outer_rows(acc, a, 1, b, b_row, k, 8, 1, t);
  else
    dpl_outer_rows(acc, a, 4, b, b_row, k, 8, 1, t);
}

// Requantises and stores eight channels.
DPL_INLINE void dpl_eight_put(__m128i a, __m128i b, uint8_t *y, uint32_t channel,
                              const dpl_requant *rq, dpl_types t) {
  a = dpl_scale(a, dpl_param4(rq->mul, rq->mul0, channel), dpl_param4(rq->add, rq->add0, channel),
                rq);
  b = dpl_scale(b, dpl_param4(rq->mul, rq->mul0, channel + 4),
                dpl_param4(rq->add, rq->add0, channel + 4), rq);
  if (t.y_size == 4) {
    _mm_storeu_si128((__m128i *)(void *)(y + 4 * channel), dpl_clamp4(a, rq));
    _mm_storeu_si128((__m128i *)(void *)(y + 4 * channel + 16), dpl_clamp4(b, rq));
  } else {
    _mm_storel_epi64((__m128i *)(void *)(y + channel), dpl_clamp8_bytes(a, b, rq, t.y_signed));
  }
}

// Requantises and stores the first `width` of eight channels.
DPL_INLINE void dpl_eight_store(const int32_t *acc, uint8_t *y, uint32_t channel, uint32_t width,
                                const dpl_requant *rq, dpl_types t) {
  if (width == 8) {
    dpl_eight_put(dpl_load16((const uint8_t *)acc), dpl_load16((const uint8_t *)(acc + 4)), y,
                  channel, rq, t);
    return;
  }
  for (uint32_t c = 0; c < width; c++)
    dpl_store_one(y, channel + c, dpl_requant_one(rq, acc[c], channel + c), t);
}

#endif
