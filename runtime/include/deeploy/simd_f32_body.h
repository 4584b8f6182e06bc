// SPDX-License-Identifier: Apache-2.0
//
// Included by simd_f32.h for each kind of vector; no guard.

#define DPL_V_INLINE static inline DPL_V_TARGET __attribute__((always_inline))

// ----------------------------------------------------------------------------------- dot products

// Four rows of b, `stride` apart, times one row of a or both.
DPL_V_INLINE void DPL_V_NAME(dots_block)(const dpl_f32_job *j, uint32_t column, ptrdiff_t stride,
                                         const dpl_f32_out *out, int both) {
  const size_t k = j->k;
  const float *x = j->a[0], *z = j->a[1];
  const float *b0 = j->b + (ptrdiff_t)column * j->b_row;
  const float *b1 = b0 + stride, *b2 = b1 + stride, *b3 = b2 + stride;
  DPL_V s0 = DPL_V_SET(0.0f), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  size_t i = 0;
#define DPL_V_STEP(at)                                                                             \
  {                                                                                                \
    const DPL_V w0 = DPL_V_LOAD(b0 + (at)), w1 = DPL_V_LOAD(b1 + (at));                            \
    const DPL_V w2 = DPL_V_LOAD(b2 + (at)), w3 = DPL_V_LOAD(b3 + (at));                            \
    const DPL_V v = DPL_V_LOAD(x + (at));                                                          \
    s0 = DPL_V_FMA(w0, v, s0);                                                                     \
    s1 = DPL_V_FMA(w1, v, s1);                                                                     \
    s2 = DPL_V_FMA(w2, v, s2);                                                                     \
    s3 = DPL_V_FMA(w3, v, s3);                                                                     \
    if (both) {                                                                                    \
      const DPL_V u = DPL_V_LOAD(z + (at));                                                        \
      t0 = DPL_V_FMA(w0, u, t0);                                                                   \
      t1 = DPL_V_FMA(w1, u, t1);                                                                   \
      t2 = DPL_V_FMA(w2, u, t2);                                                                   \
      t3 = DPL_V_FMA(w3, u, t3);                                                                   \
    }                                                                                              \
  }
  for (; i + 2 * DPL_V_LANES <= k; i += 2 * DPL_V_LANES) {
    DPL_V_STEP(i)
    DPL_V_STEP(i + DPL_V_LANES)
  }
  for (; i + DPL_V_LANES <= k; i += DPL_V_LANES)
    DPL_V_STEP(i)
#undef DPL_V_STEP
  DPL_V_NAME(sums)(out->y[0], out->initial[0], s0, s1, s2, s3);
  if (both)
    DPL_V_NAME(sums)(out->y[1], out->initial[1], t0, t1, t2, t3);
  for (; i < k; i++) {
    const float w[4] = {b0[i], b1[i], b2[i], b3[i]};
    for (uint32_t c = 0; c < 4; c++) {
      out->y[0][c] += w[c] * x[i];
      if (both)
        out->y[1][c] += w[c] * z[i];
    }
  }
}

DPL_V_INLINE void DPL_V_NAME(dots_rows)(const dpl_f32_job *j, int both) {
  const ptrdiff_t step = j->accumulate || j->add ? 4 : 0;
  uint32_t c = j->first;
  dpl_f32_out out;
  for (uint32_t r = 0; r < (both ? 2u : 1u); r++) {
    out.y[r] = j->y[r] + c;
    out.initial[r] = j->accumulate ? out.y[r] : j->add ? j->add + c : dpl_f32_zeros;
  }
  for (; c + 4 <= j->last; c += 4) {
    DPL_V_NAME(dots_block)(j, c, j->b_row, &out, both);
    for (uint32_t r = 0; r < (both ? 2u : 1u); r++) {
      out.y[r] += 4;
      out.initial[r] += step;
    }
  }
  for (; c < j->last; c++) { // as if there were four of the same column
    float rest[2][4];
    for (uint32_t r = 0; r < (both ? 2u : 1u); r++) {
      out.y[r] = rest[r];
      out.initial[r] = dpl_f32_zeros;
    }
    DPL_V_NAME(dots_block)(j, c, 0, &out, both);
    for (uint32_t r = 0; r < (both ? 2u : 1u); r++)
      j->y[r][c] = dpl_f32_initial(j, r, c) + rest[r][0];
  }
}

