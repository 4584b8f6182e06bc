// SPDX-License-Identifier: Apache-2.0
//
// Walks over rows that have a maximum, sum or mean of their own; a row is the last dimension.
#ifndef DEEPLOY_ROWWISE_H
#define DEEPLOY_ROWWISE_H

#include "deeploy/nd.h"

// Divides rows among the cores, or if there are too few of them columns: then every core goes
// through whole rows for what it must know of them, and stores its part only.
DPL_INLINE void dpl_rowwise_split(dpl_nd *nd, uint32_t core, uint32_t cores) {
  const uint32_t columns = nd->dim[DPL_ND_DIMS - 1];
  uint32_t rows = 1;
  for (uint32_t d = 0; d < DPL_ND_DIMS - 1; d++)
    rows *= nd->dim[d];
  nd->rows = (dpl_range){0, rows};
  nd->inner = (dpl_range){0, columns};
  if (rows * (columns + dpl_share(columns, 4, cores)) < 2 * dpl_share(rows, 1, cores) * columns)
    nd->inner = dpl_split(columns, 4, core, cores);
  else
    nd->rows = dpl_split(rows, 1, core, cores);
  if (nd->inner.begin == nd->inner.end)
    nd->rows.end = nd->rows.begin;
  dpl_nd_seek(nd, nd->rows.begin);
}

// Operand 0 is x, operand 1 is y; both have contiguous rows.
DPL_INLINE void dpl_rowwise_begin(dpl_nd *nd, const uint32_t *dim, const int32_t *x_stride,
                                  const int32_t *y_stride, uint32_t core, uint32_t cores) {
  for (uint32_t d = 0; d < DPL_ND_DIMS; d++)
    nd->dim[d] = dim[d];
  dpl_nd_set(nd, 0, x_stride);
  dpl_nd_set(nd, 1, y_stride);
  dpl_nd_set(nd, 2, NULL);
  dpl_nd_set(nd, 3, NULL);
  dpl_rowwise_split(nd, core, cores);
}

// Division by the same number many times: multiplication and shift, exact for dividends of up to
// 2^31 (one number more than 31 bits) and divisors of 1 to 2^31.
typedef struct {
  uint32_t divisor, factor, shift;
} dpl_divider;

DPL_INLINE dpl_divider dpl_divider_of(uint32_t divisor) {
  uint32_t shift = divisor > 1 ? 32 - (uint32_t)__builtin_clz(divisor - 1) : 0;
  uint64_t power = (uint64_t)1 << (31 + shift);
  dpl_divider d = {divisor, (uint32_t)((power + divisor - 1) / divisor), shift};
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

// The square root, rounded down.
DPL_INLINE uint32_t dpl_square_root(uint32_t value) {
  uint32_t root = 0;
  for (uint32_t bit = 1u << 15; bit; bit >>= 1)
    if ((root + bit) * (root + bit) <= value)
      root += bit;
  return root;
}

#endif
