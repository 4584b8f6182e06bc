// RUN: deeploy-opt %s --split-input-file --verify-diagnostics -p 'set-target{target=siracusa},lower-npu' | filecheck %s

// The accelerator does not reach L2.

func.func @network(%x: memref<4x32xui8, #mem.level<"L2">>, %w: memref<10x32xui8, #mem.level<"L1">>, %y: memref<4x10xsi32, #mem.level<"L1">>) {
  %q = npu.queue of "neureka"
  npu.start ins(%x, %w : memref<4x32xui8, #mem.level<"L2">>, memref<10x32xui8, #mem.level<"L1">>) outs(%y : memref<4x10xsi32, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<4x32xui8>, %1: tensor<10x32xui8>):
    %2 = npu.conv %0, %1 {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<4x32xui8>, tensor<10x32xui8> -> tensor<4x10xsi32>
    npu.yield %2 : tensor<4x10xsi32>
  }
  func.return
}

// CHECK: npu.start: 'x' lies in L2; the accelerator reaches L1

// -----

func.func @network(%x: memref<4x32xui8, #mem.level<"L1">>, %w: memref<10x32xui8, #mem.level<"L2">>, %y: memref<4x10xsi32, #mem.level<"L1">>) {
  %q = npu.queue of "neureka"
  npu.start ins(%x, %w : memref<4x32xui8, #mem.level<"L1">>, memref<10x32xui8, #mem.level<"L2">>) outs(%y : memref<4x10xsi32, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<4x32xui8>, %1: tensor<10x32xui8>):
    %2 = npu.conv %0, %1 {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<4x32xui8>, tensor<10x32xui8> -> tensor<4x10xsi32>
    npu.yield %2 : tensor<4x10xsi32>
  }
  func.return
}

// CHECK: npu.start: 'w' lies in L2; the accelerator reaches weights in L1 or a memory of its own

// -----

// Pixels may lie anywhere, the channels of a pixel may not.

func.func @network(%x: memref<4x32xui8, strided<[1, 4]>, #mem.level<"L1">>, %w: memref<10x32xui8, #mem.level<"L1">>, %y: memref<4x10xsi32, #mem.level<"L1">>) {
  %q = npu.queue of "neureka"
  npu.start ins(%x, %w : memref<4x32xui8, strided<[1, 4]>, #mem.level<"L1">>, memref<10x32xui8, #mem.level<"L1">>) outs(%y : memref<4x10xsi32, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<4x32xui8>, %1: tensor<10x32xui8>):
    %2 = npu.conv %0, %1 {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<4x32xui8>, tensor<10x32xui8> -> tensor<4x10xsi32>
    npu.yield %2 : tensor<4x10xsi32>
  }
  func.return
}

// CHECK: npu.start: channels, and bytes of weights, must lie next to each other

// -----

func.func @network(%x: memref<4x32xui8, #mem.level<"L1">>, %w: memref<10x32xui8, #mem.level<"L1">>, %s: memref<4x10xsi32, #mem.level<"L1">>, %y: memref<4x10xsi32, #mem.level<"L1">>) {
  %q = npu.queue of "neureka"
  npu.start ins(%x, %w, %s : memref<4x32xui8, #mem.level<"L1">>, memref<10x32xui8, #mem.level<"L1">>, memref<4x10xsi32, #mem.level<"L1">>) outs(%y : memref<4x10xsi32, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<4x32xui8>, %1: tensor<10x32xui8>, %2: tensor<4x10xsi32>):
    %3 = npu.conv %0, %1 onto %2 : tensor<4x10xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<4x32xui8>, tensor<10x32xui8> -> tensor<4x10xsi32>
    npu.yield %3 : tensor<4x10xsi32>
  }
  func.return
}

// CHECK: npu.start: the accelerator adds to sums where its result goes
