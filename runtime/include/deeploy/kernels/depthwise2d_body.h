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
  const uint32_t taps = a->k_h * a->k_w;
  for (uint32_t tap = 0; tap <= taps; tap++)
    table[tap] = zero;
  for (uint32_t ky = rows.begin; ky < rows.end; ky++)
    for (uint32_t tap = ky * a->k_w + cols.begin; tap < ky * a->k_w + cols.end; tap++)
      table[tap] = inside[tap];
}

// Outputs of a row whose windows are inside the input from left to right.
static dpl_range dpl_dw_inner_columns(const dpl_depthwise2d_args *a) {
  int32_t room = (int32_t)a->in_w - 1 - (int32_t)((a->k_w - 1) * a->dil_w) + a->pad_left;
  int32_t stride = (int32_t)a->stride_w;
  int32_t begin = a->pad_left <= 0 ? 0 : (a->pad_left + stride - 1) / stride;
  int32_t end = room < 0 ? 0 : room / stride + 1;
  end = end < (int32_t)a->out_w ? end : (int32_t)a->out_w;
  dpl_range range = {(uint32_t)begin, (uint32_t)(end < begin ? begin : end)};
  return range;
}

// A block of channels of a whole kernel call.
typedef struct {
  const dpl_depthwise2d_args *a;
  const uintptr_t *inside; // table of windows inside the input
  dpl_range inner;         // see dpl_dw_inner_columns
  uint32_t channel, taps;
  dpl_dw_block block;
} dpl_dw_job;

// Outputs columns.begin..columns.end-1 of row oy.
DPL_INLINE void dpl_dw_row(const dpl_dw_job *j, uint32_t oy, dpl_range columns, uint32_t width,
                           dpl_types t) {
  const dpl_depthwise2d_args *a = j->a;
  const int32_t iy = (int32_t)(oy * a->stride_h) - a->pad_top;
  const intptr_t pixel = (intptr_t)a->stride_w * a->x_pix;
  const ptrdiff_t y_step = (ptrdiff_t)a->y_pix * (ptrdiff_t)t.y_size;
  const dpl_range rows = dpl_taps(iy, a->k_h, a->dil_h, a->in_h);
  const int rows_inside = rows.end - rows.begin == a->k_h;
  // Integer arithmetic: the place of a tap outside is no valid pointer.
  uintptr_t base = (uintptr_t)a->x + (uintptr_t)((intptr_t)iy * a->x_row) + j->channel;
  base += (uintptr_t)((intptr_t)columns.begin * pixel - (intptr_t)a->pad_left * a->x_pix);
  uint8_t *y = (uint8_t *)a->y + (ptrdiff_t)oy * a->y_row * (ptrdiff_t)t.y_size;
  y += (ptrdiff_t)columns.begin * y_step;
  uintptr_t edge[DPL_DW_TAPS + 1];
  for (uint32_t ox = columns.begin; ox < columns.end; ox++) {
    const uintptr_t *table = j->inside;
    if (!rows_inside || ox < j->inner.begin || ox >= j->inner.end) {
      int32_t ix = (int32_t)(ox * a->stride_w) - a->pad_left;
      dpl_dw_edge_table(a, edge, j->inside, rows, dpl_taps(ix, a->k_w, a->dil_w, a->in_w), base);
      table = edge;
    }
    dpl_dw_pixel(&j->block, base, table, j->taps, y, j->channel, width, t);
    base += (uintptr_t)pixel;
    y += y_step;
  }
}

// One block of `width` channels from `channel` on, for the pixels of this core.
DPL_INLINE void dpl_dw_channels(dpl_dw_job *j, dpl_range pixels, uint32_t channel, uint32_t width,
                                const dpl_scaler *scaler, dpl_types t) {
  const dpl_depthwise2d_args *a = j->a;
  j->channel = channel;
  dpl_dw_block_set(&j->block, (const uint8_t *)a->w + channel, j->taps, a->w_tap, channel, width,
                   scaler);
  for (uint32_t pixel = pixels.begin; pixel < pixels.end;) {
    uint32_t oy = pixel / a->out_w, ox = pixel - oy * a->out_w, left = pixels.end - pixel;
    dpl_range columns = {ox, left < a->out_w - ox ? ox + left : a->out_w};
    dpl_dw_row(j, oy, columns, width, t);
    pixel += columns.end - columns.begin;
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
                        a->w[(size_t)(ky * a->k_w + kx) * a->w_tap + channel]);
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

// Whole blocks; the last one may repeat channels of the one before, or be smaller.
DPL_INLINE void dpl_dw_small(const dpl_depthwise2d_args *a, dpl_range pixels, dpl_range channels,
                             dpl_types t) {
  uintptr_t inside[DPL_DW_TAPS + 1];
  dpl_scaler scaler;
  dpl_dw_job job;
  job.a = a;
  job.taps = a->k_h * a->k_w;
  job.inside = inside;
  job.inner = dpl_dw_inner_columns(a);
  dpl_dw_table(a, inside);
  dpl_scaler_set(&scaler, &a->rq);
  const uint32_t total = channels.end - channels.begin;
  for (uint32_t done = 0; done < total;) {
    uint32_t left = total - done;
    if (left > 8 && total >= 16) {
      done = left < 16 ? total - 16 : done;
      dpl_dw_channels(&job, pixels, channels.begin + done, 16, &scaler, t);
      done += 16;
    } else if (total >= 8) {
      done = left < 8 ? total - 8 : done;
      dpl_dw_channels(&job, pixels, channels.begin + done, 8, &scaler, t);
      done += 8;
    } else {
      dpl_dw_channels(&job, pixels, channels.begin, total, &scaler, t);
      done = total;
    }
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
  if (a->k_h * a->k_w > DPL_DW_TAPS)
    dpl_dw_large(a, pixels, channels, t);
  else
    dpl_dw_small(a, pixels, channels, t);
}

#endif
