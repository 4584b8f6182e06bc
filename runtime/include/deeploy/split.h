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

#endif
