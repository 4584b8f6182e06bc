// SPDX-License-Identifier: Apache-2.0
//
// Rows of a table, found by their numbers. Template: gather.inc.
#ifndef DEEPLOY_KERNELS_GATHER_H
#define DEEPLOY_KERNELS_GATHER_H

#include "deeploy/requant.h"

// y [outer][count][columns] = x [outer][index[count]][columns]. x may lie in any memory that cores
// can read. Indices count modulo `rows`, so that -1 is the last row. Strides are in elements of 1,
// 2 or 4 bytes; columns lie side by side.
typedef struct {
  const void *x, *index;
  void *y;
  uint32_t outer, count, columns, rows;
  int32_t x_outer, x_row, y_outer, y_row;
} dpl_gather_args;

DPL_INLINE uint32_t dpl_modulo(int32_t index, uint32_t rows) {
  int32_t rest = index % (int32_t)rows;
  return (uint32_t)(rest < 0 ? rest + (int32_t)rows : rest);
}

#endif
