// SPDX-License-Identifier: Apache-2.0
//
// How the cores of a cluster divide a loop.
#ifndef DEEPLOY_SPLIT_H
#define DEEPLOY_SPLIT_H

#include "deeploy/requant.h"

typedef struct {
  uint32_t begin, end;
} dpl_range;

// Core `core` of `cores` takes this part of 0..count-1, in whole units of `unit` except at the end.
DPL_INLINE dpl_range dpl_split(uint32_t count, uint32_t unit, uint32_t core, uint32_t cores) {
  uint32_t units = (count + unit - 1) / unit;
  uint32_t each = units / cores, more = units % cores;
  uint32_t begin = (core * each + (core < more ? core : more)) * unit;
  uint32_t end = begin + (each + (core < more ? 1 : 0)) * unit;
  dpl_range range = {begin < count ? begin : count, end < count ? end : count};
  return range;
}

// Units of work of the core that has most.
DPL_INLINE uint32_t dpl_share(uint32_t count, uint32_t unit, uint32_t cores) {
  return ((count + unit - 1) / unit + cores - 1) / cores * unit;
}

// Core `core` takes `share` of 0..count-1, as long as there are any; all of them if `share` is 0:
// then the cores divide another dimension.
DPL_INLINE dpl_range dpl_part(uint32_t count, uint32_t share, uint32_t core) {
  const uint32_t first = core * share, begin = first < count ? first : count;
  dpl_range range = {begin, share && count - begin > share ? begin + share : count};
  return range;
}

// What a core takes of rows or, if that leaves less to the busiest one, of their columns, in parts
// of 16 that suit vectors, or 4 of short rows. Where a number is 0, all take all of that dimension.
DPL_INLINE uint32_t dpl_column_share(uint32_t rows, uint32_t columns, uint32_t cores) {
  const uint32_t share = dpl_share(columns, columns >= 32 * cores ? 16 : 4, cores);
  return share * rows < dpl_share(rows, 1, cores) * columns ? share : 0;
}

DPL_INLINE uint32_t dpl_row_share(uint32_t rows, uint32_t columns, uint32_t cores) {
  return dpl_column_share(rows, columns, cores) ? 0 : dpl_share(rows, 1, cores);
}

#endif
