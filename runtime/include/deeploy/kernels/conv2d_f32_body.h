// SPDX-License-Identifier: Apache-2.0
//
// What conv2d_f32.inc is made of.
#ifndef DEEPLOY_KERNELS_CONV2D_F32_BODY_H
#define DEEPLOY_KERNELS_CONV2D_F32_BODY_H

#include "deeploy/simd_f32.h"
#include "deeploy/window.h"

// What a core computes: pixels (numbered row by row) and channels of one group.
typedef struct {
  dpl_range pixels, channels;
} dpl_conv2d_f32_part;

DPL_INLINE dpl_conv2d_f32_part dpl_conv2d_f32_split(const dpl_conv2d_f32_args *a, uint32_t core,
                                                    uint32_t cores) {
  uint32_t pixels = a->out_h * a->out_w, channels = a->out_c / a->groups;
  dpl_conv2d_f32_part part = {{0, pixels}, {0, channels}};
  if (dpl_share(channels, 4, cores) * pixels < dpl_share(pixels, 1, cores) * channels)
    part.channels = dpl_split(channels, 4, core, cores);
  else
    part.pixels = dpl_split(pixels, 1, core, cores);
  return part;
}

// Adds the products of the taps to one output pixel, or two side by side that have the same taps.
// Taps of a row of the window are a single vector where pixels and weights are dense.
static void dpl_conv2d_f32_taps(const dpl_conv2d_f32_args *a, dpl_f32_job *job, ptrdiff_t origin,
                                dpl_range rows, dpl_range cols) {
  const uint32_t depth = a->in_c / a->groups;
  const int dense = a->groups == 1 && a->dil_w == 1 && a->x_pix == (int32_t)a->in_c;
  const float *x = job->a[0], *w = job->b;
  const uint32_t step = dense && cols.end > cols.begin ? cols.end - cols.begin : 1;
  job->k = depth * step;
  for (uint32_t ky = rows.begin; ky < rows.end; ky++) {
    for (uint32_t kx = cols.begin; kx < cols.end; kx += step) {
      ptrdiff_t at = origin + (ptrdiff_t)(ky * a->dil_h) * a->x_row;
      job->a[0] = x + at + (ptrdiff_t)(kx * a->dil_w) * a->x_pix;
      job->a[1] = job->a[0] + (ptrdiff_t)a->stride_w * a->x_pix;
      job->b = w + (size_t)(ky * a->k_w + kx) * depth;
      dpl_f32_dots(job);
    }
  }
  job->a[0] = x;
  job->b = w;
}

// One group: `job` has its channels, weights and input.
DPL_INLINE void dpl_conv2d_f32_group(const dpl_conv2d_f32_args *a, dpl_range pixels,
                                     dpl_f32_job *job) {
  for (uint32_t pixel = pixels.begin; pixel < pixels.end; pixel += job->rows) {
    const uint32_t oy = pixel / a->out_w, ox = pixel % a->out_w;
    const int32_t iy = (int32_t)(oy * a->stride_h) - a->pad_top;
    const int32_t ix = (int32_t)(ox * a->stride_w) - a->pad_left;
    const dpl_range rows = dpl_taps(iy, a->k_h, a->dil_h, a->in_h);
    const dpl_range cols = dpl_taps(ix, a->k_w, a->dil_w, a->in_w);
    const dpl_range next = dpl_taps(ix + (int32_t)a->stride_w, a->k_w, a->dil_w, a->in_w);
    const int both = pixel + 1 < pixels.end && ox + 1 < a->out_w && cols.begin == next.begin &&
                     cols.end == next.end;
    job->rows = both ? 2 : 1;
    job->y[0] = (float *)a->y + (ptrdiff_t)oy * a->y_row + (ptrdiff_t)ox * a->y_pix;
    job->y[1] = job->y[0] + a->y_pix;
    for (uint32_t r = 0; r < job->rows; r++)
      for (uint32_t c = job->first; c < job->last; c++)
        job->y[r][c] = a->add ? a->add[c] : 0.0f;
    dpl_conv2d_f32_taps(a, job, (ptrdiff_t)iy * a->x_row + (ptrdiff_t)ix * a->x_pix, rows, cols);
  }
}

#endif
