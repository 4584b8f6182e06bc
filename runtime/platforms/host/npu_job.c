// SPDX-License-Identifier: Apache-2.0
//
// Host platform: what the accelerator does with the registers of a job, bit for bit. It knows
// nothing but registers and memories, so that mistakes of a driver show. Sources: public HAL
// (pulp-platform/pulp-nnx, neureka) and simulator model (gvsoc/gvsoc-pulp, pulp/neureka); the numpy
// model in deeploy/interpreters/npu_device.py does the same.
#include "deeploy/npu.h"
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUBTILE 6 // rows and columns of output pixels
#define ROW 32    // bytes of a row of weights
#define MAX_PAD 2
#define L1_FIRST 0x10000000u // where the accelerator finds activations: memory map of Siracusa
#define L1_END 0x10040000u
#define WEIGHT_MEMORY_END 0x00800000u

typedef struct {
  const uint32_t *reg;
  const dpl_arena *arenas;
  uint32_t arena_count;
  uint32_t mode, bits, side;
  uint32_t step, block;                 // input channels of a step, output channels of a subtile
  uint32_t inputs, outputs;             // channels
  uint32_t input_blocks, output_blocks; // subtiles
  uint32_t vertical, horizontal, last_rows, last_columns;
  uint32_t output_bytes, scale_bytes;
  uint32_t top, right, bottom, left;
} job;

// ------------------------------------------------------------------------------------- memories

static void refuse(const char *what) {
  fprintf(stderr, "deeploy: accelerator: needs in register %s\n", what);
  abort();
}

static void need(int holds, const char *what) {
  if (!holds)
    refuse(what);
}

static int is_reached(uint32_t address, int weights) {
  return weights ? address < WEIGHT_MEMORY_END : address >= L1_FIRST && address < L1_END;
}

static uint8_t *reach(const job *t, uint32_t address, uint64_t bytes, int weights) {
  for (uint32_t i = 0; i < t->arena_count; i++) {
    const dpl_arena *arena = &t->arenas[i];
    uint32_t offset = address - arena->address;
    if (is_reached(arena->address, weights) && address >= arena->address && bytes <= arena->size &&
        offset <= arena->size - bytes)
      return arena->base + offset;
  }
  fprintf(stderr, "deeploy: accelerator: reaches %llu bytes at 0x%08x, outside of %s\n",
          (unsigned long long)bytes, (unsigned)address, weights ? "the weight memory" : "L1");
  abort();
}

// ------------------------------------------------------------------------------------- decoding

static uint32_t high(uint32_t value) { return value >> 16; }

static uint32_t low(uint32_t value) { return value & 0xFFFF; }

static void check(const job *t) {
  const uint32_t *reg = t->reg, config = reg[DPL_NPU_CONFIGURATION];
  uint32_t last_outputs = high(reg[DPL_NPU_LAST_CHANNELS]);
  uint32_t last_inputs = low(reg[DPL_NPU_LAST_CHANNELS]);
  need(t->mode <= DPL_NPU_POINTWISE, "configuration: mode 0 to 2");
  need(t->output_bytes != 0, "configuration: output of 8 or 32 bits");
  need(t->scale_bytes != 0, "configuration: scale of 8 or 32 bits");
  need(config & DPL_NPU_NORMALISE || t->output_bytes == 4,
       "configuration: sums of 32 bits unless normalised");
  need(!(config & DPL_NPU_STREAM_IN) || t->output_bytes == 4,
       "configuration: partial sums of 32 bits");
  need((config & DPL_NPU_LAYER_OFFSET) != 0, "configuration: one weight offset for the layer");
  need(!(config & DPL_NPU_CHANNEL_SHIFT), "configuration: one shift for the layer");
  need(reg[DPL_NPU_FILTER_MASK] == 0, "filter_mask: nothing");
  need(t->input_blocks && t->output_blocks, "channel_subtiles: not 0");
  need(t->vertical && t->horizontal, "pixel_subtiles: not 0");
  need(last_outputs && last_outputs <= t->block && last_inputs && last_inputs <= t->step,
       "last_channels: up to a subtile");
  need(t->mode != DPL_NPU_DEPTHWISE || t->outputs == t->inputs,
       "last_channels: depthwise outputs are the inputs");
  need(t->last_rows && t->last_rows <= SUBTILE && t->last_columns && t->last_columns <= SUBTILE,
       "last_output: up to a subtile");
  need(t->top <= MAX_PAD && t->right <= MAX_PAD && t->bottom <= MAX_PAD && t->left <= MAX_PAD,
       "padding: up to 2 pixels");
}

