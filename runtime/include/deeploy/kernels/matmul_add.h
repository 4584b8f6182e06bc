// SPDX-License-Identifier: Apache-2.0
//
// Matrix product and a sum with it: scores and their mask. Template: matmul_add.inc.
#ifndef DEEPLOY_KERNELS_MATMUL_ADD_H
#define DEEPLOY_KERNELS_MATMUL_ADD_H

#include "deeploy/kernels/matmul.h"

// y = store(scale(product) + addend), where the sum wraps around at 32 bits. What scaling and
// storing do is part of the instance: nothing, numbers, a clamp. The product is that of matmul.h
// with numbers only; its bounds are inside the range of y, which is int8 or uint8. The addend is
// int8, uint8 or int32; columns are contiguous; a stride of 0, in elements, repeats a row or
// matrix.
typedef struct {
  dpl_matmul_args product;
  const void *addend;
  int32_t addend_batch, addend_row;
  dpl_factors scale, sum;
} dpl_matmul_add_args;

#endif
