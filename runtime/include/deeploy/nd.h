// SPDX-License-Identifier: Apache-2.0
//
// Walks over operands of up to six dimensions, row by row of the innermost one.
#ifndef DEEPLOY_ND_H
#define DEEPLOY_ND_H

#include "deeploy/split.h"

#define DPL_ND_DIMS 6
#define DPL_ND_OPERANDS 4

// Once in a file, not once in a kernel: inlined, it keeps a product for each dimension and operand
// ready, which takes longer than most rows.
#define DPL_ND_FUNCTION static __attribute__((noinline, unused))

// Operand o has element (i0 .. i5) at the sum of i * stride[o][.], in elements. Offsets are of the
// current row; kernels add the innermost dimension themselves.
typedef struct {
  uint32_t dim[DPL_ND_DIMS], index[DPL_ND_DIMS];
  int32_t stride[DPL_ND_OPERANDS][DPL_ND_DIMS];
  ptrdiff_t offset[DPL_ND_OPERANDS];
  dpl_range rows, inner; // this core's part
} dpl_nd;

// Operands that are not set have stride 0.
DPL_INLINE void dpl_nd_set(dpl_nd *nd, uint32_t operand, const int32_t *stride) {
  for (uint32_t d = 0; d < DPL_ND_DIMS; d++)
    nd->stride[operand][d] = stride ? stride[d] : 0;
}

// Extents and the strides of up to four operands; NULL for those that are missing.
DPL_INLINE void dpl_nd_begin(dpl_nd *nd, const uint32_t *dim, const int32_t *stride0,
                             const int32_t *stride1, const int32_t *stride2,
                             const int32_t *stride3) {
  for (uint32_t d = 0; d < DPL_ND_DIMS; d++)
    nd->dim[d] = dim[d];
  dpl_nd_set(nd, 0, stride0);
  dpl_nd_set(nd, 1, stride1);
  dpl_nd_set(nd, 2, stride2);
  dpl_nd_set(nd, 3, stride3);
}

// Offsets of the row with the given number.
DPL_ND_FUNCTION void dpl_nd_seek(dpl_nd *nd, uint32_t row) {
  for (uint32_t o = 0; o < DPL_ND_OPERANDS; o++)
    nd->offset[o] = 0;
  for (uint32_t d = 0; d < DPL_ND_DIMS; d++)
    nd->index[d] = 0;
  for (uint32_t d = DPL_ND_DIMS - 1; row > 0 && d-- > 0;) {
    nd->index[d] = row % nd->dim[d];
    row /= nd->dim[d];
    for (uint32_t o = 0; o < DPL_ND_OPERANDS; o++)
      nd->offset[o] += (ptrdiff_t)nd->index[d] * nd->stride[o][d];
  }
}

// On to the next row.
DPL_ND_FUNCTION void dpl_nd_next(dpl_nd *nd) {
  for (uint32_t d = DPL_ND_DIMS - 1; d-- > 0;) {
    if (nd->dim[d] == 1)
      continue;
    int wraps = ++nd->index[d] == nd->dim[d];
    for (uint32_t o = 0; o < DPL_ND_OPERANDS; o++) {
      nd->offset[o] += nd->stride[o][d];
      if (wraps)
        nd->offset[o] -= (ptrdiff_t)nd->dim[d] * nd->stride[o][d];
    }
    if (!wraps)
      return;
    nd->index[d] = 0;
  }
}

DPL_INLINE uint32_t dpl_nd_rows(const dpl_nd *nd) {
  uint32_t rows = 1;
  for (uint32_t d = 0; d < DPL_ND_DIMS - 1; d++)
    rows *= nd->dim[d];
  return rows;
}

// This core's part: `share` holds what a core takes of the rows and of the innermost dimension.
DPL_ND_FUNCTION void dpl_nd_take(dpl_nd *nd, const uint32_t *share, uint32_t core) {
  nd->rows = dpl_part(dpl_nd_rows(nd), share[0], core);
  nd->inner = dpl_part(nd->dim[DPL_ND_DIMS - 1], share[1], core);
  dpl_nd_seek(nd, nd->rows.begin);
}

// The same where the shares are not known before.
DPL_ND_FUNCTION void dpl_nd_split(dpl_nd *nd, uint32_t core, uint32_t cores) {
  const uint32_t rows = dpl_nd_rows(nd), inner = nd->dim[DPL_ND_DIMS - 1];
  const uint32_t share[2] = {dpl_row_share(rows, inner, cores),
                             dpl_column_share(rows, inner, cores)};
  dpl_nd_take(nd, share, core);
}

#endif