static uint32_t bytes_of(uint32_t code) { return code == 0 ? 1 : code == 2 ? 4 : 0; }

static job decode(const uint32_t *reg, const dpl_arena *arenas, uint32_t count) {
  uint32_t config = reg[DPL_NPU_CONFIGURATION], padding = reg[DPL_NPU_PADDING];
  job t = {.reg = reg, .arenas = arenas, .arena_count = count};
  t.mode = DPL_NPU_MODE(config);
  t.bits = (config & 7) + 1;
  t.side = t.mode == DPL_NPU_POINTWISE ? 1 : 3;
  t.step = t.mode == DPL_NPU_POINTWISE ? 32 : 28;
  t.block = t.mode == DPL_NPU_DEPTHWISE ? 28 : 32;
  t.output_blocks = high(reg[DPL_NPU_CHANNEL_SUBTILES]);
  t.input_blocks = low(reg[DPL_NPU_CHANNEL_SUBTILES]);
  t.outputs = (t.output_blocks - 1) * t.block + high(reg[DPL_NPU_LAST_CHANNELS]);
  t.inputs = (t.input_blocks - 1) * t.step + low(reg[DPL_NPU_LAST_CHANNELS]);
  t.vertical = high(reg[DPL_NPU_PIXEL_SUBTILES]);
  t.horizontal = low(reg[DPL_NPU_PIXEL_SUBTILES]);
  t.last_rows = high(reg[DPL_NPU_LAST_OUTPUT]);
  t.last_columns = low(reg[DPL_NPU_LAST_OUTPUT]);
  t.output_bytes = bytes_of(DPL_NPU_OUTPUT_BITS(config));
  t.scale_bytes = bytes_of(DPL_NPU_SCALE_BITS(config));
  t.top = padding >> 28;
  t.right = padding >> 24 & 15;
  t.bottom = padding >> 20 & 15;
  t.left = padding >> 16 & 15;
  check(&t);
  return t;
}

// ------------------------------------------------------------------------------------ operands

static void *allocate(uint64_t elements) {
  void *memory = calloc(elements ? elements : 1, sizeof(int32_t));
  if (!memory) {
    fprintf(stderr, "deeploy: accelerator: out of memory\n");
    abort();
  }
  return memory;
}

// The weights of one output channel and step of 1x1: a row of 256 bits holds, for four channels at
// a time, eight bits of four lanes.
static void unpack_row(const uint8_t *bytes, uint32_t bits, int16_t *weights, uint32_t count) {
  static uint8_t pairs[256][4]; // two bits of each lane
  if (!pairs[1][0])
    for (uint32_t byte = 0; byte < 256; byte++)
      for (uint32_t lane = 0; lane < 4; lane++)
        pairs[byte][lane] = (uint8_t)((byte >> lane & 1) | (byte >> (lane + 4) & 1) << 1);
  uint32_t used = (1u << bits) - 1;
  for (uint32_t c = 0; c < count; c += 4, bytes += 4)
    for (uint32_t lane = 0; lane < 4 && c + lane < count; lane++)
      weights[c + lane] = (int16_t)((pairs[bytes[0]][lane] | pairs[bytes[1]][lane] << 2 |
                                     pairs[bytes[2]][lane] << 4 | pairs[bytes[3]][lane] << 6) &
                                    used);
}

