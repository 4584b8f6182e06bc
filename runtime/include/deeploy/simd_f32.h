// SPDX-License-Identifier: Apache-2.0
//
// Products of rows of floats, and what softmax and normalisations know of a row: the inner part of
// matmul_f32, conv2d_f32, softmax_f32 and the like.
//
// simd_f32_body.h is written for vectors of one float (plain C), four (SSE) or eight (AVX2). On
// x86 the processor is asked at run time, because compilers assume SSE unless told otherwise.
#ifndef DEEPLOY_SIMD_F32_H
#define DEEPLOY_SIMD_F32_H

#include "deeploy/math.h"
#include "deeploy/split.h"

// One or two rows of a, and columns first..last-1 of b. y[r][c] = add[c] + products, or y[r][c] +
// products if `accumulate`; there is nothing to add if both are absent.
typedef struct {
  const float *a[2];
  float *y[2];
  const float *b;
  const float *add;
  int32_t b_row;
  uint32_t rows, k, first, last;
  uint32_t accumulate;
} dpl_f32_job;

DPL_INLINE float dpl_f32_initial(const dpl_f32_job *j, uint32_t row, uint32_t column) {
  return j->accumulate ? j->y[row][column] : j->add ? j->add[column] : 0.0f;
}

// Where the sums of four columns go, and what they start from.
typedef struct {
  float *y[2];
  const float *initial[2];
} dpl_f32_out;

// What to know of a row: max(x), sum(x) or sum((x - mean)^2).
typedef enum { DPL_F32_MAX, DPL_F32_SUM, DPL_F32_SQUARES } dpl_f32_kind;

static const float dpl_f32_zeros[4] __attribute__((unused)) = {0.0f, 0.0f, 0.0f, 0.0f};

#define DPL_V_TARGET
#if defined(__SSE2__) && !defined(DPL_PORTABLE)
#include <immintrin.h>

#define DPL_V __m128
#define DPL_V_LANES 4
#define DPL_V_NAME(name) dpl_f32_##name##_sse
#define DPL_V_LOAD(p) _mm_loadu_ps(p)
#define DPL_V_STORE(p, v) _mm_storeu_ps(p, v)
#define DPL_V_SET(x) _mm_set1_ps(x)
#define DPL_V_ADD(a, b) _mm_add_ps(a, b)
#define DPL_V_SUB(a, b) _mm_sub_ps(a, b)
#define DPL_V_MAX(a, b) _mm_max_ps(a, b)
#define DPL_V_FMA(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)

// The sums over the lanes of four vectors.
DPL_INLINE void dpl_f32_sums_sse(float *y, const float *initial, __m128 a, __m128 b, __m128 c,
                                 __m128 d) {
  __m128 ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
  __m128 cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
  __m128 all = _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab));
  _mm_storeu_ps(y, _mm_add_ps(all, _mm_loadu_ps(initial)));
}

#include "deeploy/simd_f32_body.h"

#undef DPL_V_TARGET
#define DPL_V_TARGET __attribute__((target("avx2,fma")))
#define DPL_V __m256
#define DPL_V_LANES 8
#define DPL_V_NAME(name) dpl_f32_##name##_avx
#define DPL_V_LOAD(p) _mm256_loadu_ps(p)
#define DPL_V_STORE(p, v) _mm256_storeu_ps(p, v)
#define DPL_V_SET(x) _mm256_set1_ps(x)
#define DPL_V_ADD(a, b) _mm256_add_ps(a, b)
#define DPL_V_SUB(a, b) _mm256_sub_ps(a, b)
#define DPL_V_MAX(a, b) _mm256_max_ps(a, b)
#define DPL_V_FMA(a, b, c) _mm256_fmadd_ps(a, b, c)

static inline DPL_V_TARGET
    __attribute__((always_inline)) void dpl_f32_sums_avx(float *y, const float *initial, __m256 a,
                                                         __m256 b, __m256 c, __m256 d) {
  __m256 two = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
  __m128 all = _mm_add_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1));
  _mm_storeu_ps(y, _mm_add_ps(all, _mm_loadu_ps(initial)));
}

#include "deeploy/simd_f32_body.h"

// DPL_F32_NARROW makes results the same on all processors: AVX2 rounds less often.
DPL_INLINE int dpl_f32_wide(void) {
#if defined(DPL_F32_NARROW)
  return 0;
#else
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
}

#define DPL_F32_CALL(name, ...)                                                                    \
  (dpl_f32_wide() ? dpl_f32_##name##_avx(__VA_ARGS__) : dpl_f32_##name##_sse(__VA_ARGS__))

#else

#define DPL_V float
#define DPL_V_LANES 1
#define DPL_V_NAME(name) dpl_f32_##name##_plain
#define DPL_V_LOAD(p) (*(p))
#define DPL_V_STORE(p, v) (*(p) = (v))
#define DPL_V_SET(x) (x)
#define DPL_V_ADD(a, b) ((a) + (b))
#define DPL_V_SUB(a, b) ((a) - (b))
#define DPL_V_MAX(a, b) dpl_fmax(a, b)
#define DPL_V_FMA(a, b, c) ((a) * (b) + (c))

DPL_INLINE void dpl_f32_sums_plain(float *y, const float *initial, float a, float b, float c,
                                   float d) {
  y[0] = initial[0] + a;
  y[1] = initial[1] + b;
  y[2] = initial[2] + c;
  y[3] = initial[3] + d;
}

#include "deeploy/simd_f32_body.h"

#define DPL_F32_CALL(name, ...) dpl_f32_##name##_plain(__VA_ARGS__)

#endif
#undef DPL_V_TARGET

// Columns of b [n][k]: dot products.
DPL_INLINE void dpl_f32_dots(const dpl_f32_job *j) { DPL_F32_CALL(dots, j); }

// Columns of b [k][n]: sums of rows.
DPL_INLINE void dpl_f32_sums(const dpl_f32_job *j) { DPL_F32_CALL(outer, j); }

// The largest of n elements, at least one.
DPL_INLINE float dpl_row_max(const float *x, uint32_t n) {
  return DPL_F32_CALL(row, x, n, 0.0f, DPL_F32_MAX);
}

DPL_INLINE float dpl_row_sum(const float *x, uint32_t n) {
  return DPL_F32_CALL(row, x, n, 0.0f, DPL_F32_SUM);
}

// sum((x - mean)^2)
DPL_INLINE float dpl_row_squares(const float *x, uint32_t n, float mean) {
  return DPL_F32_CALL(row, x, n, mean, DPL_F32_SQUARES);
}

// y = exp(x - most)
DPL_INLINE void dpl_row_exp(float *y, const float *x, uint32_t n, float most) {
  DPL_F32_CALL(row_exp, y, x, n, most);
}

#endif
