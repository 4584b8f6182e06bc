// SPDX-License-Identifier: Apache-2.0
//
// Requantisation: what every kernel does to its 32-bit accumulators before storing them.
#ifndef DEEPLOY_REQUANT_H
#define DEEPLOY_REQUANT_H

#include <stddef.h>
#include <stdint.h>

// y = clamp((acc * mul + add) >> shift, lo, hi), where product and sum wrap around at 32 bits and
// the shift is arithmetic. Rounding and bias are already in add. mul and add hold one value per
// channel when not NULL, else mul0 and add0 serve all channels. 0 <= shift <= 31. [lo, hi] must be
// inside the range of the output type.
typedef struct {
  const int32_t *mul, *add;
  int32_t mul0, add0;
  int32_t shift, lo, hi;
} dpl_requant;

#define DPL_INLINE static inline __attribute__((always_inline))

// One name of two, after macros: how templates name their helpers.
#define DPL_JOIN(a, b) DPL_JOIN_(a, b)
#define DPL_JOIN_(a, b) a##b

// True for signed integer types; a constant expression.
#define DPL_IS_SIGNED(type) ((type) - 1 < (type)1)

// True for float; a constant expression.
#define DPL_IS_FLOAT(type) __builtin_types_compatible_p(type, float)

// Products and sums of accumulators wrap around: unsigned arithmetic keeps that defined.
DPL_INLINE int32_t dpl_mul_add(int32_t a, int32_t b, int32_t c) {
  return (int32_t)((uint32_t)a * (uint32_t)b + (uint32_t)c);
}

DPL_INLINE int32_t dpl_clamp(int32_t value, int32_t lo, int32_t hi) {
  value = value < lo ? lo : value;
  return value > hi ? hi : value;
}

// (x * mul + add) >> shift, for kernels that have bounds of their own, or need none.
typedef struct {
  int32_t mul, add, shift;
} dpl_factors;

DPL_INLINE int32_t dpl_scaled(int32_t x, const dpl_factors *scale) {
  return dpl_mul_add(x, scale->mul, scale->add) >> scale->shift;
}

// The same where x and mul have 16 bits, and the other numbers, which are those of `scale`, are
// constant: an instruction of Xpulp, p.mulsN for an addend of 0 and p.mulsRN for half of 1 <<
// shift.
DPL_INLINE int32_t dpl_scaled_short(int32_t x, const dpl_factors *scale, int32_t add,
                                    uint32_t shift) {
  return ((int16_t)x * (int16_t)scale->mul + add) >> shift;
}

DPL_INLINE int32_t dpl_requant_one(const dpl_requant *rq, int32_t acc, uint32_t channel) {
  int32_t mul = rq->mul ? rq->mul[channel] : rq->mul0;
  int32_t add = rq->add ? rq->add[channel] : rq->add0;
  return dpl_clamp(dpl_mul_add(acc, mul, add) >> rq->shift, rq->lo, rq->hi);
}

#endif
