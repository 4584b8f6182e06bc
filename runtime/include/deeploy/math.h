// SPDX-License-Identifier: Apache-2.0
//
// Functions of 32-bit floats without a mathematical library. Largest errors, measured on all or on
// a dense set of numbers (tests/kernels/test_math.py), for results that are normal numbers:
//
//   dpl_exp, dpl_log   2 ulp            dpl_erf, dpl_tanh, dpl_sigmoid   2e-7, absolute
//   dpl_sqrt           1 ulp or exact   dpl_gelu, dpl_gelu_tanh          4e-7 * max(1, |x|)
//   dpl_pow            exact for 0.5, 1 and 2; else |y * log(x)| * 2e-7 + 4e-7, relative
//
// Most are free of branches, so that a compiler can compute several elements at a time.
#ifndef DEEPLOY_MATH_H
#define DEEPLOY_MATH_H

#include "deeploy/requant.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define DPL_INFINITY __builtin_inff()
#define DPL_NAN __builtin_nanf("")

// ------------------------------------------------------------------------------- bits and numbers

DPL_INLINE uint32_t dpl_float_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

DPL_INLINE float dpl_bits_float(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// condition ? a : b. On vector units without a branch, which constants would invite compilers to.
DPL_INLINE float dpl_select(int condition, float a, float b) {
#if defined(__SSE2__) && !defined(DPL_PORTABLE)
  uint32_t mask = 0 - (uint32_t)condition;
  return dpl_bits_float((dpl_float_bits(a) & mask) | (dpl_float_bits(b) & ~mask));
#else
  return condition ? a : b;
#endif
}

DPL_INLINE float dpl_abs(float x) { return dpl_bits_float(dpl_float_bits(x) & 0x7fffffffu); }

DPL_INLINE float dpl_copysign(float magnitude, float sign) {
  return dpl_bits_float((dpl_float_bits(magnitude) & 0x7fffffffu) |
                        (dpl_float_bits(sign) & 0x80000000u));
}

DPL_INLINE float dpl_fmin(float a, float b) { return a < b ? a : b; }
DPL_INLINE float dpl_fmax(float a, float b) { return a > b ? a : b; }

// Numbers from 2^23 have no fraction; NaN is none of those below.
DPL_INLINE int dpl_has_fraction(float x) { return dpl_abs(x) < 8388608.0f; }

DPL_INLINE float dpl_trunc(float x) {
  return dpl_has_fraction(x) ? dpl_copysign((float)(int32_t)x, x) : x;
}

DPL_INLINE float dpl_floor(float x) {
  float t = dpl_trunc(x);
  return t > x ? t - 1.0f : t;
}

DPL_INLINE float dpl_ceil(float x) {
  float t = dpl_trunc(x);
  return t < x ? t + 1.0f : t;
}

// Halves to even: the sum has no bits for the fraction.
DPL_INLINE float dpl_round(float x) {
  float t = dpl_abs(x) + 8388608.0f;
  return dpl_has_fraction(x) ? dpl_copysign(t - 8388608.0f, x) : x;
}

// Towards zero; saturates, and NaN gives 0.
DPL_INLINE int32_t dpl_float_to_int(float x) {
  if (x >= 2147483648.0f)
    return INT32_MAX;
  if (x < -2147483648.0f)
    return INT32_MIN;
  return x == x ? (int32_t)x : 0;
}

// ------------------------------------------------------------------------------------ square root

// For targets without an instruction: Newton's method for 1 / sqrt(x), and once for the root.
DPL_INLINE float dpl_sqrt_soft(float x) {
  if (!(x > 0.0f && x < DPL_INFINITY))
    return x < 0.0f ? DPL_NAN : x;
  float scale = 1.0f;
  if (x < 1.17549435e-38f) { // subnormal
    x *= 16777216.0f;
    scale = 1.0f / 4096.0f;
  }
  float r = dpl_bits_float(0x5f3759dfu - (dpl_float_bits(x) >> 1));
  for (int i = 0; i < 3; i++)
    r *= 1.5f - 0.5f * x * r * r;
  float s = x * r;
  return (s + 0.5f * r * (x - s * s)) * scale;
}

// A platform may define DPL_SQRTF(x). No __builtin_sqrtf here: it calls the library for x < 0.
DPL_INLINE float dpl_sqrt(float x) {
#if defined(DPL_SQRTF)
  return DPL_SQRTF(x);
#elif defined(__SSE2__) && !defined(DPL_PORTABLE)
  return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
#elif defined(__riscv_flen)
  float y;
  __asm__("fsqrt.s %0, %1" : "=f"(y) : "f"(x));
  return y;
#elif defined(__ARM_FP) && (__ARM_FP & 4) && !defined(__aarch64__)
  float y;
  __asm__("vsqrt.f32 %0, %1" : "=t"(y) : "t"(x));
  return y;
#else
  return dpl_sqrt_soft(x);
#endif
}

// -------------------------------------------------------------------------- exponent and logarithm

DPL_INLINE float dpl_power_of_two(int32_t n) { return dpl_bits_float(((uint32_t)n + 127) << 23); }

// x = n * log(2) + r, exp(x) = 2^n * (1 + r + r^2 * p(r)). The sum with 1.5 * 2^23 has n in its low
// bits. Beyond the bounds the result is infinite or 0; the power is applied in two steps because
// neither end fits in one float. NaN passes through.
DPL_INLINE float dpl_exp(float x) {
  float c = dpl_select(x < -104.0f, -104.0f, x);
  c = dpl_select(c > 89.0f, 89.0f, c);
  float t = c * 1.44269504f + 12582912.0f, n = t - 12582912.0f;
  float r = (c - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.381446491e-3f;
  p = p * r + 8.368780836e-3f;
  p = p * r + 4.166839272e-2f;
  p = p * r + 1.666651964e-1f;
  p = p * r + 4.999999404e-1f;
  float y = (r * r * p + r) + 1.0f;
  int32_t k = (int32_t)(dpl_float_bits(t) - 0x4b400000u), half = k >> 1;
  return y * dpl_power_of_two(half) * dpl_power_of_two(k - half);
}

// x = 2^n * (1 + f) with 1 + f between sqrt(1/2) and sqrt(2).
DPL_INLINE float dpl_log(float x) {
  int subnormal = x < 1.17549435e-38f;
  float positive = dpl_select(subnormal, x * 8388608.0f, x);
  uint32_t bits = dpl_float_bits(positive) - 0x3f3504f3u; // sqrt(1/2)
  int32_t exponent = (int32_t)bits >> 23;
  float f = dpl_bits_float((bits & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
  float n = (float)(exponent - (subnormal ? 23 : 0));
  float p = 6.746601313e-2f;
  p = p * f + -1.167564094e-1f;
  p = p * f + 1.188817471e-1f;
  p = p * f + -1.240559146e-1f;
  p = p * f + 1.421955079e-1f;
  p = p * f + -1.666799635e-1f;
  p = p * f + 2.000211924e-1f;
  p = p * f + -2.500000894e-1f;
  p = p * f + 3.333331347e-1f;
  float s = f * f;
  float y = p * f * s + n * -2.12194440e-4f;
  y = (y - 0.5f * s) + f;
  y += n * 0.693359375f;
  y = dpl_select(x > 0.0f, y, dpl_select(x < 0.0f, DPL_NAN, -DPL_INFINITY));
  return dpl_select(x < DPL_INFINITY, y, x); // infinity and NaN
}

// Raises by multiplication: n >= 0.
DPL_INLINE float dpl_pow_whole(float x, uint32_t n) {
  float y = 1.0f;
  for (; n; n >>= 1, x *= x)
    if (n & 1)
      y *= x;
  return y;
}

DPL_INLINE float dpl_pow(float x, float y) {
  if (y == 2.0f)
    return x * x;
  if (y == 0.5f)
    return dpl_sqrt(x);
  int whole = dpl_trunc(y) == y;
  if (whole && dpl_abs(y) <= 32.0f) {
    float power = dpl_pow_whole(x, (uint32_t)dpl_abs(y));
    return y < 0.0f ? 1.0f / power : power;
  }
  float power = dpl_exp(y * dpl_log(dpl_abs(x)));
  if (x >= 0.0f)
    return power;
  if (!whole)
    return DPL_NAN;
  float half = y * 0.5f;
  return dpl_trunc(half) == half ? power : -power;
}

// --------------------------------------------------------------------------------- saturating ones

DPL_INLINE float dpl_tanh(float x) {
  float t = dpl_abs(x), s = t * t;
  float p = -5.717036780e-3f;
  p = p * s + 2.065057866e-2f;
  p = p * s + -5.374349654e-2f;
  p = p * s + 1.333149076e-1f;
  p = p * s + -3.333328366e-1f;
  float small = t + t * s * p;
  float large = 1.0f - 2.0f / (dpl_exp(2.0f * t) + 1.0f);
  return dpl_copysign(dpl_select(t < 0.625f, small, large), x);
}

DPL_INLINE float dpl_sigmoid(float x) { return 1.0f / (1.0f + dpl_exp(-x)); }

// An odd polynomial up to 1, above it 1 - exp(-q(x)).
DPL_INLINE float dpl_erf(float x) {
  float t = dpl_abs(x), s = t * t;
  float p = 7.889119297e-5f;
  p = p * s + -8.020841051e-4f;
  p = p * s + 5.189535208e-3f;
  p = p * s + -2.685444430e-2f;
  p = p * s + 1.128360033e-1f;
  p = p * s + -3.761262596e-1f;
  p = p * s + 1.128379107e+0f;
  float c = dpl_select(t < 4.0f, t, 4.0f);
  float q = -1.855748997e-4f;
  q = q * c + 2.939615631e-3f;
  q = q * c + -2.180535160e-2f;
  q = q * c + 1.030374393e-1f;
  q = q * c + 6.382256150e-1f;
  q = q * c + 1.127040029e+0f;
  q = q * c + 3.537089215e-4f;
  float large = 1.0f - dpl_exp(-q);
  float y = dpl_copysign(dpl_select(t < 1.0f, t * p, large), x);
  return dpl_select(x == x, y, x);
}

DPL_INLINE float dpl_gelu(float x) { return 0.5f * x * (1.0f + dpl_erf(x * 0.707106781f)); }

DPL_INLINE float dpl_gelu_tanh(float x) {
  return 0.5f * x * (1.0f + dpl_tanh(0.797884561f * (x + 0.044715f * x * x * x)));
}

DPL_INLINE float dpl_clip(float x, float lo, float hi) {
  x = x < lo ? lo : x;
  return x > hi ? hi : x;
}

DPL_INLINE float dpl_hard_sigmoid(float x, float slope, float offset) {
  return dpl_clip(slope * x + offset, 0.0f, 1.0f);
}

#endif
