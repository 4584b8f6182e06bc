// RUN: %invalid | filecheck %s

// What the verifier of the accelerator's convolutions rejects.

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "linear", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x6x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' has the modes pointwise, dense, depthwise

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64x1xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x64x1xui8> -> tensor<1x6x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' needs weights of rank 2

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x6x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' needs 2 strides and 4 pads

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>) {
  %0 = npu.conv %x, %w {mode = "pointwise", strides = array<i64: 0, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x6x6x16xsi32>
  func.return
}

// CHECK: 'npu.conv' needs strides of 1 or more

// -----

func.func @network(%x: tensor<1x2x6x40xui8>, %w: tensor<16x512xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "dense", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x2x6x40xui8>, tensor<16x512xui8> -> tensor<1x1x4x16xui8>
  func.return
}

// CHECK: 'npu.conv' has a window 3x3 larger than its input

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x6x5x16xui8>
  func.return
}

// CHECK: 'npu.conv' gives shape (1, 6, 6, 16), not (1, 6, 5, 16)

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 1, weight_offset = 0, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x6x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' takes weights of 2 to 8 bits, not 1

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x40xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x40xui8> -> tensor<1x6x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' needs packed weights of shape (16, 64), not (16, 40)

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x512xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "dense", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 4, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x512xui8> -> tensor<1x4x4x16xui8>
  func.return
}

// CHECK: 'npu.conv' needs packed weights of shape (16, 256), not (16, 512)

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 1, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x7x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' takes no pads in mode pointwise

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x512xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "dense", strides = array<i64: 1, 1>, pads = array<i64: 2, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x512xui8> -> tensor<1x6x4x16xui8>
  func.return
}

// CHECK: 'npu.conv' takes pads from 0 to 1

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x512xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "dense", strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x512xui8> -> tensor<1x2x2x16xui8>
  func.return
}

// CHECK: 'npu.conv' takes strides other than 1 in mode pointwise only

// -----

func.func @network(%x: tensor<1x6x6x40xsi32>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xsi32>, tensor<16x64xui8> -> tensor<1x6x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' needs input of ui8 or si8

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xsi32>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xsi32> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x6x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' needs mul of ui8 or ui32

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x6x6x16xsi16>
  func.return
}

// CHECK: 'npu.conv' needs result of ui8 or si8 or si32

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x6x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' needs 'requant' for a result of ui8

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x6x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' requantises with 'mul' and 'add' per channel only

// -----

func.func @network(%x: tensor<1x6x6x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 6>} : tensor<1x6x6x40xui8>, tensor<16x64xui8> -> tensor<1x6x6x16xui8>
  func.return
}

// CHECK: 'npu.conv' clamps to the range of ui8, not to 0 to 6

// -----

func.func @network(%x: tensor<6x40xsi8>, %w: tensor<16x512xui8>) {
  %0 = npu.conv %x, %w {mode = "dense", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<6x40xsi8>, tensor<16x512xui8> -> tensor<6x16xsi32>
  func.return
}

// CHECK: 'npu.conv' in mode dense takes no rank 2

// -----

func.func @network(%x: tensor<5x40xsi8>, %w: tensor<16x64xui8>, %s: tensor<5x8xsi32>) {
  %0 = npu.conv %x, %w onto %s : tensor<5x8xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<5x40xsi8>, tensor<16x64xui8> -> tensor<5x16xsi32>
  func.return
}

// CHECK: 'npu.conv' adds to sums of its result's type, without 'requant'

// -----

func.func @network(%x: tensor<5x40xsi8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>, %s: tensor<5x16xui8>) {
  %0 = npu.conv %x, %w onto %s : tensor<5x16xui8> mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<5x40xsi8>, tensor<16x64xui8> -> tensor<5x16xui8>
  func.return
}

// CHECK: 'npu.conv' adds to sums of its result's type, without 'requant'
