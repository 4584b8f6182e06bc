// SPDX-License-Identifier: Apache-2.0
//
// The network as a function from a token and its position to logits.
#ifndef DECODER_H
#define DECODER_H

#include <stdint.h>

// Loads the constants; once, before the first step. Returns 0, or -1 with a message if the network
// is not a decoder.
int decoder_begin(void);

// The MODEL_VOCAB_SIZE logits of what follows `token`, which stands at `position`; the tokens
// before it were those of the steps before, and position 0 begins anew. Returns NULL if there is no
// room for it.
const float *decoder_step(int32_t token, uint32_t position);

// Returns 0, or nonzero with a message if the network wrote where it may not.
int decoder_end(void);

#endif
