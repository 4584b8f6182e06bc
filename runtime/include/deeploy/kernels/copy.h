// SPDX-License-Identifier: Apache-2.0
//
// Copy between strided arrays: transposes, slices, concatenations. Template: copy.inc.
#ifndef DEEPLOY_KERNELS_COPY_H
#define DEEPLOY_KERNELS_COPY_H

#include "deeploy/split.h"

// Strides are in elements of 1, 2 or 4 bytes and may be negative or, for x, 0. `share` is what a
// core takes of the rows and of the last dimension (dpl_part). y must not overlap x. Elements need
// not be aligned: they may be several smaller ones.
#define DPL_COPY_ARGS(rank)                                                                        \
  struct {                                                                                         \
    const void *x;                                                                                 \
    void *y;                                                                                       \
    uint32_t dim[rank], share[2];                                                                  \
    int32_t x_stride[rank], y_stride[rank];                                                        \
  }

// Most operands merge into rows of the same length.
typedef DPL_COPY_ARGS(2) dpl_copy_args;
typedef DPL_COPY_ARGS(6) dpl_copy_nd_args;

#endif
