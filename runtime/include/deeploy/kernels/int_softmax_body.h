// SPDX-License-Identifier: Apache-2.0
//
// The terms of int_softmax.inc.
#ifndef DEEPLOY_KERNELS_INT_SOFTMAX_BODY_H
#define DEEPLOY_KERNELS_INT_SOFTMAX_BODY_H

#include "deeploy/rowwise.h"

typedef struct {
  int32_t a, b, c;
  uint32_t log2, inverse;
} dpl_polynomial;

// Distances are at most 255: the quotient by log2 is exact as a multiplication and shift by 16, and
// 0 if log2 is larger.
DPL_INLINE dpl_polynomial dpl_polynomial_of(const dpl_int_softmax_args *args) {
  uint32_t log2 = args->log2 < 256 ? args->log2 : 256;
  dpl_polynomial p = {args->a, args->b, args->c, log2, (65535 + log2) / log2};
  return p;
}

// The term at a distance from the maximum.
DPL_INLINE uint32_t dpl_polynomial_at(dpl_polynomial p, uint32_t distance) {
  uint32_t z = distance * p.inverse >> 16;
  z = z < 31 ? z : 31;
  uint32_t base = z * p.log2 - distance + (uint32_t)p.b;
  return ((uint32_t)p.a * base * base + (uint32_t)p.c) >> z;
}

#endif
