// SPDX-License-Identifier: Apache-2.0
//
// What the instances of conv2d.inc have in common, inlined into each with its types.
#ifndef DEEPLOY_KERNELS_CONV2D_BODY_H
#define DEEPLOY_KERNELS_CONV2D_BODY_H

// What a core computes: pixels (numbered row by row) and channels of one group.
typedef struct {
  dpl_range pixels, channels;
} dpl_conv2d_part;

// Large maps are divided by pixels; small ones by channels, although every core then gathers all
// windows, if that gives the busiest core less to do.
DPL_INLINE dpl_conv2d_part dpl_conv2d_split(const dpl_conv2d_args *a, uint32_t core,
                                            uint32_t cores) {
  uint32_t pixels = a->out_h * a->out_w, channels = a->out_c / a->groups;
  dpl_conv2d_part part = {{0, pixels}, {0, channels}};
  uint32_t by_pixels = dpl_share(pixels, 1, cores) * channels;
  uint32_t by_channels = dpl_share(channels, 4, cores) * pixels;
  if (by_channels + by_channels / 4 < by_pixels)
    part.channels = dpl_split(channels, 4, core, cores);
  else
    part.pixels = dpl_split(pixels, 1, core, cores);
  return part;
}

DPL_INLINE uint8_t *dpl_conv2d_output(const dpl_conv2d_args *a, uint32_t oy, uint32_t ox,
                                      dpl_types t) {
  return (uint8_t *)a->y + ((ptrdiff_t)oy * a->y_row + (ptrdiff_t)ox * a->y_pix) * t.y_size;
}

// One group: `j` has its channels and weights.
DPL_INLINE void dpl_conv2d_group(const dpl_conv2d_args *a, dpl_range pixels, const dpl_rows *j,
                                 dpl_window_source source, uint8_t *scratch, dpl_types t) {
  uint32_t pixel = pixels.begin;
  uint32_t oy = pixel / a->out_w, ox = pixel % a->out_w;
  int panels = source.direct || DPL_PANEL_COPIES || a->scratch_stride >= DPL_PANEL_ROWS * j->k;
  uint32_t panel_end = panels && j->k <= DPL_PANEL_MAX_K ? pixels.end : 0;
  dpl_panel panel;
  while (pixel < pixels.end) {
    uint8_t *y[DPL_PANEL_ROWS];
    uint32_t n = pixel + DPL_PANEL_ROWS <= panel_end ? DPL_PANEL_ROWS : 1;
    for (uint32_t r = 0; r < n; r++) {
      uint8_t *buffer = scratch + (DPL_PANEL_COPIES ? 0 : r) * j->k;
      const uint8_t *x = dpl_window(a, source, oy, ox, buffer);
      y[r] = dpl_conv2d_output(a, oy, ox, t);
      if (n > 1)
        dpl_panel_set(&panel, r, x, j->k, t.x_signed);
      else
        dpl_rows_single(j, x, y[0], t);
      if (++ox == a->out_w) {
        ox = 0;
        oy++;
      }
    }
    if (n > 1)
      dpl_rows_panel(j, &panel, y, t);
    pixel += n;
  }
}

DPL_INLINE void dpl_conv2d_run(const dpl_conv2d_args *a, uint32_t core, uint32_t cores,
                               dpl_types t) {
  dpl_conv2d_part part = dpl_conv2d_split(a, core, cores);
  uint8_t *scratch = a->scratch + (size_t)core * a->scratch_stride;
  uint32_t in_channels = a->in_c / a->groups, out_channels = a->out_c / a->groups;
  dpl_scaler scaler;
  dpl_scaler_set(&scaler, &a->rq);
  uint32_t k = a->k_h * a->k_w * in_channels;
  for (uint32_t g = 0; g < a->groups; g++) {
    dpl_rows rows = {(const uint8_t *)a->w,
                     (int32_t)k,
                     k,
                     g * out_channels + part.channels.begin,
                     g * out_channels + part.channels.end,
                     &scaler};
    dpl_window_source source = {(const uint8_t *)a->x + g * in_channels, in_channels,
                                dpl_windows_direct(a, in_channels)};
    dpl_conv2d_group(a, part.pixels, &rows, source, scratch, t);
  }
}

#endif
