// SPDX-License-Identifier: Apache-2.0
//
// SSE2 form of the depthwise part of simd.h. Two taps of a channel are put next to each other, so
// that one multiply-add instruction serves both.
#ifndef DEEPLOY_SIMD_SSE2_DW_H
#define DEEPLOY_SIMD_SSE2_DW_H

#define DPL_DW_TAPS 64
#define DPL_DW_CHANNELS 16

// What a block of channels needs for all pixels. Index i is for channels 4 i .. 4 i + 3. `pair`
// holds the 16-bit weights of two taps for each channel.
typedef struct {
  __m128i pair[(DPL_DW_TAPS + 1) / 2][4];
  __m128i mul[4], mul_odd[4], add[4];
  const dpl_scaler *scaler;
} dpl_dw_block;

// `width` is 16, 8 or less than 8 everywhere below, and constant unless less.
DPL_INLINE __m128i dpl_dw_load(const uint8_t *p, uint32_t width) {
  return width == 16 ? dpl_load16(p) : width == 8 ? dpl_load8(p) : dpl_load_part(p, width);
}

// w points to the first channel of the block, `stride` is the distance of the taps.
DPL_INLINE void dpl_dw_block_set(dpl_dw_block *block, const uint8_t *w, uint32_t taps,
                                 uint32_t stride, uint32_t channel, uint32_t width,
                                 const dpl_scaler *s) {
  for (uint32_t i = 0; i < taps; i += 2, w += 2 * (size_t)stride) {
    __m128i a = dpl_dw_load(w, width);
    __m128i b = i + 1 < taps ? dpl_dw_load(w + stride, width) : _mm_setzero_si128();
    __m128i low = _mm_unpacklo_epi8(a, b), high = _mm_unpackhi_epi8(a, b);
    block->pair[i / 2][0] = dpl_widen_low(low, 1);
    block->pair[i / 2][1] = dpl_widen_high(low, 1);
    block->pair[i / 2][2] = dpl_widen_low(high, 1);
    block->pair[i / 2][3] = dpl_widen_high(high, 1);
  }
  for (uint32_t i = 0; 4 * i + 4 <= width; i++) {
    uint32_t c = channel + 4 * i;
    block->mul[i] = dpl_load16((const uint8_t *)(s->mul + (c & s->mul_mask)));
    block->mul_odd[i] = _mm_srli_epi64(block->mul[i], 32);
    block->add[i] = dpl_load16((const uint8_t *)(s->add + (c & s->add_mask)));
  }
  block->scaler = s;
}

DPL_INLINE __m128i dpl_dw_scale(__m128i acc, const dpl_dw_block *b, uint32_t i) {
  __m128i even = _mm_mul_epu32(acc, b->mul[i]);
  __m128i odd = _mm_mul_epu32(_mm_srli_epi64(acc, 32), b->mul_odd[i]);
  __m128i product = _mm_unpacklo_epi32(_mm_shuffle_epi32(even, 0x08), _mm_shuffle_epi32(odd, 0x08));
  return _mm_sra_epi32(_mm_add_epi32(product, b->add[i]), b->scaler->shift);
}

// y points to the first channel of the block.
DPL_INLINE void dpl_dw_store(const __m128i acc[4], const dpl_dw_block *b, uint8_t *y,
                             uint32_t width, dpl_types t) {
  const dpl_scaler *s = b->scaler;
  __m128i v[4];
  for (uint32_t i = 0; i < width / 4; i++) {
    v[i] = dpl_dw_scale(acc[i], b, i);
    if (t.y_size == 4)
      _mm_storeu_si128((__m128i *)(void *)(y + 16 * i), dpl_clamp4(v[i], s));
  }
  if (t.y_size == 4)
    return;
  if (width == 8) {
    _mm_storel_epi64((__m128i *)(void *)y, dpl_clamp8_bytes(v[0], v[1], s, t.y_signed));
    return;
  }
  __m128i low = dpl_clamp8_bytes(v[0], v[1], s, t.y_signed);
  __m128i high = dpl_clamp8_bytes(v[2], v[3], s, t.y_signed);
  _mm_storeu_si128((__m128i *)(void *)y, _mm_unpacklo_epi64(low, high));
}

// Computes `width` channels of one pixel. Tap i of the first one is at base + table[i]; the table
// has one entry more, so that taps can be read in pairs. y points to channel 0.
DPL_INLINE void dpl_dw_pixel(const dpl_dw_block *block, uintptr_t base, const uintptr_t *table,
                             uint32_t taps, uint8_t *y, uint32_t channel, uint32_t width,
                             dpl_types t) {
  const __m128i(*pair)[4] = block->pair;
  const uintptr_t *end = table + taps;
  __m128i acc[4];
  for (uint32_t i = 0; i < 4; i++)
    acc[i] = _mm_setzero_si128();
  for (; table < end; table += 2, pair++) {
    __m128i a = dpl_dw_load((const uint8_t *)(base + table[0]), width);
    __m128i b = dpl_dw_load((const uint8_t *)(base + table[1]), width);
    __m128i low = _mm_unpacklo_epi8(a, b), high = _mm_unpackhi_epi8(a, b);
    acc[0] = dpl_add_madd(acc[0], dpl_widen_low(low, t.x_signed), (*pair)[0]);
    acc[1] = dpl_add_madd(acc[1], dpl_widen_high(low, t.x_signed), (*pair)[1]);
    if (width == 16) {
      acc[2] = dpl_add_madd(acc[2], dpl_widen_low(high, t.x_signed), (*pair)[2]);
      acc[3] = dpl_add_madd(acc[3], dpl_widen_high(high, t.x_signed), (*pair)[3]);
    }
  }
  if (width < 8) {
    int32_t sums[8];
    _mm_storeu_si128((__m128i *)(void *)sums, acc[0]);
    _mm_storeu_si128((__m128i *)(void *)(sums + 4), acc[1]);
    dpl_eight_store(sums, y, channel, width, block->scaler, t);
  } else {
    dpl_dw_store(acc, block, y + channel * t.y_size, width, t);
  }
}

#endif
