// SPDX-License-Identifier: Apache-2.0
//
// SSE2 form of the depthwise part of simd.h. Two taps of a channel are put next to each other, so
// that one multiply-add instruction serves both.
#ifndef DEEPLOY_SIMD_SSE2_DW_H
#define DEEPLOY_SIMD_SSE2_DW_H

#define DPL_DW_TAPS 64
#define DPL_DW_CHANNELS 16

// For each pair of taps: 16-bit weights of both for channels 0..3, 4..7, 8..11, 12..15.
typedef struct {
  __m128i pair[(DPL_DW_TAPS + 1) / 2][4];
} dpl_dw_weights;

// `width` is 16, 8 or less than 8 everywhere below, and constant unless less.
DPL_INLINE __m128i dpl_dw_load(const uint8_t *p, uint32_t width) {
  return width == 16 ? dpl_load16(p) : width == 8 ? dpl_load8(p) : dpl_load_part(p, width);
}

DPL_INLINE void dpl_dw_weights_set(dpl_dw_weights *weights, const uint8_t *w, uint32_t taps,
                                   uint32_t stride, uint32_t width) {
  for (uint32_t i = 0; i < taps; i += 2, w += 2 * (size_t)stride) {
    __m128i a = dpl_dw_load(w, width);
    __m128i b = i + 1 < taps ? dpl_dw_load(w + stride, width) : _mm_setzero_si128();
    __m128i low = _mm_unpacklo_epi8(a, b), high = _mm_unpackhi_epi8(a, b);
    weights->pair[i / 2][0] = dpl_widen_low(low, 1);
    weights->pair[i / 2][1] = dpl_widen_high(low, 1);
    weights->pair[i / 2][2] = dpl_widen_low(high, 1);
    weights->pair[i / 2][3] = dpl_widen_high(high, 1);
  }
}

// Tap i of the first channel is at base + table[i]. The table has an entry after the last tap.
DPL_INLINE void dpl_dw_pixel(const dpl_dw_weights *weights, uintptr_t base, const uintptr_t *table,
                             uint32_t taps, uint8_t *y, uint32_t channel, uint32_t width,
                             const dpl_requant *rq, dpl_types t) {
  __m128i acc[4];
  for (uint32_t i = 0; i < 4; i++)
    acc[i] = _mm_setzero_si128();
  const __m128i(*pair)[4] = weights->pair;
  for (uint32_t i = 0; i < taps; i += 2, pair++) {
    __m128i a = dpl_dw_load((const uint8_t *)(base + table[i]), width);
    __m128i b = dpl_dw_load((const uint8_t *)(base + table[i + 1]), width);
    __m128i low = _mm_unpacklo_epi8(a, b), high = _mm_unpackhi_epi8(a, b);
    acc[0] = dpl_add_madd(acc[0], (*pair)[0], dpl_widen_low(low, t.x_signed));
    acc[1] = dpl_add_madd(acc[1], (*pair)[1], dpl_widen_high(low, t.x_signed));
    if (width == 16) {
      acc[2] = dpl_add_madd(acc[2], (*pair)[2], dpl_widen_low(high, t.x_signed));
      acc[3] = dpl_add_madd(acc[3], (*pair)[3], dpl_widen_high(high, t.x_signed));
    }
  }
  if (width < 8) {
    int32_t sums[8];
    _mm_storeu_si128((__m128i *)(void *)sums, acc[0]);
    _mm_storeu_si128((__m128i *)(void *)(sums + 4), acc[1]);
    dpl_eight_store(sums, y, channel, width, rq, t);
    return;
  }
  dpl_eight_put(acc[0], acc[1], y, channel, rq, t);
  if (width == 16)
    dpl_eight_put(acc[2], acc[3], y, channel + 8, rq, t);
}

#endif
