// SPDX-License-Identifier: Apache-2.0
//
// Host platform: cores are threads, the DMA engine copies asynchronously, and arenas are static
// arrays between guard zones, so that mistakes in generated code show on a workstation.
#ifndef DEEPLOY_PLATFORM_H
#define DEEPLOY_PLATFORM_H

#include "deeploy/runtime.h"

#define DPL_ARENA_GUARD 4096 // bytes before and after the data of every arena

// DPL_ARENA(network_L1, 64000) at file scope makes `network_L1` a `uint8_t *` to 64000 bytes,
// aligned to 16. A constant initialiser needs DPL_ARENA_BASE(network_L1), which C accepts there.
#define DPL_ARENA(name, bytes)                                                                     \
  static uint8_t name##_storage[(bytes) + 2 * DPL_ARENA_GUARD] __attribute__((aligned(16)));       \
  static uint8_t *const name __attribute__((unused)) = name##_storage + DPL_ARENA_GUARD;
#define DPL_ARENA_BASE(name) (name##_storage + DPL_ARENA_GUARD)

#define DPL_ARENAS_MAX 16
#define DPL_DMA_CHANNELS 32

// Runs entry(core) for cores 0..cores-1 and returns when all have; core 0 is the calling thread.
// Returns 0, or nonzero with a message when transfers were started and never waited for.
int dpl_cluster_run(void (*entry)(uint32_t core), uint32_t cores);

// Fills guard zones with a pattern and the data with poison (0xA5), zeroes the byte counters. The
// array must outlive all DMA transfers: it tells the DMA engine which memory an address is in.
void dpl_arenas_prepare(const dpl_arena *arenas, uint32_t count);

// Returns 0 if every guard zone is intact, else nonzero with a message on stderr.
int dpl_arenas_check(const dpl_arena *arenas, uint32_t count);

// Bytes the DMA engine moved from one arena to another, by index in the prepared array.
uint64_t dpl_dma_bytes(uint32_t from, uint32_t to);

#endif
