// SPDX-License-Identifier: Apache-2.0
//
// Element-wise operation on two operands of floats. Template: binary_f32.inc.
#ifndef DEEPLOY_KERNELS_BINARY_F32_H
#define DEEPLOY_KERNELS_BINARY_F32_H

#include "deeploy/split.h"

// y = op(a, b). Strides are in elements; 0 broadcasts. `share` is what a core takes of the rows and
// of the last dimension (dpl_part). y may be the same memory as a or b if the strides are equal.
#define DPL_BINARY_F32_ARGS(rank)                                                                  \
  struct {                                                                                         \
    const void *a, *b;                                                                             \
    void *y;                                                                                       \
    uint32_t dim[rank], share[2];                                                                  \
    int32_t a_stride[rank], b_stride[rank], y_stride[rank];                                        \
  }

// Most operands merge into rows of the same length.
typedef DPL_BINARY_F32_ARGS(2) dpl_binary_f32_args;
typedef DPL_BINARY_F32_ARGS(6) dpl_binary_f32_nd_args;

#endif
