// SPDX-License-Identifier: Apache-2.0
//
// Integer softmax with a polynomial for the exponential. Template: int_softmax.inc.
#ifndef DEEPLOY_KERNELS_INT_SOFTMAX_H
#define DEEPLOY_KERNELS_INT_SOFTMAX_H

#include "deeploy/rowwise.h"

// With d = max - x, z = min(d / log2, 31) and p = z * log2 - d: y = e * 255 / sum(e) for
// e = (a * (p + b)^2 + c) >> z; divisions round down. e >= 0, and > 0 for d = 0; log2 > 0.
//
// Terms are multiplied with 255 * scale, such that they and scale * sum(e) are less than 2^31; the
// larger they are, the more rows do without a division for each element. If table is not NULL,
// table[d] is 255 * scale * e, for d of 0 to 255.
//
// x is int8 or uint8, y int8, uint8 or int32. If mapping is not NULL, results are mapping[y], which
// has 256 elements of their type. They are requantised if has_rq; the channels of rq are columns.
// y must not overlap x.
//
// If reach is not 0, terms at this distance or more have the quotient 0, and where cores have whole
// rows, results of a row are looked up by distance, at most 255, once those of the first `reach`
// are known. Only for bytes and without factors of columns.
//
// Instances with DPL_COLUMNS are for rows of this length, whose terms are kept in registers. The
// cores divide rows.
typedef struct {
  const void *x;
  void *y;
  dpl_rowwise rows;
  const uint32_t *table;
  const void *mapping;
  int32_t a, b, c;
  uint32_t log2, scale;
  dpl_requant rq;
  uint32_t has_rq, reach;
} dpl_int_softmax_args;

#endif
