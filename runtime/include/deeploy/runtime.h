// SPDX-License-Identifier: Apache-2.0
//
// What generated network code sees of a platform. Every platform directory supplies a
// "deeploy/platform.h" which includes this header and defines DPL_ARENA and DPL_ARENA_BASE.
#ifndef DEEPLOY_RUNTIME_H
#define DEEPLOY_RUNTIME_H

#include <stdint.h>

// One memory the network uses: generated code lists them in `const dpl_arena network_arenas[]`.
typedef struct {
  const char *name;
  uint8_t *base;
  uint32_t size;    // bytes
  uint32_t address; // as accelerators count it
} dpl_arena;

// Asynchronous copies. Called by core 0 only. Between a start and the wait of its channel neither
// the source may be written nor the destination read or written.
void dpl_dma_start(uint32_t channel, void *dst, const void *src, uint32_t bytes);

// `rows` rows of `row_bytes` bytes; the strides are distances in bytes between starts of rows.
void dpl_dma_start_2d(uint32_t channel, void *dst, const void *src, uint32_t row_bytes,
                      uint32_t rows, uint32_t dst_stride, uint32_t src_stride);

// Returns when every transfer started on the channel is complete.
void dpl_dma_wait(uint32_t channel);

// How many transfers have been started on the channel, modulo 2^32.
uint32_t dpl_dma_mark(uint32_t channel);

// Returns when every transfer started on the channel before the mark is complete.
void dpl_dma_wait_until(uint32_t channel, uint32_t mark);

// Returns when every core of the cluster has called it.
void dpl_barrier(void);

#endif