static DPL_V_TARGET __attribute__((noinline, unused)) void DPL_V_NAME(dots)(const dpl_f32_job *j) {
  const dpl_f32_job job = *j; // which stores to y cannot change
  if (job.rows == 2)
    DPL_V_NAME(dots_rows)(&job, 1);
  else
    DPL_V_NAME(dots_rows)(&job, 0);
}

// ------------------------------------------------------------------------------------ sums of rows

DPL_V_INLINE DPL_V DPL_V_NAME(start)(const dpl_f32_job *j, uint32_t row, uint32_t column) {
  if (j->accumulate)
    return DPL_V_LOAD(j->y[row] + column);
  return j->add ? DPL_V_LOAD(j->add + column) : DPL_V_SET(0.0f);
}

// `vectors` (1, 2 or 4) vectors of columns of both rows of a or one.
DPL_V_INLINE void DPL_V_NAME(outer_block)(const dpl_f32_job *j, uint32_t column, uint32_t vectors,
                                          int both) {
  const float *b = j->b + column;
  const float *x = j->a[0], *z = j->a[1];
  const ptrdiff_t step = j->b_row;
  const uint32_t k = j->k, at1 = vectors > 1 ? DPL_V_LANES : 0;
  const uint32_t at2 = vectors > 2 ? 2 * DPL_V_LANES : 0, at3 = vectors > 2 ? 3 * DPL_V_LANES : 0;
  DPL_V s0 = DPL_V_NAME(start)(j, 0, column), s1 = DPL_V_NAME(start)(j, 0, column + at1);
  DPL_V s2 = DPL_V_NAME(start)(j, 0, column + at2), s3 = DPL_V_NAME(start)(j, 0, column + at3);
  DPL_V t0 = s0, t1 = s1, t2 = s2, t3 = s3;
  if (both && j->accumulate) {
    t0 = DPL_V_NAME(start)(j, 1, column);
    t1 = DPL_V_NAME(start)(j, 1, column + at1);
    t2 = DPL_V_NAME(start)(j, 1, column + at2);
    t3 = DPL_V_NAME(start)(j, 1, column + at3);
  }
  for (uint32_t i = 0; i < k; i++, b += step) {
    const DPL_V v = DPL_V_SET(x[i]), u = DPL_V_SET(both ? z[i] : 0.0f);
    const DPL_V w0 = DPL_V_LOAD(b);
    s0 = DPL_V_FMA(w0, v, s0);
    if (both)
      t0 = DPL_V_FMA(w0, u, t0);
    if (vectors > 1) {
      const DPL_V w1 = DPL_V_LOAD(b + at1);
      s1 = DPL_V_FMA(w1, v, s1);
      if (both)
        t1 = DPL_V_FMA(w1, u, t1);
    }
    if (vectors > 2) {
      const DPL_V w2 = DPL_V_LOAD(b + at2), w3 = DPL_V_LOAD(b + at3);
      s2 = DPL_V_FMA(w2, v, s2);
      s3 = DPL_V_FMA(w3, v, s3);
      if (both) {
        t2 = DPL_V_FMA(w2, u, t2);
        t3 = DPL_V_FMA(w3, u, t3);
      }
    }
  }
  for (uint32_t r = 0; r < (both ? 2u : 1u); r++) {
    float *y = j->y[r] + column;
    DPL_V_STORE(y, r ? t0 : s0);
    if (vectors > 1)
      DPL_V_STORE(y + at1, r ? t1 : s1);
    if (vectors > 2) {
      DPL_V_STORE(y + at2, r ? t2 : s2);
      DPL_V_STORE(y + at3, r ? t3 : s3);
    }
  }
}

DPL_V_INLINE void DPL_V_NAME(outer_rows)(const dpl_f32_job *j, int both) {
  uint32_t c = j->first;
  for (; c + 4 * DPL_V_LANES <= j->last; c += 4 * DPL_V_LANES)
    DPL_V_NAME(outer_block)(j, c, 4, both);
  for (; c + 2 * DPL_V_LANES <= j->last; c += 2 * DPL_V_LANES)
    DPL_V_NAME(outer_block)(j, c, 2, both);
  for (; c + DPL_V_LANES <= j->last; c += DPL_V_LANES)
    DPL_V_NAME(outer_block)(j, c, 1, both);
  for (; c < j->last; c++) {
    for (uint32_t r = 0; r < j->rows; r++) {
      const float *b = j->b + c;
      float sum = dpl_f32_initial(j, r, c);
      for (uint32_t i = 0; i < j->k; i++, b += j->b_row)
        sum += *b * j->a[r][i];
      j->y[r][c] = sum;
    }
  }
}

