// SPDX-License-Identifier: Apache-2.0
//
// Division of many numbers by the same one, and square roots, on integers.
#ifndef DEEPLOY_DIVISION_H
#define DEEPLOY_DIVISION_H

#include "deeploy/requant.h"

// Division with quotients up to 255, of dividends below 2^31 by a divisor d of 1 to 2^31 - 1.
//
// For d >= 2^18 the inverse has 16 bits, and a quotient takes three instructions of Xpulp:
// p.mulhhuRN, p.mac, srl. Let v be the exact quotient and
//     e = (dividend >> 16) * inverse / 2^18 <= v,   inverse = (2^32 - 1) / (d / 4 + 1) < 2^16.
// e falls short by less than 0.4: the lost bits of the dividend make less than 2^16 / d <= 1 / 4,
// those of d / 4 at most 255 / 2^16, those of the inverse less than 2^15 / 2^18. So e rounded to
// the nearest, call it r, is v rounded down, or one more; then r * d exceeds the dividend, by less
// than d. With a power of two P > d,
//     r * P + (dividend - r * d) = dividend + r * (P - d)
// has the right quotient above the bits of P. The sum has 32 bits: for P <= 2 * d, it is at most
// dividend * P / d < 2^32 if r <= v; else it is below r * P, r < v + 0.5, v < 2^32 / P, and r is an
// integer.
typedef struct {
  uint32_t divisor, inverse, complement, shift;
} dpl_quotient;

DPL_INLINE dpl_quotient dpl_quotient_of(uint32_t divisor) {
  uint32_t shift = 32 - (uint32_t)__builtin_clz(divisor);
  uint32_t inverse = divisor >> 18 ? UINT32_MAX / ((divisor >> 2) + 1) : 0;
  dpl_quotient quotient = {divisor, inverse, (1u << shift) - divisor, shift};
  return quotient;
}

DPL_INLINE uint32_t dpl_quotient_at(dpl_quotient q, uint32_t dividend) {
  if (!q.inverse)
    return dividend / q.divisor;
  uint32_t rounded = ((dividend >> 16) * q.inverse + (1u << 17)) >> 18;
  return (dividend + rounded * q.complement) >> q.shift;
}

// Division by the same number many times: multiplication and shift, exact for dividends of up to
// 2^31 (one number more than 31 bits) and divisors of 1 to 2^15.
typedef struct {
  uint32_t divisor, factor, shift;
} dpl_divider;

DPL_INLINE dpl_divider dpl_divider_of(uint32_t divisor) {
  uint32_t shift = divisor > 1 ? 32 - (uint32_t)__builtin_clz(divisor - 1) : 0;
  // 2^(31 + shift) / divisor, rounded up, from two divisions in 32 bits
  uint32_t quotient = (1u << 31) / divisor, rest = (1u << 31) - quotient * divisor;
  dpl_divider d = {divisor, (quotient << shift) + ((rest << shift) + divisor - 1) / divisor, shift};
  return d;
}

DPL_INLINE uint32_t dpl_divide(dpl_divider d, uint32_t dividend) {
  return (uint32_t)((uint64_t)dividend * d.factor >> 31) >> d.shift;
}

// Truncates.
DPL_INLINE int64_t dpl_divide_signed(dpl_divider d, int64_t dividend) {
  if (dividend != (int32_t)dividend)
    return dividend / (int64_t)d.divisor;
  int32_t value = (int32_t)dividend;
  int32_t quotient = (int32_t)dpl_divide(d, value < 0 ? 0 - (uint32_t)value : (uint32_t)value);
  return value < 0 ? -(int64_t)(uint32_t)quotient : (int64_t)(uint32_t)quotient;
}

// Division, rounded down, of numbers from -DPL_SMALL_DIVIDEND to that by a divisor d of 1 to 128:
// two instructions of Xpulp, p.mulhhsRN and sra.
//
// With 2^14 <= 2^shift / d < 2^15 and factor = (2^shift + e) / d, |e| <= d / 2, let the dividend be
// q * d + t, 0 <= t < d. Then
//     dividend * factor + 2^13 = q * 2^shift + q * e + t * factor + 2^13
// lies from q * 2^shift to (q + 1) * 2^shift - 1, as
//     |q * e| <= (|dividend| + d - 1) / 2 < 2^13,
//     (q + 1) * e + 2^13 < 2^14 <= factor, for t = d - 1; at most 2^14, with e = 0 where d = 128.
#define DPL_SMALL_DIVIDEND ((1 << 14) - 128)

typedef struct {
  int32_t factor, shift;
} dpl_small_divider;

DPL_INLINE dpl_small_divider dpl_small_divider_of(uint32_t divisor) {
  // divided by 2^15 < scaled <= 2^16 instead of less: cores take one cycle for each leading zero
  int32_t places = __builtin_clz(2 * divisor - 1) - 15;
  uint32_t scaled = divisor << places;
  dpl_small_divider d = {(int32_t)(((1u << 30) + scaled / 2) / scaled), 30 - places};
  return d;
}

DPL_INLINE int32_t dpl_small_divide(dpl_small_divider d, int32_t dividend) {
  return (dividend * d.factor + (1 << 13)) >> d.shift;
}

// The square root of total / n, rounded down, if it is below 256; total <= n * 65535 < 2^32.
DPL_INLINE uint32_t dpl_root_mean(uint32_t total, uint32_t n) {
  uint32_t root = 0;
  for (uint32_t bit = 1u << 7; bit; bit >>= 1)
    if ((root + bit) * (root + bit) * n <= total)
      root += bit;
  return root;
}

#endif
