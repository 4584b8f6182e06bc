// SPDX-License-Identifier: Apache-2.0
//
// What the instances of depthwise2d.inc have in common, inlined into each with its types.
//
// Channels are computed in blocks. For each block the weights are prepared once and then used for
// all pixels; a table of the distances of the taps from the first one leads to the inputs of a
// pixel, and for taps outside the input to zeros.
#ifndef DEEPLOY_KERNELS_DEPTHWISE2D_BODY_H
#define DEEPLOY_KERNELS_DEPTHWISE2D_BODY_H

static const uint8_t dpl_dw_zeros[DPL_DW_CHANNELS] = {0};

DPL_INLINE uintptr_t dpl_dw_tap(const dpl_depthwise2d_args *a, uint32_t ky, uint32_t kx) {
  return (uintptr_t)((intptr_t)(ky * a->dil_h) * a->x_row + (intptr_t)(kx * a->dil_w) * a->x_pix);
}

// The table for windows that are inside the input. One entry more: taps are read in pairs.
static void dpl_dw_table(const dpl_depthwise2d_args *a, uintptr_t *table) {
  uint32_t tap = 0;
  for (uint32_t ky = 0; ky < a->k_h; ky++)
    for (uint32_t kx = 0; kx < a->k_w; kx++)
      table[tap++] = dpl_dw_tap(a, ky, kx);
  table[tap] = table[tap - 1];
}

// The table for a window that is partly outside: `base` is where its first tap would be.
static void dpl_dw_edge_table(const dpl_depthwise2d_args *a, uintptr_t *table,
                              const uintptr_t *inside, dpl_range rows, dpl_range cols,
                              uintptr_t base) {
  const uintptr_t zero = (uintptr_t)dpl_dw_zeros - base;
  uint32_t tap = 0;
  for (uint32_t ky = 0; ky < a->k_h; ky++) {
    int row_inside = ky >= rows.begin && ky < rows.end;
    for (uint32_t kx = 0; kx < a->k_w; kx++, tap++)
      table[tap] = row_inside && kx >= cols.begin && kx < cols.end ? inside[tap] : zero;
  }
  table[tap] = zero;
}

// One block of `width` channels from `channel` on, for the pixels of this core.
DPL_INLINE void dpl_dw_block(const dpl_depthwise2d_args *a, dpl_range pixels, uint32_t channel,
                             uint32_t width, const uintptr_t *inside, dpl_types t) {
  const uint8_t *x = (const uint8_t *)a->x + channel;
  const uint32_t taps = a->k_h * a->k_w;
  uintptr_t edge[DPL_DW_TAPS + 1];
  uint32_t oy = pixels.begin / a->out_w, ox = pixels.begin % a->out_w;
  dpl_dw_weights weights;
  dpl_dw_weights_set(&weights, (const uint8_t *)a->w + channel, taps, a->channels, width);
  for (uint32_t pixel = pixels.begin; pixel < pixels.end; pixel++) {
    int32_t iy = (int32_t)(oy * a->stride_h) - a->pad_top;
    int32_t ix = (int32_t)(ox * a->stride_w) - a->pad_left;
    dpl_range rows = dpl_taps(iy, a->k_h, a->dil_h, a->in_h);
    dpl_range cols = dpl_taps(ix, a->k_w, a->dil_w, a->in_w);
    // Integer arithmetic: the place of a tap outside is no valid pointer.
    uintptr_t base = (uintptr_t)x + (uintptr_t)((intptr_t)iy * a->x_row + (intptr_t)ix * a->x_pix);
    const uintptr_t *table = inside;
    if (rows.end - rows.begin != a->k_h || cols.end - cols.begin != a->k_w) {
      dpl_dw_edge_table(a, edge, inside, rows, cols, base);
      table = edge;
    }
    uint8_t *y = (uint8_t *)a->y +
                 ((ptrdiff_t)oy * a->y_row + (ptrdiff_t)ox * a->y_pix) * (ptrdiff_t)t.y_size;
    dpl_dw_pixel(&weights, base, table, taps, y, channel, width, &a->rq, t);
    if (++ox == a->out_w) {
      ox = 0;
      oy++;
    }
  }
}

