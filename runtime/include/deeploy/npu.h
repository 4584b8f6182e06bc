// SPDX-License-Identifier: Apache-2.0
//
// Driver of the accelerator N-EUREKA. A job is 24 registers, written into a context that was
// acquired before; a trigger puts it into the queue. There are two contexts, so a job can be
// written while another one runs. Called by core 0 only. Between the trigger of a job and the next
// wait neither what it reads may be written nor what it writes be read or written.
#ifndef DEEPLOY_NPU_H
#define DEEPLOY_NPU_H

#include <stdint.h>

// The registers of a job in their order (public HAL, pulp-platform/pulp-nnx, neureka).
enum {
  DPL_NPU_WEIGHTS,
  DPL_NPU_INPUT, // of the first pixel, padding included
  DPL_NPU_OUTPUT,
  DPL_NPU_SCALE,
  DPL_NPU_SCALE_SHIFT,
  DPL_NPU_BIAS,
  DPL_NPU_INPUT_PIXEL_STRIDE, // strides in bytes
  DPL_NPU_INPUT_ROW_STRIDE,
  DPL_NPU_INPUT_STRIDE_2,
  DPL_NPU_OUTPUT_STRIDE_0,
  DPL_NPU_OUTPUT_PIXEL_STRIDE,
  DPL_NPU_OUTPUT_ROW_STRIDE,
  DPL_NPU_WEIGHT_STRIDE_0,
  DPL_NPU_WEIGHT_STRIDE_1,
  DPL_NPU_WEIGHT_STRIDE_2,
  DPL_NPU_LAST_CHANNELS, // size of the last subtile: output and input channels, 16 bits each
  DPL_NPU_LAST_OUTPUT,   // rows and columns
  DPL_NPU_LAST_INPUT,
  DPL_NPU_CHANNEL_SUBTILES, // number of subtiles: output and input channels, 16 bits each
  DPL_NPU_PIXEL_SUBTILES,   // rows and columns
  DPL_NPU_PADDING,          // top 31:28, right 27:24, bottom 23:20, left 19:16, value 7:0
  DPL_NPU_WEIGHT_OFFSET,
  DPL_NPU_FILTER_MASK,
  DPL_NPU_CONFIGURATION,
  DPL_NPU_REGISTERS
};

// Bits of the configuration; bits 2:0 are the bits of a weight less 1, bits 20:16 the shift.
#define DPL_NPU_NORMALISE (1u << 4)
#define DPL_NPU_MODE(configuration) ((configuration) >> 5 & 3)
#define DPL_NPU_DENSE 0u
#define DPL_NPU_DEPTHWISE 1u
#define DPL_NPU_POINTWISE 2u
#define DPL_NPU_WEIGHT_MEMORY (1u << 9)
#define DPL_NPU_SCALE_BITS(configuration) ((configuration) >> 12 & 3) // 0: 8, 2: 32
#define DPL_NPU_STREAM_IN (1u << 14)
#define DPL_NPU_LAYER_OFFSET (1u << 15)
#define DPL_NPU_OUTPUT_BITS(configuration) ((configuration) >> 21 & 3) // 0: 8, 2: 32
#define DPL_NPU_IDENTITY (1u << 23)
#define DPL_NPU_CHANNEL_SHIFT (1u << 24)
#define DPL_NPU_ADD_BIAS (1u << 25)
#define DPL_NPU_SIGNED_INPUT (1u << 26)

// Waits for a free context and takes it. Returns the number of the job.
uint32_t dpl_npu_acquire(void);

// Writes a register of the context that was acquired last.
void dpl_npu_write(uint32_t reg, uint32_t value);

// Puts the job in that context into the queue.
void dpl_npu_trigger(void);

// Returns when all jobs are complete.
void dpl_npu_wait(void);

// How many jobs have been triggered, modulo 2^32.
uint32_t dpl_npu_mark(void);

// Returns when all jobs triggered before the mark are complete.
void dpl_npu_wait_until(uint32_t mark);

// The address of a byte as the accelerator counts it; in the weight memory from 0.
uint32_t dpl_npu_address(const void *pointer);

#endif
