// SPDX-License-Identifier: Apache-2.0
//
// A model of the systolic matrix unit, exact in every bit and cycle.
//
// A grid of 16 x 16 cells, each with a weight of 8 bits and a multiplier. Rows of activations enter
// at the left and sums leave at the bottom, where the unit holds 64 rows of 16 sums. A pass
//   - loads a block of weights, a row of the grid per cycle             16 cycles
//   - lets up to 64 rows of activations in, one per cycle             rows cycles
//   - waits until the last one has crossed the grid                     30 cycles
// Passes over all of k add to the same sums, which are then requantised and leave through a port of
// 16 bytes per cycle. Operands and results are in L1; what reaches over an edge counts as zero.
#ifndef DEEPLOY_SYSTOLIC_UNIT_H
#define DEEPLOY_SYSTOLIC_UNIT_H

#include <string.h>

#include "deeploy/requant.h"

#define SYSTOLIC_SIDE 16u
#define SYSTOLIC_ROWS 64u

// The registers of a job, y [m][n] = requant(a [m][k] x b): strides in elements, from one row and
// from one column to the next.
typedef struct {
  const uint8_t *a, *b;
  uint8_t *y;
  uint32_t m, k, n;
  int32_t a_row, b_row, b_column, y_row;
  uint32_t a_signed, b_signed, y_bytes;
  dpl_requant rq;
} systolic_job;

typedef struct {
  int32_t weights[SYSTOLIC_SIDE][SYSTOLIC_SIDE]; // of the block: k, n
  uint32_t sums[SYSTOLIC_ROWS][SYSTOLIC_SIDE];   // these wrap around
  uint32_t cycles;
} systolic_unit;

static inline uint32_t systolic_part(uint32_t whole, uint32_t first, uint32_t most) {
  return whole - first < most ? whole - first : most;
}

static inline int32_t systolic_byte(const uint8_t *p, uint32_t is_signed) {
  return is_signed ? (int32_t)*(const int8_t *)p : (int32_t)*p;
}

static inline void systolic_load(systolic_unit *unit, const systolic_job *job, uint32_t first_k,
                                 uint32_t first_n) {
  const uint32_t depth = systolic_part(job->k, first_k, SYSTOLIC_SIDE);
  const uint32_t width = systolic_part(job->n, first_n, SYSTOLIC_SIDE);
  memset(unit->weights, 0, sizeof unit->weights);
  for (uint32_t i = 0; i < depth; i++)
    for (uint32_t j = 0; j < width; j++) {
      const uint8_t *b = job->b + (ptrdiff_t)(first_k + i) * job->b_row;
      b += (ptrdiff_t)(first_n + j) * job->b_column;
      unit->weights[i][j] = systolic_byte(b, job->b_signed);
    }
  unit->cycles += SYSTOLIC_SIDE;
}

static inline void systolic_stream(systolic_unit *unit, const systolic_job *job, uint32_t first_k,
                                   uint32_t first_m, uint32_t rows) {
  const uint32_t depth = systolic_part(job->k, first_k, SYSTOLIC_SIDE);
  for (uint32_t r = 0; r < rows; r++) {
    const uint8_t *a = job->a + (ptrdiff_t)(first_m + r) * job->a_row + first_k;
    for (uint32_t i = 0; i < depth; i++) {
      int32_t x = systolic_byte(a + i, job->a_signed);
      for (uint32_t j = 0; j < SYSTOLIC_SIDE; j++)
        unit->sums[r][j] += (uint32_t)(x * unit->weights[i][j]);
    }
  }
  unit->cycles += rows + 2 * SYSTOLIC_SIDE - 2;
}

static inline void systolic_store(systolic_unit *unit, const systolic_job *job, uint32_t first_m,
                                  uint32_t first_n, uint32_t rows) {
  const uint32_t width = systolic_part(job->n, first_n, SYSTOLIC_SIDE);
  for (uint32_t r = 0; r < rows; r++)
    for (uint32_t j = 0; j < width; j++) {
      int32_t value = dpl_requant_one(&job->rq, (int32_t)unit->sums[r][j], first_n + j);
      ptrdiff_t index = (ptrdiff_t)(first_m + r) * job->y_row + (ptrdiff_t)(first_n + j);
      if (job->y_bytes == 1)
        job->y[index] = (uint8_t)value;
      else
        memcpy(job->y + 4 * index, &value, 4);
    }
  unit->cycles += rows * job->y_bytes;
}

// Runs a job to its end; returns the cycles that it takes.
static inline uint32_t systolic_run(const systolic_job *job) {
  systolic_unit unit;
  unit.cycles = 0;
  for (uint32_t n = 0; n < job->n; n += SYSTOLIC_SIDE)
    for (uint32_t m = 0; m < job->m; m += SYSTOLIC_ROWS) {
      const uint32_t rows = systolic_part(job->m, m, SYSTOLIC_ROWS);
      memset(unit.sums, 0, sizeof unit.sums);
      for (uint32_t k = 0; k < job->k; k += SYSTOLIC_SIDE) {
        systolic_load(&unit, job, k, n);
        systolic_stream(&unit, job, k, m, rows);
      }
      systolic_store(&unit, job, m, n, rows);
    }
  return unit.cycles;
}

#endif