// The weights of one output channel and step, or of a group of depthwise channels. Rows of 3x3
// weights hold one bit of all taps.
static void unpack(const job *t, uint32_t at, uint32_t step, int16_t *weights, uint32_t stride) {
  int far = (t->reg[DPL_NPU_CONFIGURATION] & DPL_NPU_WEIGHT_MEMORY) != 0;
  uint32_t taps = t->side * t->side, first = step * t->step;
  uint32_t count = t->inputs - first < t->step ? t->inputs - first : t->step;
  if (t->mode == DPL_NPU_POINTWISE) {
    unpack_row(reach(t, at, ROW, far), t->bits, weights + first, count);
    return;
  }
  for (uint32_t bit = 0; bit < t->bits; bit++) {
    const uint8_t *bytes = reach(t, at + bit * t->reg[DPL_NPU_WEIGHT_STRIDE_0], ROW, far);
    for (uint32_t tap = 0; tap < taps; tap++) {
      for (uint32_t c = 0; c < count; c++) {
        uint32_t number = tap * 28 + c;
        int16_t *weight = &weights[tap * stride + first + c];
        *weight = (int16_t)(*weight | (bytes[number / 8] >> number % 8 & 1) << bit);
      }
    }
  }
}

// Weights without their offset: [output channel][tap][input channel], depthwise [tap][channel].
static int16_t *load_weights(const job *t) {
  uint32_t taps = t->side * t->side, filters = t->mode == DPL_NPU_DEPTHWISE ? 1 : t->outputs;
  uint32_t rows = t->mode == DPL_NPU_POINTWISE ? 1 : t->bits;
  uint64_t size = (uint64_t)filters * taps * t->inputs;
  int16_t *weights = allocate(size);
  for (uint32_t o = 0; o < filters; o++) {
    uint32_t at = t->reg[DPL_NPU_WEIGHTS] + o / t->block * t->block * t->input_blocks * rows * ROW +
                  o % t->block * t->reg[DPL_NPU_WEIGHT_STRIDE_1];
    for (uint32_t step = 0; step < t->input_blocks; step++)
      unpack(t, at + step * rows * ROW, step, weights + (uint64_t)o * taps * t->inputs, t->inputs);
  }
  return weights;
}

static void set(int16_t *pixel, const job *t, const uint8_t *bytes, uint8_t value) {
  int is_signed = (t->reg[DPL_NPU_CONFIGURATION] & DPL_NPU_SIGNED_INPUT) != 0;
  for (uint32_t c = 0; c < t->inputs; c++) {
    uint8_t byte = bytes ? bytes[c] : value;
    pixel[c] = (int16_t)(is_signed ? (int8_t)byte : byte);
  }
}

// The pixels that a subtile reads, `width` to a row: padding, or what lies in memory. What the
// registers leave out is poison.
static void load_window(const job *t, uint32_t i, uint32_t j, int16_t *pixels, uint32_t rows,
                        uint32_t columns) {
  const uint32_t *reg = t->reg;
  uint32_t row = reg[DPL_NPU_INPUT_ROW_STRIDE], column = reg[DPL_NPU_INPUT_PIXEL_STRIDE];
  uint32_t height = i + 1 < t->vertical ? rows : high(reg[DPL_NPU_LAST_INPUT]);
  uint32_t width = j + 1 < t->horizontal ? columns : low(reg[DPL_NPU_LAST_INPUT]);
  uint32_t top = i == 0 ? t->top : 0, left = j == 0 ? t->left : 0;
  for (uint32_t r = 0; r < rows; r++) {
    for (uint32_t c = 0; c < columns; c++) {
      int16_t *pixel = pixels + (uint64_t)(r * columns + c) * t->inputs;
      int outside = r >= height + t->bottom || c >= width + t->right;
      int inside = r >= top && r < height && c >= left && c < width;
      uint32_t at = reg[DPL_NPU_INPUT] + (i * SUBTILE + r) * row + (j * SUBTILE + c) * column;
      set(pixel, t, inside ? reach(t, at, t->inputs, 0) : NULL,
          outside ? POISON : (uint8_t)reg[DPL_NPU_PADDING]);
    }
  }
}

// -------------------------------------------------------------------------------------- outputs

