// SPDX-License-Identifier: Apache-2.0
//
// Gathers the windows of a convolution on bytes into vectors. Template: im2col.inc.
#ifndef DEEPLOY_KERNELS_IM2COL_H
#define DEEPLOY_KERNELS_IM2COL_H

#include "deeploy/kernels/conv2d.h"

// Of dpl_conv2d_args: x, in_h, in_w, in_c and the geometry as in conv2d.h, with one group; y
// [out_h][out_w][k_h * k_w * in_c] of bytes. What is outside the input is zero. y must not
// overlap x.
void dpl_im2col(const dpl_conv2d_args *args, uint32_t core, uint32_t cores);

#endif
