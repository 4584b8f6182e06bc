// SPDX-License-Identifier: Apache-2.0
//
// Integer activations, element by element, with requantisation. Template: int_map.inc.
#ifndef DEEPLOY_KERNELS_INT_MAP_H
#define DEEPLOY_KERNELS_INT_MAP_H

#include "deeploy/requant.h"

// y = requant(op(x)), requantised if has_rq; op has up to three parameters and wraps around at 32
// bits. x and y are int8, uint8 or int32. Strides are in elements. Unused dimensions have size 1.
// The channels of rq are the last dimension. Without rq the low bits are stored. y may be the same
// memory as x if types and strides are equal.
typedef struct {
  const void *x;
  void *y;
  uint32_t dim[6];
  int32_t x_stride[6], y_stride[6];
  int32_t p[3];
  dpl_requant rq;
  uint32_t has_rq;
} dpl_int_map_args;

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