// The bytes of a pixel from a channel on, and how many channels lie together: a block of 8-bit
// numbers, or eight of 32 bits.
static uint8_t *output(const job *t, uint32_t row, uint32_t column, uint32_t channel,
                       uint32_t *together) {
  const uint32_t *reg = t->reg;
  uint32_t block = channel / t->block, inner = channel % t->block;
  uint32_t left = block + 1 < t->output_blocks ? t->block - inner : t->outputs - channel;
  uint32_t at = reg[DPL_NPU_OUTPUT] + row * reg[DPL_NPU_OUTPUT_ROW_STRIDE] +
                column * reg[DPL_NPU_OUTPUT_PIXEL_STRIDE] + block * t->block * t->output_bytes;
  if (t->output_bytes == 4) {
    at += inner / 8 * reg[DPL_NPU_OUTPUT_STRIDE_0];
    left = left < 8 ? left : 8;
  }
  *together = left;
  return reach(t, at, (uint64_t)left * t->output_bytes, 0);
}

static int32_t normalised(const job *t, int32_t sum, const uint8_t *scale, const uint8_t *bias) {
  uint32_t config = t->reg[DPL_NPU_CONFIGURATION], factor = scale[0];
  int32_t summand = 0;
  if (t->scale_bytes == 4)
    memcpy(&factor, scale, 4);
  int64_t value = (int64_t)sum * factor;
  if (config & DPL_NPU_ADD_BIAS) {
    memcpy(&summand, bias, 4);
    value = (int32_t)(uint32_t)((uint64_t)value + (uint64_t)(int64_t)summand);
  }
  value >>= config >> 16 & 31;
  if (t->output_bytes == 4)
    return (int32_t)(uint32_t)(uint64_t)value;
  int64_t least = config & DPL_NPU_IDENTITY ? -128 : 0, most = least + 255;
  return (int32_t)(value < least ? least : value > most ? most : value);
}

static void store(const job *t, uint32_t row, uint32_t column, int32_t *sums, const uint8_t *scale,
                  const uint8_t *bias) {
  uint32_t config = t->reg[DPL_NPU_CONFIGURATION], together;
  for (uint32_t first = 0; first < t->outputs; first += together) {
    uint8_t *bytes = output(t, row, column, first, &together);
    for (uint32_t k = 0; k < together; k++) {
      uint32_t o = first + k;
      int32_t value = sums[o], partial;
      if (config & DPL_NPU_STREAM_IN) {
        memcpy(&partial, bytes + 4 * k, 4);
        value = (int32_t)((uint32_t)value + (uint32_t)partial);
      }
      if (config & DPL_NPU_NORMALISE)
        value = normalised(t, value, scale + (uint64_t)o * t->scale_bytes, bias + (uint64_t)o * 4);
      memcpy(bytes + k * t->output_bytes, &value, t->output_bytes); // little-endian, as the host is
    }
  }
}

#define CHUNK 16384 // so many products of two bytes fit into 32 bits

// The sum of x * w, modulo 2^32.
static uint32_t dot(const int16_t *x, const int16_t *w, uint32_t n) {
  uint32_t sum = 0;
  for (uint32_t first = 0; first < n; first += CHUNK) {
    uint32_t end = n - first < CHUNK ? n : first + CHUNK;
    int32_t products = 0;
    for (uint32_t c = first; c < end; c++)
      products += x[c] * w[c];
    sum += (uint32_t)products;
  }
  return sum;
}

static void multiply_depthwise(const job *t, const int16_t *x, const int16_t *w, int32_t *sums) {
  uint32_t offset = t->reg[DPL_NPU_WEIGHT_OFFSET];
  for (uint32_t c = 0; c < t->inputs; c++)
    sums[c] =
        (int32_t)((uint32_t)sums[c] + (uint32_t)(int32_t)x[c] * ((uint32_t)(int32_t)w[c] + offset));
}