// Windows with more taps than the tables hold: one output at a time.
static int32_t dpl_dw_dot(const dpl_depthwise2d_args *a, uint32_t oy, uint32_t ox, uint32_t channel,
                          int x_signed) {
  int32_t iy = (int32_t)(oy * a->stride_h) - a->pad_top;
  int32_t ix = (int32_t)(ox * a->stride_w) - a->pad_left;
  dpl_range rows = dpl_taps(iy, a->k_h, a->dil_h, a->in_h);
  dpl_range cols = dpl_taps(ix, a->k_w, a->dil_w, a->in_w);
  ptrdiff_t origin = (ptrdiff_t)iy * a->x_row + (ptrdiff_t)ix * a->x_pix + channel;
  uint32_t sum = 0;
  for (uint32_t ky = rows.begin; ky < rows.end; ky++) {
    for (uint32_t kx = cols.begin; kx < cols.end; kx++) {
      const uint8_t *x = (const uint8_t *)a->x + (origin + (ptrdiff_t)dpl_dw_tap(a, ky, kx));
      sum += (uint32_t)(dpl_element(x, 0, x_signed) *
                        a->w[(size_t)(ky * a->k_w + kx) * a->channels + channel]);
    }
  }
  return (int32_t)sum;
}

DPL_INLINE void dpl_dw_large(const dpl_depthwise2d_args *a, dpl_range pixels, dpl_range channels,
                             dpl_types t) {
  for (uint32_t pixel = pixels.begin; pixel < pixels.end; pixel++) {
    uint32_t oy = pixel / a->out_w, ox = pixel % a->out_w;
    uint8_t *y = (uint8_t *)a->y +
                 ((ptrdiff_t)oy * a->y_row + (ptrdiff_t)ox * a->y_pix) * (ptrdiff_t)t.y_size;
    for (uint32_t c = channels.begin; c < channels.end; c++)
      dpl_store_one(y, c, dpl_requant_one(&a->rq, dpl_dw_dot(a, oy, ox, c, t.x_signed), c), t);
  }
}

DPL_INLINE void dpl_depthwise2d_run(const dpl_depthwise2d_args *a, uint32_t core, uint32_t cores,
                                    dpl_types t) {
  uint32_t count = a->out_h * a->out_w;
  dpl_range pixels = {0, count}, channels = {0, a->channels};
  if (dpl_share(a->channels, DPL_DW_CHANNELS, cores) * count <
      dpl_share(count, 1, cores) * a->channels)
    channels = dpl_split(a->channels, DPL_DW_CHANNELS, core, cores);
  else
    pixels = dpl_split(count, 1, core, cores);
  if (pixels.begin == pixels.end)
    return;
  if (a->k_h * a->k_w > DPL_DW_TAPS) {
    dpl_dw_large(a, pixels, channels, t);
    return;
  }
  uintptr_t inside[DPL_DW_TAPS + 1];
  dpl_dw_table(a, inside);
  // Whole blocks; the last may repeat channels of the one before, or use a smaller block size.
  const uint32_t total = channels.end - channels.begin;
  for (uint32_t done = 0; done < total;) {
    uint32_t left = total - done;
    if (left > 8 && total >= 16) {
      done = left < 16 ? total - 16 : done;
      dpl_dw_block(a, pixels, channels.begin + done, 16, inside, t);
      done += 16;
    } else if (total >= 8) {
      done = left < 8 ? total - 8 : done;
      dpl_dw_block(a, pixels, channels.begin + done, 8, inside, t);
      done += 8;
    } else {
      dpl_dw_block(a, pixels, channels.begin, total, inside, t);
      done = total;
    }
  }
}

#endif
