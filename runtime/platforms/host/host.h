// SPDX-License-Identifier: Apache-2.0
//
// What the parts of the host platform know of each other.
#ifndef DEEPLOY_HOST_H
#define DEEPLOY_HOST_H

#include "deeploy/platform.h"

#define POISON 0xA5

// When the DMA engine and the accelerator work: the environment variable DEEPLOY_DMA.
enum mode { MODE_UNKNOWN, MODE_THREAD, MODE_DEFERRED, MODE_IMMEDIATE };
enum mode host_mode(void);

// The memories; the array outlives all jobs.
void npu_arenas(const dpl_arena *arenas, uint32_t count);

// Ends the accelerator's thread. Returns nonzero with a message if a job was never waited for.
int npu_finish(void);

// Makes the output of a job useless until it has run.
void npu_poison(const uint32_t *registers, const dpl_arena *arenas, uint32_t count);

// Computes a job. Aborts with a message where registers make no sense.
void npu_run(const uint32_t *registers, const dpl_arena *arenas, uint32_t count);

#endif
