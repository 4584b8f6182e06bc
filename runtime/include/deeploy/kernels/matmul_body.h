// SPDX-License-Identifier: Apache-2.0
//
// What the instances of matmul.inc have in common, inlined into each with its types.
#ifndef DEEPLOY_KERNELS_MATMUL_BODY_H
#define DEEPLOY_KERNELS_MATMUL_BODY_H

// What a core computes. Rows are counted through all products of the batch.
typedef struct {
  dpl_range rows, columns;
} dpl_matmul_part;

DPL_INLINE dpl_matmul_part dpl_matmul_split(const dpl_matmul_args *a, uint32_t core,
                                            uint32_t cores) {
  uint32_t rows = a->batch * a->m, unit = a->b_transposed ? 4 : 8;
  dpl_matmul_part part = {{0, rows}, {0, a->n}};
  if (dpl_share(a->n, unit, cores) * rows < dpl_share(rows, 1, cores) * a->n)
    part.columns = dpl_split(a->n, unit, core, cores);
  else
    part.rows = dpl_split(rows, 1, core, cores);
  return part;
}

// A few rows of one product.
typedef struct {
  const uint8_t *a[4], *b;
  uint8_t *y[4];
  uint32_t count, first;
} dpl_matmul_rows;

DPL_INLINE dpl_matmul_rows dpl_matmul_locate(const dpl_matmul_args *a, uint32_t row, uint32_t count,
                                             dpl_types t) {
  uint32_t batch = row / a->m, first = row % a->m;
  const uint8_t *left = (const uint8_t *)a->a + (ptrdiff_t)batch * a->a_batch;
  uint8_t *y = (uint8_t *)a->y + (ptrdiff_t)batch * a->y_batch * (ptrdiff_t)t.y_size;
  dpl_matmul_rows rows;
  rows.b = (const uint8_t *)a->b + (ptrdiff_t)batch * a->b_batch;
  rows.first = first;
  rows.count = count;
  for (uint32_t r = 0; r < 4; r++) { // rows beyond the count repeat the last one
    ptrdiff_t index = first + (r < count ? r : count - 1);
    rows.a[r] = left + index * a->a_row;
    rows.y[r] = y + index * a->y_row * (ptrdiff_t)t.y_size;
  }
  return rows;
}

// The parameters of one row, for all columns.
DPL_INLINE dpl_requant dpl_matmul_row_requant(const dpl_matmul_args *a, uint32_t row) {
  dpl_requant rq = a->rq;
  if (a->rq_per_row) {
    rq.mul0 = rq.mul ? rq.mul[row] : rq.mul0;
    rq.add0 = rq.add ? rq.add[row] : rq.add0;
    rq.mul = NULL;
    rq.add = NULL;
  }
  return rq;
}

DPL_INLINE int dpl_matmul_by_row(const dpl_matmul_args *a) {
  return a->rq_per_row && (a->rq.mul || a->rq.add);
}

// b [n][k]: dot products of rows. Rows with their own parameters go one by one.
DPL_INLINE void dpl_matmul_dot_rows(const dpl_matmul_args *a, const dpl_matmul_rows *r,
                                    dpl_range columns, dpl_types t) {
  dpl_requant rq = dpl_matmul_row_requant(a, r->first);
  dpl_rows j = {r->b, a->b_row, a->k, columns.begin, columns.end, &rq};
  if (r->count == 1) {
    dpl_rows_single(&j, r->a[0], r->y[0], t);
    return;
  }
  dpl_panel panel;
  for (uint32_t i = 0; i < DPL_PANEL_ROWS; i++)
    dpl_panel_set(&panel, i, r->a[i], a->k, t.x_signed);
  dpl_rows_panel(&j, &panel, r->y, t);
}

DPL_INLINE void dpl_matmul_transposed(const dpl_matmul_args *a, dpl_matmul_part part, dpl_types t) {
  int panels = a->k <= DPL_PANEL_MAX_K && !dpl_matmul_by_row(a);
  for (uint32_t row = part.rows.begin; row < part.rows.end;) {
    uint32_t left = a->m - row % a->m;
    if (left > part.rows.end - row)
      left = part.rows.end - row;
    uint32_t count = panels && left >= DPL_PANEL_ROWS ? DPL_PANEL_ROWS : 1;
    dpl_matmul_rows rows = dpl_matmul_locate(a, row, count, t);
    dpl_matmul_dot_rows(a, &rows, part.columns, t);
    row += count;
  }
}

// b [k][n]: eight columns at a time.
DPL_INLINE void dpl_matmul_columns(const dpl_matmul_args *a, const dpl_matmul_rows *r,
                                   dpl_range columns, dpl_types t) {
  for (uint32_t c = columns.begin; c < columns.end; c += 8) {
    uint32_t width = columns.end - c < 8 ? columns.end - c : 8;
    if (width < 8 && columns.end - columns.begin >= 8) { // again some columns of the last step
      c = columns.end - 8;
      width = 8;
    }
    int32_t acc[4][8];
    dpl_outer_dot(acc, r->a, r->count, r->b + c, a->b_row, a->k, width, t);
    for (uint32_t i = 0; i < r->count; i++) {
      dpl_requant rq = dpl_matmul_row_requant(a, r->first + i);
      dpl_eight_store(acc[i], r->y[i], c, width, &rq, t);
    }
  }
}

DPL_INLINE void dpl_matmul_plain(const dpl_matmul_args *a, dpl_matmul_part part, dpl_types t) {
  for (uint32_t row = part.rows.begin; row < part.rows.end;) {
    uint32_t left = a->m - row % a->m;
    if (left > part.rows.end - row)
      left = part.rows.end - row;
    uint32_t count = left < 4 ? left : 4;
    dpl_matmul_rows rows = dpl_matmul_locate(a, row, count, t);
    dpl_matmul_columns(a, &rows, part.columns, t);
    row += count;
  }
}

DPL_INLINE void dpl_matmul_run(const dpl_matmul_args *a, uint32_t core, uint32_t cores,
                               dpl_types t) {
  dpl_matmul_part part = dpl_matmul_split(a, core, cores);
  if (a->b_transposed)
    dpl_matmul_transposed(a, part, t);
  else
    dpl_matmul_plain(a, part, t);
}

#endif
