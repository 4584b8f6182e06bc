// SPDX-License-Identifier: Apache-2.0
//
// Integer softmax to the base two. Template: ita_max.inc.
#ifndef DEEPLOY_KERNELS_ITA_MAX_H
#define DEEPLOY_KERNELS_ITA_MAX_H

#include "deeploy/rowwise.h"

// With k(d) = (d + 16) >> 5: y = ((levels - 1) * 256 / s) >> k(max - x) for s = sum(256 >> k(max -
// x)), which is summed in groups of `group` columns (the last may be smaller) with the maximum so
// far; where a group raises that by d, the sum is shifted by k(d) first. One group gives ITAMax.
// levels <= 2^23. All else is as in int_softmax.h.
typedef struct {
  const void *x;
  void *y;
  dpl_rowwise rows;
  uint32_t group, levels;
  dpl_requant rq;
  uint32_t has_rq;
} dpl_ita_max_args;

#endif
