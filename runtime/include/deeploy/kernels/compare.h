// SPDX-License-Identifier: Apache-2.0
//
// Comparison of two operands, element by element. Template: compare.inc.
#ifndef DEEPLOY_KERNELS_COMPARE_H
#define DEEPLOY_KERNELS_COMPARE_H

#include "deeploy/split.h"

// y = a op b, as bytes 0 and 1. a and b are two of int8, uint8 and int32, or floats. Strides are in
// elements; 0 broadcasts. `share` is what a core takes of the rows and of the last dimension
// (dpl_part). y must not overlap a or b.
#define DPL_COMPARE_ARGS(rank)                                                                     \
  struct {                                                                                         \
    const void *a, *b;                                                                             \
    uint8_t *y;                                                                                    \
    uint32_t dim[rank], share[2];                                                                  \
    int32_t a_stride[rank], b_stride[rank], y_stride[rank];                                        \
  }

// Most operands merge into rows of the same length.
typedef DPL_COMPARE_ARGS(2) dpl_compare_args;
typedef DPL_COMPARE_ARGS(6) dpl_compare_nd_args;

#endif
