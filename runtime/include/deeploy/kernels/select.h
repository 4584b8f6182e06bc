// SPDX-License-Identifier: Apache-2.0
//
// One of two operands, element by element. Template: select.inc.
#ifndef DEEPLOY_KERNELS_SELECT_H
#define DEEPLOY_KERNELS_SELECT_H

#include "deeploy/split.h"

// y = c ? a : b. Strides are in elements, of one byte for c and of 1, 2 or 4 for the others; 0
// broadcasts. `share` is what a core takes of the rows and of the last dimension (dpl_part). y must
// not overlap the others.
#define DPL_SELECT_ARGS(rank)                                                                      \
  struct {                                                                                         \
    const void *c, *a, *b;                                                                         \
    void *y;                                                                                       \
    uint32_t dim[rank], share[2];                                                                  \
    int32_t c_stride[rank], a_stride[rank], b_stride[rank], y_stride[rank];                        \
  }

// Most operands merge into rows of the same length.
typedef DPL_SELECT_ARGS(2) dpl_select_args;
typedef DPL_SELECT_ARGS(6) dpl_select_nd_args;

#endif