static DPL_V_TARGET __attribute__((noinline, unused)) void DPL_V_NAME(outer)(const dpl_f32_job *j) {
  if (j->rows == 2)
    DPL_V_NAME(outer_rows)(j, 1);
  else
    DPL_V_NAME(outer_rows)(j, 0);
}

// -------------------------------------------------------------------------------------------- rows

DPL_V_INLINE DPL_V DPL_V_NAME(part)(DPL_V s, DPL_V v, DPL_V mean, dpl_f32_kind kind) {
  const DPL_V difference = DPL_V_SUB(v, mean);
  if (kind == DPL_F32_MAX)
    return DPL_V_MAX(v, s);
  return kind == DPL_F32_SUM ? DPL_V_ADD(s, v) : DPL_V_FMA(difference, difference, s);
}

// Of two results of parts of a row.
DPL_V_INLINE DPL_V DPL_V_NAME(both)(DPL_V a, DPL_V b, dpl_f32_kind kind) {
  return kind == DPL_F32_MAX ? DPL_V_MAX(a, b) : DPL_V_ADD(a, b);
}

// Four results are independent of each other, so that neither the latency of additions nor their
// rounding adds up.
DPL_V_INLINE float DPL_V_NAME(row_of)(const float *x, uint32_t n, float mean, dpl_f32_kind kind) {
  const DPL_V m = DPL_V_SET(mean);
  DPL_V s0 = DPL_V_SET(kind == DPL_F32_MAX ? x[0] : 0.0f), s1 = s0, s2 = s0, s3 = s0;
  float lanes[DPL_V_LANES];
  uint32_t i = 0;
  for (; i + 4 * DPL_V_LANES <= n; i += 4 * DPL_V_LANES) {
    s0 = DPL_V_NAME(part)(s0, DPL_V_LOAD(x + i), m, kind);
    s1 = DPL_V_NAME(part)(s1, DPL_V_LOAD(x + i + DPL_V_LANES), m, kind);
    s2 = DPL_V_NAME(part)(s2, DPL_V_LOAD(x + i + 2 * DPL_V_LANES), m, kind);
    s3 = DPL_V_NAME(part)(s3, DPL_V_LOAD(x + i + 3 * DPL_V_LANES), m, kind);
  }
  for (; i + DPL_V_LANES <= n; i += DPL_V_LANES)
    s0 = DPL_V_NAME(part)(s0, DPL_V_LOAD(x + i), m, kind);
  s0 = DPL_V_NAME(both)(DPL_V_NAME(both)(s0, s1, kind), DPL_V_NAME(both)(s2, s3, kind), kind);
  DPL_V_STORE(lanes, s0);
  for (uint32_t lane = 1; lane < DPL_V_LANES; lane++)
    lanes[0] = kind == DPL_F32_MAX ? dpl_fmax(lanes[lane], lanes[0]) : lanes[0] + lanes[lane];
  for (; i < n; i++) {
    const float d = x[i] - mean;
    lanes[0] = kind == DPL_F32_MAX ? dpl_fmax(x[i], lanes[0])
                                   : lanes[0] + (kind == DPL_F32_SUM ? x[i] : d * d);
  }
  return lanes[0];
}

static DPL_V_TARGET __attribute__((noinline, unused)) float
DPL_V_NAME(row)(const float *x, uint32_t n, float mean, dpl_f32_kind kind) {
  if (kind == DPL_F32_MAX)
    return DPL_V_NAME(row_of)(x, n, mean, DPL_F32_MAX);
  if (kind == DPL_F32_SUM)
    return DPL_V_NAME(row_of)(x, n, mean, DPL_F32_SUM);
  return DPL_V_NAME(row_of)(x, n, mean, DPL_F32_SQUARES);
}

// Compilers know how to compute several exponents at a time, for the vectors of this function.
static DPL_V_TARGET __attribute__((noinline, unused)) void
DPL_V_NAME(row_exp)(float *restrict y, const float *restrict x, uint32_t n, float most) {
  for (uint32_t i = 0; i < n; i++)
    y[i] = dpl_exp(x[i] - most);
}

#undef DPL_V_INLINE
#undef DPL_V
#undef DPL_V_LANES
#undef DPL_V_NAME
#undef DPL_V_LOAD
#undef DPL_V_STORE
#undef DPL_V_SET
#undef DPL_V_ADD
#undef DPL_V_SUB
#undef DPL_V_MAX
#undef DPL_V_FMA
