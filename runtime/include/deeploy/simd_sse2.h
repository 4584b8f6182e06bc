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
#define DPL_OUTER_COLS_ONE 16

// ------------------------------------------------------------------------------ bytes to 16 bits

DPL_INLINE __m128i dpl_load16(const uint8_t *p) {
  return _mm_loadu_si128((const __m128i *)(const void *)p);
}

DPL_INLINE __m128i dpl_load8(const uint8_t *p) {
  return _mm_loadl_epi64((const __m128i *)(const void *)p);
}

// Two overlapping loads cover every length. A function of its own: inlined everywhere, it would
// make up most of the kernels.
static __attribute__((noinline, unused)) __m128i dpl_load_part_any(const uint8_t *p, uint32_t n) {
  if (n > 8) {
    __m128i high = dpl_load8(p + n - 8);
    high = _mm_srl_epi64(high, _mm_cvtsi32_si128((int)(8 * (16 - n) & 63)));
    return _mm_unpacklo_epi64(dpl_load8(p), high);
  }
  if (n == 8)
    return dpl_load8(p);
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

// The n < 16 bytes at p, followed by zeros.
DPL_INLINE __m128i dpl_load_part(const uint8_t *p, uint32_t n) {
  if (n == 4) {
    int32_t four;
    memcpy(&four, p, 4);
    return _mm_cvtsi32_si128(four);
  }
  return n == 8 ? dpl_load8(p) : dpl_load_part_any(p, n);
}

// A call of memcpy costs more than most of these copies. As above, the last access overlaps.
DPL_INLINE void dpl_copy_bytes(uint8_t *dst, const uint8_t *src, uint32_t n) {
  if (n >= 16) {
    for (uint32_t i = 0; i + 16 < n; i += 16)
      _mm_storeu_si128((__m128i *)(void *)(dst + i), dpl_load16(src + i));
    _mm_storeu_si128((__m128i *)(void *)(dst + n - 16), dpl_load16(src + n - 16));
  } else if (n >= 8) {
    __m128i last = dpl_load8(src + n - 8);
    _mm_storel_epi64((__m128i *)(void *)dst, dpl_load8(src));
    _mm_storel_epi64((__m128i *)(void *)(dst + n - 8), last);
  } else if (n >= 4) {
    memcpy(dst, src, 4);
    memcpy(dst + n - 4, src + n - 4, 4);
  } else {
    for (uint32_t i = 0; i < n; i++)
      dst[i] = src[i];
  }
}

// Zeroes all but the first n <= 16 bytes.
DPL_INLINE __m128i dpl_keep(__m128i v, uint32_t n) {
  static const uint8_t mask[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                   255, 255, 255, 255, 255, 0,   0,   0,   0,   0,   0,
                                   0,   0,   0,   0,   0,   0,   0,   0,   0,   0};
  return _mm_and_si128(v, dpl_load16(mask + 16 - n));
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

// Parameters without branches: an array that is not given becomes an array of four equal values,
// which the mask makes serve all channels. Points into itself, so it must not be copied.
typedef struct {
  __m128i lo16, hi16, lo32, hi32, shift;
  int32_t same_mul[4], same_add[4];
  const int32_t *mul, *add;
  uint32_t mul_mask, add_mask;
  const dpl_requant *rq;
} dpl_scaler;

DPL_INLINE void dpl_scaler_set(dpl_scaler *s, const dpl_requant *rq) {
  for (uint32_t i = 0; i < 4; i++) {
    s->same_mul[i] = rq->mul0;
    s->same_add[i] = rq->add0;
  }
  s->mul = rq->mul ? rq->mul : s->same_mul;
  s->add = rq->add ? rq->add : s->same_add;
  s->mul_mask = rq->mul ? UINT32_MAX : 0;
  s->add_mask = rq->add ? UINT32_MAX : 0;
  // The limits of a byte output fit in 16 bits; those of others are not used in that form.
  s->lo16 = _mm_set1_epi16((int16_t)rq->lo);
  s->hi16 = _mm_set1_epi16((int16_t)rq->hi);
  s->lo32 = _mm_set1_epi32(rq->lo);
  s->hi32 = _mm_set1_epi32(rq->hi);
  s->shift = _mm_cvtsi32_si128(rq->shift);
  s->rq = rq;
}

DPL_INLINE __m128i dpl_scale(__m128i acc, __m128i mul, __m128i add, const dpl_scaler *s) {
  return _mm_sra_epi32(_mm_add_epi32(dpl_mullo(acc, mul), add), s->shift);
}

// Channels channel..channel+3.
DPL_INLINE __m128i dpl_scale4(__m128i acc, uint32_t channel, const dpl_scaler *s) {
  const int32_t *mul = s->mul + (channel & s->mul_mask), *add = s->add + (channel & s->add_mask);
  return dpl_scale(acc, dpl_load16((const uint8_t *)mul), dpl_load16((const uint8_t *)add), s);
}

DPL_INLINE __m128i dpl_blend_epi32(__m128i mask, __m128i yes, __m128i no) {
  return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
}

DPL_INLINE __m128i dpl_clamp4(__m128i v, const dpl_scaler *s) {
  v = dpl_blend_epi32(_mm_cmpgt_epi32(s->lo32, v), s->lo32, v);
  return dpl_blend_epi32(_mm_cmpgt_epi32(v, s->hi32), s->hi32, v);
}

// Eight values to bytes. Saturating to 16 bits first does not change the result.
DPL_INLINE __m128i dpl_clamp8_bytes(__m128i a, __m128i b, const dpl_scaler *s, int y_signed) {
  __m128i v = _mm_min_epi16(_mm_max_epi16(_mm_packs_epi32(a, b), s->lo16), s->hi16);
  return y_signed ? _mm_packs_epi16(v, v) : _mm_packus_epi16(v, v);
}

// The values of two channels, twice.
DPL_INLINE __m128i dpl_twice(const int32_t *p) {
  __m128i v = dpl_load8((const uint8_t *)p);
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

// acc + the sums of pairs of products. Left to itself, gcc adds the accumulator to the products and
// then needs a copy to bring the sum back, one instruction in four of an inner loop.
DPL_INLINE __m128i dpl_add_madd(__m128i acc, __m128i a, __m128i b) {
  __m128i products = _mm_madd_epi16(a, b);
#if defined(__GNUC__) && !defined(__AVX__)
  __asm__("paddd %1, %0" : "+x"(acc) : "x"(products));
  return acc;
#else
  return _mm_add_epi32(acc, products);
#endif
}

// The sums of the elements of four vectors.
DPL_INLINE __m128i dpl_sums4(__m128i a, __m128i b, __m128i c, __m128i d) {
  __m128i ab = _mm_add_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b));
  __m128i cd = _mm_add_epi32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d));
  return _mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd));
}

