// SPDX-License-Identifier: Apache-2.0
//
// The terms of int_softmax.inc.
#ifndef DEEPLOY_KERNELS_INT_SOFTMAX_BODY_H
#define DEEPLOY_KERNELS_INT_SOFTMAX_BODY_H

#include "deeploy/division.h"

// The number of which 255 times is 1, modulo 2^32.
#define DPL_INVERSE_OF_255 0xFEFEFEFFu

#define DPL_DISTANCES 256 // between bytes

typedef struct {
  const uint32_t *table;
  int32_t a, b, c;
  uint32_t log2, inverse, factor;
} dpl_exponential;

// Distances are at most 255: the quotient by log2 is exact as a multiplication and shift by 16, and
// 0 if log2 is larger.
DPL_INLINE dpl_exponential dpl_exponential_of(const dpl_int_softmax_args *args) {
  uint32_t log2 = args->log2 < 256 ? args->log2 : 256;
  uint32_t inverse = args->table ? 0 : (65535 + log2) / log2;
  dpl_exponential e = {args->table, args->a, args->b, args->c, log2, inverse, 255 * args->scale};
  return e;
}

// The term at a distance from the maximum, times 255 * scale; `tabulated` is constant.
DPL_INLINE uint32_t dpl_exponential_at(dpl_exponential e, uint32_t distance, int tabulated) {
  if (tabulated)
    return e.table[distance];
  uint32_t z = distance * e.inverse >> 16;
  z = z < 31 ? z : 31;
  uint32_t base = z * e.log2 - distance + (uint32_t)e.b;
  return (((uint32_t)e.a * base * base + (uint32_t)e.c) >> z) * e.factor;
}

#endif
