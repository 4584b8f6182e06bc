// SPDX-License-Identifier: Apache-2.0
//
// Geometry of sliding windows: which taps of a window are inside the input.
#ifndef DEEPLOY_WINDOW_H
#define DEEPLOY_WINDOW_H

#include "deeploy/split.h"

// Taps t of 0..taps-1 with 0 <= origin + t * dilation < size; begin == end when there are none.
DPL_INLINE dpl_range dpl_taps(int32_t origin, uint32_t taps, uint32_t dilation, uint32_t size) {
  dpl_range range = {0, taps};
  int32_t last = origin + (int32_t)((taps - 1) * dilation);
  if (origin >= 0 && last < (int32_t)size)
    return range;
  while (range.begin < taps && origin + (int32_t)(range.begin * dilation) < 0)
    range.begin++;
  while (range.end > range.begin && origin + (int32_t)((range.end - 1) * dilation) >= (int32_t)size)
    range.end--;
  return range;
}

#endif
