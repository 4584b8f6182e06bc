// SPDX-License-Identifier: Apache-2.0
//
// Element-wise operation on two operands. Template: binary.inc.
#ifndef DEEPLOY_KERNELS_BINARY_H
#define DEEPLOY_KERNELS_BINARY_H

#include "deeploy/requant.h"

// y = ry(op(ra(a), rb(b))), where each requantisation is left out if its flag is 0 and op wraps
// around at 32 bits. a, b and y are int8, uint8 or int32. Strides are in elements; 0 broadcasts.
// Unused dimensions have size 1. ra and rb use mul0 and add0 only (mul and add must be NULL); the
// channels of ry are the last dimension. Without ry the low bits are stored. y may be the same
// memory as a or b if types and strides are equal.
typedef struct {
  const void *a, *b;
  void *y;
  uint32_t dim[6];
  int32_t a_stride[6], b_stride[6], y_stride[6];
  dpl_requant ra, rb, ry;
  uint32_t has_ra, has_rb, has_ry;
} dpl_binary_args;

// Quotient with `delta` steps to the unit, rounded to the nearest: with d = eta * b + eps > 0 and n
// = delta * eta * a, (n + sign(n) * (d >> 1)) / d in 64 bits, truncating. For use as DPL_OP.
DPL_INLINE uint32_t dpl_int_div(int32_t a, int32_t b, int64_t delta, int64_t eta, int64_t eps) {
  int64_t divisor = eta * b + eps, dividend = delta * eta * a;
  int64_t half = divisor >> 1;
  return (uint32_t)((dividend + (dividend < 0 ? -half : half)) / divisor);
}

#endif