// Vectors are worked through in steps of 16 elements. If k is not a multiple of 16, the first step
// is for less elements, the head: all 16 are loaded, but those after the head are zero in the
// activations, and the second step starts with them. So no load goes beyond the vector, except for
// vectors of less than 16 elements, which are loaded with care.
DPL_INLINE uint32_t dpl_head(uint32_t k) { return (k - 1) % 16 + 1; }

DPL_INLINE __m128i dpl_load_head(const uint8_t *p, uint32_t k) {
  return k < 16 ? dpl_load_part(p, k) : dpl_load16(p);
}

// Vectors widened once: for each step even and odd elements of each row.
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
  uint32_t head = dpl_head(k), steps = (k - head) / 16;
  dpl_panel_put(panel, 0, row, dpl_keep(dpl_load_head(x, k), head), x_signed);
  for (uint32_t i = 1; i <= steps; i++, x += 16)
    dpl_panel_put(panel, i, row, dpl_load16(x + head), x_signed);
}

// acc[2 r + c] for row r and column c; the first step sets it instead of adding.
DPL_INLINE void dpl_panel_step(__m128i acc[8], const __m128i x[DPL_PANEL_ROWS][2], __m128i wa,
                               __m128i wb, int first, int w_signed) {
  __m128i a = dpl_even(wa, w_signed), b = dpl_even(wb, w_signed);
  for (uint32_t r = 0; r < DPL_PANEL_ROWS; r++) {
    acc[2 * r] = first ? _mm_madd_epi16(a, x[r][0]) : dpl_add_madd(acc[2 * r], a, x[r][0]);
    acc[2 * r + 1] = first ? _mm_madd_epi16(b, x[r][0]) : dpl_add_madd(acc[2 * r + 1], b, x[r][0]);
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
  const uint8_t *wa = w, *wb = w + w_stride, *end = wa + k;
  const __m128i(*x)[DPL_PANEL_ROWS][2] = panel->step;
  __m128i acc[8];
  dpl_panel_step(acc, *x++, dpl_load_head(wa, k), dpl_load_head(wb, k), 1, t.w_signed);
  for (wa += dpl_head(k), wb += dpl_head(k); wa < end; wa += 16, wb += 16, x++)
    dpl_panel_step(acc, *x, dpl_load16(wa), dpl_load16(wb), 0, t.w_signed);
  dpl_tile tile = {dpl_sums4(acc[0], acc[1], acc[2], acc[3]),
                   dpl_sums4(acc[4], acc[5], acc[6], acc[7])};
  return tile;
}

DPL_INLINE void dpl_tile_unpack(dpl_tile tile, int32_t *acc) {
  _mm_storeu_si128((__m128i *)(void *)acc, tile.rows01);
  _mm_storeu_si128((__m128i *)(void *)(acc + 4), tile.rows23);
}

DPL_INLINE void dpl_tile_store(dpl_tile tile, uint8_t *const *y, uint32_t channel,
                               const dpl_scaler *s, dpl_types t) {
  __m128i mul = dpl_twice(s->mul + (channel & s->mul_mask));
  __m128i add = dpl_twice(s->add + (channel & s->add_mask));
  __m128i a = dpl_scale(tile.rows01, mul, add, s), b = dpl_scale(tile.rows23, mul, add, s);
  if (t.y_size == 4) {
    a = dpl_clamp4(a, s);
    b = dpl_clamp4(b, s);
    _mm_storel_epi64((__m128i *)(void *)(y[0] + 4 * channel), a);
    _mm_storel_epi64((__m128i *)(void *)(y[1] + 4 * channel), _mm_unpackhi_epi64(a, a));
    _mm_storel_epi64((__m128i *)(void *)(y[2] + 4 * channel), b);
    _mm_storel_epi64((__m128i *)(void *)(y[3] + 4 * channel), _mm_unpackhi_epi64(b, b));
    return;
  }
  __m128i bytes = dpl_clamp8_bytes(a, b, s, t.y_signed);
  dpl_store2(y[0] + channel, _mm_extract_epi16(bytes, 0));
  dpl_store2(y[1] + channel, _mm_extract_epi16(bytes, 1));
  dpl_store2(y[2] + channel, _mm_extract_epi16(bytes, 2));
  dpl_store2(y[3] + channel, _mm_extract_epi16(bytes, 3));
}

DPL_INLINE void dpl_quad_step(__m128i acc[4], __m128i x, const __m128i w[4], int first,
                              dpl_types t) {
  __m128i even = dpl_even(x, t.x_signed), odd = dpl_odd(x, t.x_signed);
  for (uint32_t i = 0; i < 4; i++) {
    __m128i v = dpl_even(w[i], t.w_signed);
    acc[i] = first ? _mm_madd_epi16(v, even) : dpl_add_madd(acc[i], v, even);
    acc[i] = dpl_add_madd(acc[i], dpl_odd(w[i], t.w_signed), odd);
  }
}

DPL_INLINE dpl_quad dpl_quad_dot(const uint8_t *x, const uint8_t *w, int32_t w_stride, uint32_t k,
                                 dpl_types t) {
  const uint8_t *w0 = w, *w1 = w0 + w_stride, *w2 = w1 + w_stride, *w3 = w2 + w_stride;
  __m128i acc[4], v[4] = {dpl_load_head(w0, k), dpl_load_head(w1, k), dpl_load_head(w2, k),
                          dpl_load_head(w3, k)};
  dpl_quad_step(acc, dpl_keep(dpl_load_head(x, k), dpl_head(k)), v, 1, t);
  for (size_t i = dpl_head(k); i < k; i += 16) {
    v[0] = dpl_load16(w0 + i);
    v[1] = dpl_load16(w1 + i);
    v[2] = dpl_load16(w2 + i);
    v[3] = dpl_load16(w3 + i);
    dpl_quad_step(acc, dpl_load16(x + i), v, 0, t);
  }
  dpl_quad quad = {dpl_sums4(acc[0], acc[1], acc[2], acc[3])};
  return quad;
}

DPL_INLINE void dpl_quad_unpack(dpl_quad quad, int32_t *acc) {
  _mm_storeu_si128((__m128i *)(void *)acc, quad.acc);
}

DPL_INLINE void dpl_quad_store(dpl_quad quad, uint8_t *y, uint32_t channel, const dpl_scaler *s,
                               dpl_types t) {
  __m128i v = dpl_scale4(quad.acc, channel, s);
  if (t.y_size == 4)
    _mm_storeu_si128((__m128i *)(void *)(y + 4 * channel), dpl_clamp4(v, s));
  else
    dpl_store4(y + channel, dpl_clamp8_bytes(v, v, s, t.y_signed));
}

typedef struct {
  __m128i column[4];
} dpl_held;

// Beyond the length of the vectors, elements are zero.
DPL_INLINE void dpl_held_set(dpl_held *held, uint8_t columns[4][DPL_HELD_K]) {
  for (uint32_t c = 0; c < 4; c++)
    held->column[c] = dpl_load16(columns[c]);
}

DPL_INLINE dpl_quad dpl_held_dot(const dpl_held *held, const uint8_t *x, uint32_t k, dpl_types t) {
  __m128i acc[4];
  dpl_quad_step(acc, dpl_load_head(x, k), held->column, 1, t);
  dpl_quad quad = {dpl_sums4(acc[0], acc[1], acc[2], acc[3])};
  return quad;
}

// ------------------------------------------------------------------------------ outer products

// `rows`, `width` (16, 8, or less than 8 and then not constant) and signs are constant below.

DPL_INLINE __m128i dpl_outer_load(const uint8_t *p, uint32_t width) {
  return width == 16 ? dpl_load16(p) : width == 8 ? dpl_load8(p) : dpl_load_part(p, width);
}

// Two rows of b; a[r] holds the two elements of row r as 16-bit elements, four times.
DPL_INLINE void dpl_outer_pair(__m128i sum[4][4], const __m128i a[4], uint32_t rows, __m128i b0,
                               __m128i b1, uint32_t width, int w_signed) {
  __m128i low = _mm_unpacklo_epi8(b0, b1), high = _mm_unpackhi_epi8(b0, b1);
  for (uint32_t q = 0; q < (width == 16 ? 4 : 2); q++) {
    __m128i bytes = q < 2 ? low : high;
    __m128i b = q % 2 ? dpl_widen_high(bytes, w_signed) : dpl_widen_low(bytes, w_signed);
    for (uint32_t r = 0; r < rows; r++)
      sum[r][q] = dpl_add_madd(sum[r][q], a[r], b);
  }
}

// Up to four rows of b, `left` of them exist; x[r] holds that many elements, widened.
DPL_INLINE void dpl_outer_step(__m128i sum[4][4], const __m128i x[4], uint32_t rows,
                               const uint8_t *b, ptrdiff_t b_row, uint32_t left, uint32_t width,
                               int w_signed) {
  const __m128i zero = _mm_setzero_si128();
  __m128i a[4];
  for (uint32_t r = 0; r < rows; r++)
    a[r] = _mm_shuffle_epi32(x[r], 0x00);
  dpl_outer_pair(sum, a, rows, dpl_outer_load(b, width),
                 left > 1 ? dpl_outer_load(b + b_row, width) : zero, width, w_signed);
  if (left <= 2)
    return;
  for (uint32_t r = 0; r < rows; r++)
    a[r] = _mm_shuffle_epi32(x[r], 0x55);
  dpl_outer_pair(sum, a, rows, dpl_outer_load(b + 2 * b_row, width),
                 left > 3 ? dpl_outer_load(b + 3 * b_row, width) : zero, width, w_signed);
}

DPL_INLINE __m128i dpl_load4(const uint8_t *p) {
  int bytes;
  memcpy(&bytes, p, 4);
  return _mm_cvtsi32_si128(bytes);
}

DPL_INLINE void dpl_outer_rows(int32_t *acc, const uint8_t *const a[4], uint32_t rows,
                               const uint8_t *b, ptrdiff_t b_row, uint32_t k, uint32_t width,
                               dpl_types t) {
  __m128i sum[4][4], x[4];
  for (uint32_t r = 0; r < rows; r++)
    for (uint32_t q = 0; q < 4; q++)
      sum[r][q] = _mm_setzero_si128();
  size_t i = 0;
  for (; i + 4 <= k; i += 4, b += 4 * b_row) {
    for (uint32_t r = 0; r < rows; r++)
      x[r] = dpl_widen_low(dpl_load4(a[r] + i), t.x_signed);
    dpl_outer_step(sum, x, rows, b, b_row, 4, width, t.w_signed);
  }
  if (i < k) {
    for (uint32_t r = 0; r < rows; r++)
      x[r] = dpl_widen_low(dpl_load_part(a[r] + i, k - (uint32_t)i), t.x_signed);
    dpl_outer_step(sum, x, rows, b, b_row, k - (uint32_t)i, width, t.w_signed);
  }
  for (uint32_t r = 0; r < rows; r++)
    for (uint32_t q = 0; q < (width == 16 ? 4 : 2); q++)
      _mm_storeu_si128((__m128i *)(void *)(acc + 8 * r + 4 * q), sum[r][q]);
}

// acc[8 * r + c] = row r of a x column c of the [k][width] matrix at b; width <= 8, or 16 for one
// row. All four rows of a must be readable.
DPL_INLINE void dpl_outer_dot(int32_t *acc, const uint8_t *const a[4], uint32_t rows,
                              const uint8_t *b, int32_t b_row, uint32_t k, uint32_t width,
                              dpl_types t) {
  (void)rows; // computing the rows that do not count as well is quicker than another variant
  if (width == 16)
    dpl_outer_rows(acc, a, 1, b, b_row, k, 16, t);
  else if (width == 8)
    dpl_outer_rows(acc, a, 4, b, b_row, k, 8, t);
  else
    dpl_outer_rows(acc, a, 4, b, b_row, k, width, t);
}

// Requantises and stores eight channels.
DPL_INLINE void dpl_eight_put(__m128i a, __m128i b, uint8_t *y, uint32_t channel,
                              const dpl_scaler *s, dpl_types t) {
  a = dpl_scale4(a, channel, s);
  b = dpl_scale4(b, channel + 4, s);
  if (t.y_size == 4) {
    _mm_storeu_si128((__m128i *)(void *)(y + 4 * channel), dpl_clamp4(a, s));
    _mm_storeu_si128((__m128i *)(void *)(y + 4 * channel + 16), dpl_clamp4(b, s));
  } else {
    _mm_storel_epi64((__m128i *)(void *)(y + channel), dpl_clamp8_bytes(a, b, s, t.y_signed));
  }
}

// Requantises and stores the first `width` of eight channels.
DPL_INLINE void dpl_eight_store(const int32_t *acc, uint8_t *y, uint32_t channel, uint32_t width,
                                const dpl_scaler *s, dpl_types t) {
  if (width == 8) {
    dpl_eight_put(dpl_load16((const uint8_t *)acc), dpl_load16((const uint8_t *)(acc + 4)), y,
                  channel, s, t);
    return;
  }
  for (uint32_t c = 0; c < width; c++)
    dpl_store_one(y, channel + c, dpl_requant_one(s->rq, acc[c], channel + c), t);
}

#endif