static void multiply(const job *t, const int16_t *pixels, uint32_t columns, const int16_t *weights,
                     int32_t *sums) {
  uint32_t n = t->inputs, taps = t->side * t->side;
  memset(sums, 0, t->outputs * sizeof *sums);
  for (uint32_t tap = 0; tap < taps; tap++) {
    const int16_t *x = pixels + (uint64_t)(tap / t->side * columns + tap % t->side) * n;
    if (t->mode == DPL_NPU_DEPTHWISE) {
      multiply_depthwise(t, x, weights + tap * n, sums);
      continue;
    }
    uint32_t inputs = 0;
    for (uint32_t c = 0; c < n; c++)
      inputs += (uint32_t)(int32_t)x[c];
    // the offset of the weights is added as a multiple of the sum of inputs
    uint32_t added = inputs * t->reg[DPL_NPU_WEIGHT_OFFSET];
    for (uint32_t o = 0; o < t->outputs; o++) {
      const int16_t *w = weights + ((uint64_t)o * taps + tap) * n;
      sums[o] = (int32_t)((uint32_t)sums[o] + added + dot(x, w, n));
    }
  }
}

// ---------------------------------------------------------------------------------------- a job

static uint32_t rows_of(const job *t, uint32_t i) {
  return i + 1 < t->vertical ? SUBTILE : t->last_rows;
}

static uint32_t columns_of(const job *t, uint32_t j) {
  return j + 1 < t->horizontal ? SUBTILE : t->last_columns;
}

void npu_poison(const uint32_t *registers, const dpl_arena *arenas, uint32_t count) {
  job t = decode(registers, arenas, count);
  uint32_t rows = (t.vertical - 1) * SUBTILE + t.last_rows, together;
  uint32_t columns = (t.horizontal - 1) * SUBTILE + t.last_columns;
  if (registers[DPL_NPU_CONFIGURATION] & DPL_NPU_STREAM_IN)
    return; // partial sums are input first
  for (uint32_t r = 0; r < rows; r++)
    for (uint32_t c = 0; c < columns; c++)
      for (uint32_t o = 0; o < t.outputs; o += together) {
        uint8_t *bytes = output(&t, r, c, o, &together);
        memset(bytes, POISON, (size_t)together * t.output_bytes);
      }
}

static void run_subtile(const job *t, uint32_t i, uint32_t j, const int16_t *weights,
                        int16_t *pixels, int32_t *sums, const uint8_t *scale, const uint8_t *bias) {
  uint32_t columns = columns_of(t, j) + t->side - 1;
  load_window(t, i, j, pixels, rows_of(t, i) + t->side - 1, columns);
  for (uint32_t r = 0; r < rows_of(t, i); r++) {
    for (uint32_t c = 0; c < columns_of(t, j); c++) {
      multiply(t, pixels + (uint64_t)(r * columns + c) * t->inputs, columns, weights, sums);
      store(t, i * SUBTILE + r, j * SUBTILE + c, sums, scale, bias);
    }
  }
}

void npu_run(const uint32_t *registers, const dpl_arena *arenas, uint32_t count) {
  job t = decode(registers, arenas, count);
  int normalise = (registers[DPL_NPU_CONFIGURATION] & DPL_NPU_NORMALISE) != 0;
  int add = normalise && registers[DPL_NPU_CONFIGURATION] & DPL_NPU_ADD_BIAS;
  uint64_t scales = (uint64_t)t.outputs * t.scale_bytes, window = SUBTILE + t.side - 1;
  const uint8_t *scale = normalise ? reach(&t, registers[DPL_NPU_SCALE], scales, 0) : NULL;
  const uint8_t *bias = add ? reach(&t, registers[DPL_NPU_BIAS], 4ull * t.outputs, 0) : NULL;
  int16_t *weights = load_weights(&t);
  int16_t *pixels = allocate(window * window * t.inputs);
  int32_t *sums = allocate(t.outputs);
  for (uint32_t i = 0; i < t.vertical; i++)
    for (uint32_t j = 0; j < t.horizontal; j++)
      run_subtile(&t, i, j, weights, pixels, sums, scale, bias);
  free(weights);
  free(pixels);
  free(sums);
}
