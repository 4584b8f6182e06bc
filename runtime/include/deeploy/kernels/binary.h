// SPDX-License-Identifier: Apache-2.0
//
// Element-wise operation on two operands. Template: binary.inc.
#ifndef DEEPLOY_KERNELS_BINARY_H
#define DEEPLOY_KERNELS_BINARY_H

#include "deeploy/split.h"

// y = store(op(read_a(a), read_b(b))), where op wraps around at 32 bits. What reading and storing
// do is part of the instance: nothing, a scale, a clamp. a, b and y are int8, uint8 or int32.
// Strides are in elements; 0 broadcasts. `share` is what a core takes of the rows and of the last
// dimension (dpl_part). `mul` and `add` hold a number for each element of the last dimension. y may
// be the same memory as a or b if types and strides are equal.
#define DPL_BINARY_ARGS(rank)                                                                      \
  struct {                                                                                         \
    const void *a, *b;                                                                             \
    void *y;                                                                                       \
    uint32_t dim[rank], share[2];                                                                  \
    int32_t a_stride[rank], b_stride[rank], y_stride[rank];                                        \
    dpl_factors a_scale, b_scale, scale;                                                           \
    const int32_t *mul, *add;                                                                      \
  }

// Most operands merge into rows of the same length.
typedef DPL_BINARY_ARGS(2) dpl_binary_args;
typedef DPL_BINARY_ARGS(6) dpl_binary_nd_args;

// Quotient with `delta` steps to the unit, rounded to the nearest: with d = eta * b + eps > 0 and n
// = delta * eta * a, (n + sign(n) * (d >> 1)) / d in 64 bits, truncating. For use as DPL_OP.
DPL_INLINE uint32_t dpl_int_div(int32_t a, int32_t b, int64_t delta, int64_t eta, int64_t eps) {
  int64_t divisor = eta * b + eps, dividend = delta * eta * a;
  int64_t half = divisor >> 1;
  return (uint32_t)((dividend + (dividend < 0 ? -half : half)) / divisor);
}

#endif
