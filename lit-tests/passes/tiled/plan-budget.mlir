// RUN: deeploy-opt %s --verify-diagnostics -p 'set-target{target=host sizes="L1=64"},place,form-nests,plan{buffers=2}' | filecheck %s
// RUN: deeploy-opt %s -p 'set-target{target=host sizes="L1=208"},place,form-nests,plan{buffers=2}' | filecheck %s --check-prefix=ENOUGH

// Where there is more memory, kernels gather more windows at once; the budget counts that.

func.func @network(%x: tensor<1x5x5x2xsi8>) -> tensor<1x5x5x4xsi8> {
  %w = graph.constant dense<1> : tensor<4x3x3x2xsi8>
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1, channels_last, requant = #graph.requant<mul = 1, add = 0, shift = 4, min = -128, max = 127>} : tensor<1x5x5x2xsi8>, tensor<4x3x3x2xsi8> -> tensor<1x5x5x4xsi8>
  func.return %0 : tensor<1x5x5x4xsi8>
}

// CHECK: it needs at least 192 bytes of L1, and 64 are given; the smallest budget for the whole network is 208 bytes;

// ENOUGH: tiled.nest
// ENOUGH-SAME: buffers = 2
