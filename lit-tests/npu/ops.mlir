// RUN: %roundtrip
// RUN: %generic_roundtrip

// Convolutions: requantised with a scale of 8 bits, and with stride; 32-bit sums of
// 4-bit weights; depthwise.

func.func @pointwise(%x: tensor<1x5x7x40xui8>, %w: tensor<16x64xui8>, %m: tensor<16xui8>, %a: tensor<16xsi32>) -> tensor<1x3x7x16xui8> {
  %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 2, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x5x7x40xui8>, tensor<16x64xui8> -> tensor<1x3x7x16xui8>
  func.return %0 : tensor<1x3x7x16xui8>
}

// CHECK-LABEL: func.func @pointwise
// CHECK-NEXT:    %0 = npu.conv %x, %w mul %m : tensor<16xui8> add %a : tensor<16xsi32> {mode = "pointwise", strides = array<i64: 2, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8 : i64, weight_offset = -128 : i64, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = 0, max = 255>} : tensor<1x5x7x40xui8>, tensor<16x64xui8> -> tensor<1x3x7x16xui8>

func.func @dense(%x: tensor<1x5x7x30xsi8>, %w: tensor<16x256xui8>) -> tensor<1x5x6x16xsi32> {
  %0 = npu.conv %x, %w {mode = "dense", strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 0>, weight_bits = 4, weight_offset = -8} : tensor<1x5x7x30xsi8>, tensor<16x256xui8> -> tensor<1x5x6x16xsi32>
  func.return %0 : tensor<1x5x6x16xsi32>
}

// CHECK-LABEL: func.func @dense
// CHECK-NEXT:    %0 = npu.conv %x, %w {mode = "dense", strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 0>, weight_bits = 4 : i64, weight_offset = -8 : i64} : tensor<1x5x7x30xsi8>, tensor<16x256xui8> -> tensor<1x5x6x16xsi32>

func.func @depthwise(%x: tensor<1x8x8x30xsi8>, %w: tensor<2x256xui8>, %m: tensor<30xui32>, %a: tensor<30xsi32>) -> tensor<1x8x8x30xsi8> {
  %0 = npu.conv %x, %w mul %m : tensor<30xui32> add %a : tensor<30xsi32> {mode = "depthwise", strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, weight_bits = 8, weight_offset = -128, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x8x8x30xsi8>, tensor<2x256xui8> -> tensor<1x8x8x30xsi8>
  func.return %0 : tensor<1x8x8x30xsi8>
}

// CHECK-LABEL: func.func @depthwise
// CHECK-NEXT:    %0 = npu.conv %x, %w mul %m : tensor<30xui32> add %a : tensor<30xsi32> {mode = "depthwise", strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, weight_bits = 8 : i64, weight_offset = -128 : i64, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x8x8x30xsi8>, tensor<2x256xui8> -> tensor<1x8x8x30xsi8>

func.func @linear(%x: tensor<5x40xsi8>, %w: tensor<16x64xui8>) -> tensor<5x16xsi32> {
  %0 = npu.conv %x, %w {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<5x40xsi8>, tensor<16x64xui8> -> tensor<5x16xsi32>
  func.return %0 : tensor<5x16xsi32>
}

// CHECK-LABEL: func.func @linear
// CHECK-NEXT:    %0 = npu.conv %x, %w {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8 : i64, weight_offset = -128 : i64} : tensor<5x40xsi8>, tensor<16x64xui8> -> tensor<5x16xsi32>

func.func @onto(%x: tensor<5x40xsi8>, %w: tensor<16x64xui8>, %s: tensor<5x16xsi32>) -> tensor<5x16xsi32> {
  %0 = npu.conv %x, %w onto %s : tensor<5x16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<5x40xsi8>, tensor<16x64xui8> -> tensor<5x16xsi32>
  func.return %0 : tensor<5x16xsi32>
}

// CHECK-LABEL: func.func @onto
// CHECK-NEXT:    %0 = npu.conv %x, %w onto %s : tensor<5x16xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8 : i64, weight_offset = -128 : i64} : tensor<5x40xsi8>, tensor<16x64xui8> -> tensor<5x16xsi32>
