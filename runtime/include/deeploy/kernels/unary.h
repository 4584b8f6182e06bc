// SPDX-License-Identifier: Apache-2.0
//
// Element-wise functions of integers: requantisation, clip, activations, tables. Template:
// unary.inc.
#ifndef DEEPLOY_KERNELS_UNARY_H
#define DEEPLOY_KERNELS_UNARY_H

#include "deeploy/split.h"

// y = store(op(x)), where op has up to three parameters or a table of 256 bytes, and wraps around
// at 32 bits. What storing does is part of the instance: nothing, a scale, a clamp. `mul` and
// `add`, where not NULL, are arrays with strides of their own in the place of the scale's numbers.
// x and y are int8, uint8 or int32. Strides are in elements; 0 broadcasts. `share` is what a core
// takes of the rows and of the last dimension (dpl_part). y may be the same memory as x if types
// and strides are equal.
#define DPL_UNARY_ARGS(rank)                                                                       \
  struct {                                                                                         \
    const void *x;                                                                                 \
    void *y;                                                                                       \
    uint32_t dim[rank], share[2];                                                                  \
    int32_t x_stride[rank], y_stride[rank], mul_stride[rank], add_stride[rank];                    \
    int32_t p[3];                                                                                  \
    const uint8_t *table;                                                                          \
    dpl_factors scale;                                                                             \
    const int32_t *mul, *add;                                                                      \
  }

// Most operands merge into rows of the same length.
typedef DPL_UNARY_ARGS(2) dpl_unary_args;
typedef DPL_UNARY_ARGS(6) dpl_unary_nd_args;

// p: one_over_six, three, six. x * (clamp(x + three, 0, six) * one_over_six)
DPL_INLINE int32_t dpl_int_hardswish(int32_t x, const int32_t *p) {
  int32_t gate = dpl_clamp(dpl_mul_add(x, 1, p[1]), 0, p[2]);
  return (int32_t)((uint32_t)x * ((uint32_t)gate * (uint32_t)p[0]));
}

// p: b, one. With d = min(|x|, -b) + b and l = sign(x) * (one - d^2): x * ((one + l) >> 1)
DPL_INLINE int32_t dpl_int_gelu(int32_t x, const int32_t *p) {
  int32_t size = x < 0 ? (int32_t)(0 - (uint32_t)x) : x, most = (int32_t)(0 - (uint32_t)p[0]);
  uint32_t d = (uint32_t)(size < most ? size : most) + (uint32_t)p[0];
  uint32_t l = (uint32_t)p[1] - d * d;
  l = x < 0 ? 0 - l : x > 0 ? l : 0;
  int32_t gate = (int32_t)((uint32_t)p[1] + l) >> 1;
  return (int32_t)((uint32_t)x * (uint32_t)gate);
}

#endif
