// SPDX-License-Identifier: Apache-2.0
//
// What the instances of matmul.inc have in common, inlined into each with its types.
#ifndef DEEPLOY_KERNELS_MATMUL_BODY_H
#define DEEPLOY_KERNELS_MATMUL_BODY_H

// What a core computes. Rows are counted through all products of the batch.
typedef struct {
  dpl_range rows, columns;
} dpl_matmul_part;

// Whether rows have parameters of their own.
DPL_INLINE int dpl_matmul_by_row(const dpl_matmul_args *a) {
  return a->rq_per_row && (a->rq.mul || a->rq.add);
}

// Whether products have so few terms that four columns of the right side stay in registers.
DPL_INLINE int dpl_matmul_is_short(const dpl_matmul_args *a) {
  return a->k <= DPL_HELD_K && !dpl_matmul_by_row(a);
}

DPL_INLINE dpl_matmul_part dpl_matmul_split(const dpl_matmul_args *a, uint32_t core,
                                            uint32_t cores) {
  uint32_t rows = a->batch * a->m, unit = a->b_transposed || dpl_matmul_is_short(a) ? 4 : 8;
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

// The parameters of one row, for all its columns.
DPL_INLINE dpl_requant dpl_matmul_row_requant(const dpl_matmul_args *a, uint32_t row) {
  dpl_requant rq = a->rq;
  rq.mul0 = rq.mul ? rq.mul[row] : rq.mul0;
  rq.add0 = rq.add ? rq.add[row] : rq.add0;
  rq.mul = NULL;
  rq.add = NULL;
  return rq;
}

// b [n][k]: dot products of rows.
DPL_INLINE void dpl_matmul_dot(const dpl_matmul_args *a, const dpl_matmul_rows *r,
                               dpl_range columns, const dpl_scaler *scaler, dpl_types t) {
  dpl_rows j = {r->b, a->b_row, a->k, columns.begin, columns.end, scaler};
  if (r->count == 1) {
    dpl_rows_single(&j, r->a[0], r->y[0], t);
    return;
  }
  dpl_panel panel;
  for (uint32_t i = 0; i < DPL_PANEL_ROWS; i++)
    dpl_panel_set(&panel, i, r->a[i], a->k, t.x_signed);
  dpl_rows_panel(&j, &panel, r->y, t);
}

// b [k][n]: a few columns at a time.
DPL_INLINE void dpl_matmul_outer(const dpl_matmul_args *a, const dpl_matmul_rows *r,
                                 dpl_range columns, const dpl_scaler *scaler, dpl_types t) {
  const uint32_t total = columns.end - columns.begin, most = r->count == 1 ? DPL_OUTER_COLS_ONE : 8;
  int32_t acc[4 * 8];
  for (uint32_t c = columns.begin; c < columns.end;) {
    uint32_t left = columns.end - c, width = left >= most ? most : left < 8 ? left : 8;
    if (width < 8 && total >= 8) { // again some columns of the last step
      c = columns.end - 8;
      width = 8;
    }
    dpl_outer_dot(acc, r->a, r->count, r->b + c, a->b_row, a->k, width, t);
    for (uint32_t i = 0; i < r->count; i++)
      dpl_eight_store(acc + 8 * i, r->y[i], c, width < 8 ? width : 8, scaler, t);
    if (width == 16)
      dpl_eight_store(acc + 8, r->y[0], c + 8, 8, scaler, t);
    c += width;
  }
}

// How many rows to compute together, of `left` rows of the same product.
DPL_INLINE uint32_t dpl_matmul_count(const dpl_matmul_args *a, uint32_t left) {
  if (dpl_matmul_by_row(a))
    return 1;
  if (!a->b_transposed)
    return left < 4 ? left : 4;
  return a->k <= DPL_PANEL_MAX_K && left >= DPL_PANEL_ROWS ? DPL_PANEL_ROWS : 1;
}

// Columns c to c + width - 1 of a right side, transposed or not.
DPL_INLINE dpl_held dpl_matmul_hold(const dpl_matmul_args *a, const uint8_t *b, uint32_t c,
                                    uint32_t width) {
  const int32_t next = a->b_transposed ? a->b_row : 1, step = a->b_transposed ? 1 : a->b_row;
  uint8_t columns[4][DPL_HELD_K] = {{0}};
  b += (ptrdiff_t)c * next;
  for (uint32_t i = 0; i < width; i++, b += next)
    for (uint32_t p = 0; p < a->k; p++)
      columns[i][p] = b[(ptrdiff_t)p * step];
  dpl_held held;
  dpl_held_set(&held, columns);
  return held;
}

// Rows of one product: four columns at a time for all of them.
DPL_INLINE void dpl_matmul_columns(const dpl_matmul_args *a, const uint8_t *x, const uint8_t *b,
                                   uint8_t *y, uint32_t rows, dpl_range columns,
                                   const dpl_scaler *scaler, dpl_types t) {
  const ptrdiff_t y_row = a->y_row * (ptrdiff_t)t.y_size;
  if (rows == 1 && a->b_transposed) {
    const dpl_rows j = {b, a->b_row, a->k, columns.begin, columns.end, scaler};
    dpl_rows_single(&j, x, y, t);
    return;
  }
  for (uint32_t c = columns.begin; c < columns.end; c += 4) {
    const uint32_t width = columns.end - c < 4 ? columns.end - c : 4;
    const dpl_held held = dpl_matmul_hold(a, b, c, width);
    for (uint32_t r = 0; r < rows; r++) {
      const dpl_quad quad = dpl_held_dot(&held, x + (ptrdiff_t)r * a->a_row, a->k, t);
      uint8_t *out = y + (ptrdiff_t)r * y_row;
      if (width == 4) {
        dpl_quad_store(quad, out, c, scaler, t);
        continue;
      }
      int32_t acc[4];
      dpl_quad_unpack(quad, acc);
      for (uint32_t i = 0; i < width; i++)
        dpl_store_one(out, c + i, dpl_requant_one(scaler->rq, acc[i], c + i), t);
    }
  }
}

// The part of a core, product by product.
DPL_INLINE void dpl_matmul_short(const dpl_matmul_args *a, dpl_matmul_part part,
                                 const dpl_scaler *scaler, dpl_types t) {
  uint32_t left = part.rows.end - part.rows.begin, batch = 0, first = part.rows.begin;
  if (left > 0 && a->batch > 1) {
    batch = first / a->m;
    first -= batch * a->m;
  }
  for (; left > 0; batch++, first = 0) {
    const uint32_t rows = left < a->m - first ? left : a->m - first;
    const ptrdiff_t x = (ptrdiff_t)batch * a->a_batch + (ptrdiff_t)first * a->a_row;
    const ptrdiff_t y = (ptrdiff_t)batch * a->y_batch + (ptrdiff_t)first * a->y_row;
    dpl_matmul_columns(a, (const uint8_t *)a->a + x,
                       (const uint8_t *)a->b + (ptrdiff_t)batch * a->b_batch,
                       (uint8_t *)a->y + y * (ptrdiff_t)t.y_size, rows, part.columns, scaler, t);
    left -= rows;
  }
}

DPL_INLINE void dpl_matmul_run(const dpl_matmul_args *a, uint32_t core, uint32_t cores,
                               dpl_types t) {
  dpl_matmul_part part = dpl_matmul_split(a, core, cores);
  dpl_requant rq = a->rq;
  dpl_scaler scaler;
  dpl_scaler_set(&scaler, &rq);
  if (dpl_matmul_is_short(a)) {
    dpl_matmul_short(a, part, &scaler, t);
    return;
  }
  for (uint32_t row = part.rows.begin; row < part.rows.end;) {
    uint32_t left = a->m - row % a->m;
    if (left > part.rows.end - row)
      left = part.rows.end - row;
    uint32_t count = dpl_matmul_count(a, left);
    dpl_matmul_rows rows = dpl_matmul_locate(a, row, count, t);
    if (dpl_matmul_by_row(a)) {
      rq = dpl_matmul_row_requant(a, rows.first);
      dpl_scaler_set(&scaler, &rq);
    }
    if (a->b_transposed)
      dpl_matmul_dot(a, &rows, part.columns, &scaler, t);
    else
      dpl_matmul_outer(a, &rows, part.columns, &scaler, t);
    row += count;
  }
}

#endif
