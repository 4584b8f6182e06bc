// SPDX-License-Identifier: Apache-2.0
//
// Walks over rows that have a maximum, sum or mean of their own; a row is the last dimension.
#ifndef DEEPLOY_ROWWISE_H
#define DEEPLOY_ROWWISE_H

#include "deeploy/split.h"

// Rows that do not follow each other at one distance: what stands in front of the last dimension.
// Unused dimensions have size 1.
typedef struct {
  uint32_t dim[5];
  int32_t stride[2][5];
} dpl_rowwise_walk;

// Rows of x (operand 0) and y (operand 1), both contiguous; strides lead from one row to the next,
// in elements, and count for nothing if there is a walk. A core takes share[0] of the rows or, if
// that is 0, share[1] of their columns.
typedef struct {
  uint32_t count, columns, share[2];
  int32_t stride[2];
  const dpl_rowwise_walk *walk;
} dpl_rowwise;

// The rows of a core, and the columns of them that it stores.
typedef struct {
  dpl_range rows, columns;
} dpl_rowwise_part;

// What a core takes of the columns, if there are too few rows for all cores, else 0. Then every
// core goes through whole rows for what it must know of them, and stores its part only.
DPL_INLINE uint32_t dpl_rowwise_columns(uint32_t count, uint32_t columns, uint32_t cores) {
  const uint32_t share = dpl_share(columns, 4, cores);
  return count * (columns + share) < 2 * dpl_share(count, 1, cores) * columns ? share : 0;
}

DPL_INLINE uint32_t dpl_rowwise_rows(uint32_t count, uint32_t columns, uint32_t cores) {
  return dpl_rowwise_columns(count, columns, cores) ? 0 : dpl_share(count, 1, cores);
}

DPL_INLINE dpl_rowwise_part dpl_rowwise_split(const dpl_rowwise *rows, uint32_t core) {
  dpl_rowwise_part part = {dpl_part(rows->count, rows->share[0], core),
                           dpl_part(rows->columns, rows->share[1], core)};
  if (part.columns.begin == part.columns.end)
    part.rows.end = part.rows.begin;
  return part;
}

// Where a row of an operand begins.
DPL_INLINE ptrdiff_t dpl_rowwise_offset(const dpl_rowwise *rows, uint32_t operand, uint32_t row) {
  const dpl_rowwise_walk *walk = rows->walk;
  if (!walk)
    return (ptrdiff_t)row * rows->stride[operand];
  ptrdiff_t offset = 0;
  for (uint32_t d = 5; d-- > 0; row /= walk->dim[d])
    offset += (ptrdiff_t)(row % walk->dim[d]) * walk->stride[operand][d];
  return offset;
}

#endif
