// SPDX-License-Identifier: Apache-2.0
//
// Functions of one operand, element by element: functions of floats, and conversions between types.
// Template: map.inc.
#ifndef DEEPLOY_KERNELS_MAP_H
#define DEEPLOY_KERNELS_MAP_H

#include "deeploy/math.h"
#include "deeploy/split.h"

// y = op(x), with parameters alpha and beta, or lo and hi, as op needs them. x and y are float,
// int8, uint8 or int32. Strides are in elements; 0 broadcasts. `share` is what a core takes of the
// rows and of the last dimension (dpl_part). y may be the same memory as x if types and strides are
// equal.
#define DPL_MAP_ARGS(rank)                                                                         \
  struct {                                                                                         \
    const void *x;                                                                                 \
    void *y;                                                                                       \
    uint32_t dim[rank], share[2];                                                                  \
    int32_t x_stride[rank], y_stride[rank];                                                        \
    float alpha, beta;                                                                             \
    int32_t lo, hi;                                                                                \
  }

// Most operands merge into rows of the same length.
typedef DPL_MAP_ARGS(2) dpl_map_args;
typedef DPL_MAP_ARGS(6) dpl_map_nd_args;

// clamp(round(x * scale + zero_point)), halves away from zero. NaN counts as 0.
DPL_INLINE int32_t dpl_quantize(float x, float scale, float zero_point, int32_t lo, int32_t hi) {
  float v = x * scale;
  v = (v == v ? v : 0.0f) + zero_point;
  float t = dpl_trunc(v);
  if (dpl_abs(v - t) >= 0.5f) // adding 0.5 to the largest number below it would give 1
    t += dpl_copysign(1.0f, v);
  return dpl_clamp(dpl_float_to_int(t), lo, hi);
}

// clamp(round(x * scale) + zero_point) for an integer zero_point, halves to even. NaN counts as 0.
DPL_INLINE int32_t dpl_quantize_even(float x, float scale, float zero_point, int32_t lo,
                                     int32_t hi) {
  float t = dpl_round(x * scale);
  return dpl_clamp(dpl_float_to_int((t == t ? t : 0.0f) + zero_point), lo, hi);
}

#endif
