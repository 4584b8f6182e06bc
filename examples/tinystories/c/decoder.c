// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L
#include "decoder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "network.h"

#define ROTATION_BASE 10000.0f // of the wavelengths of the rotary embedding (arXiv 2104.09864)

static float *embedded, (*rotation)[MODEL_HEAD_DIM];
static const float *logits;

static void *tensor(const network_tensor *list, uint32_t count, const char *name,
                    uint32_t elements) {
  for (uint32_t i = 0; i < count; i++)
    if (strcmp(list[i].name, name) == 0 && list[i].elements == elements)
      return list[i].data;
  fprintf(stderr, "error: the network has no '%s' of %u elements\n", name, (unsigned)elements);
  return NULL;
}

int decoder_begin(void) {
  const uint32_t matrix = MODEL_HEAD_DIM * MODEL_HEAD_DIM;
  // The host platform copies at once, unless told otherwise; its thread for copies finds mistakes,
  // but waits for the scheduler at each of them.
  setenv("DEEPLOY_DMA", "immediate", 0);
  dpl_arenas_prepare(network_arenas, NETWORK_ARENA_COUNT);
  network_load();
  embedded = tensor(network_inputs, NETWORK_INPUT_COUNT, "x", MODEL_DIM);
  rotation = tensor(network_inputs, NETWORK_INPUT_COUNT, "rotation", matrix);
  logits = tensor(network_outputs, NETWORK_OUTPUT_COUNT, "logits", MODEL_VOCAB_SIZE);
  return embedded != NULL && rotation != NULL && logits != NULL ? 0 : -1;
}

// The rotary embedding of a position as a matrix with a block for each pair of dimensions.
static void rotate(uint32_t position) {
  memset(rotation, 0, sizeof *rotation * MODEL_HEAD_DIM);
  for (uint32_t i = 0; i < MODEL_HEAD_DIM; i += 2) {
    float angle = (float)position * powf(ROTATION_BASE, -(float)i / MODEL_HEAD_DIM);
    rotation[i][i] = rotation[i + 1][i + 1] = cosf(angle);
    rotation[i][i + 1] = sinf(angle);
    rotation[i + 1][i] = -rotation[i][i + 1];
  }
}

const float *decoder_step(int32_t token, uint32_t position) {
  memcpy(embedded, model_embedding[token], sizeof model_embedding[token]);
  rotate(position);
  return network_run(position) == 0 ? logits : NULL;
}

int decoder_end(void) { return dpl_arenas_check(network_arenas, NETWORK_ARENA_COUNT); }
