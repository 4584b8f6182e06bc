// SPDX-License-Identifier: Apache-2.0
//
// Geometry that max_pool2d.inc and avg_pool2d.inc share.
#ifndef DEEPLOY_KERNELS_POOL2D_BODY_H
#define DEEPLOY_KERNELS_POOL2D_BODY_H

#include "deeploy/window.h"

typedef struct {
  dpl_range pixels, channels;
} dpl_pool2d_part;

// Few pixels (a global pool has one) are divided by channels.
DPL_INLINE dpl_pool2d_part dpl_pool2d_split(const dpl_pool2d_args *a, uint32_t core,
                                            uint32_t cores) {
  uint32_t pixels = a->out_h * a->out_w;
  dpl_pool2d_part part = {{0, pixels}, {0, a->channels}};
  if (dpl_share(a->channels, 16, cores) * pixels < dpl_share(pixels, 1, cores) * a->channels)
    part.channels = dpl_split(a->channels, 16, core, cores);
  else
    part.pixels = dpl_split(pixels, 1, core, cores);
  return part;
}

// The taps of one output inside the input, and the offset of tap (0, 0) in elements.
typedef struct {
  dpl_range rows, cols;
  ptrdiff_t origin;
} dpl_pool2d_window;

DPL_INLINE dpl_pool2d_window dpl_pool2d_locate(const dpl_pool2d_args *a, uint32_t oy, uint32_t ox) {
  int32_t iy = (int32_t)(oy * a->stride_h) - a->pad_top;
  int32_t ix = (int32_t)(ox * a->stride_w) - a->pad_left;
  dpl_pool2d_window w = {dpl_taps(iy, a->k_h, a->dil_h, a->in_h),
                         dpl_taps(ix, a->k_w, a->dil_w, a->in_w),
                         (ptrdiff_t)iy * a->x_row + (ptrdiff_t)ix * a->x_pix};
  return w;
}

DPL_INLINE ptrdiff_t dpl_pool2d_tap(const dpl_pool2d_args *a, const dpl_pool2d_window *w,
                                    uint32_t ky, uint32_t kx) {
  return w->origin + (ptrdiff_t)(ky * a->dil_h) * a->x_row + (ptrdiff_t)(kx * a->dil_w) * a->x_pix;
}

#endif
