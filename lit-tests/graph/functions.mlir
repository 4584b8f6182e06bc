// RUN: %roundtrip
// RUN: %generic_roundtrip

// Functions of elements, conversions between element types, and reductions.

func.func @int_hardswish(%x: tensor<3x40xsi8>) -> tensor<3x40xsi32> {
  %0 = graph.int_hardswish %x {one_over_six = 42 : i64, three = 122 : i64, six = 244 : i64} : tensor<3x40xsi8> -> tensor<3x40xsi32>
  func.return %0 : tensor<3x40xsi32>
}

// CHECK-LABEL: func.func @int_hardswish(%x: tensor<3x40xsi8>) -> tensor<3x40xsi32> {
// CHECK-NEXT:    %0 = graph.int_hardswish %x {one_over_six = 42 : i64, three = 122 : i64, six = 244 : i64} : tensor<3x40xsi8> -> tensor<3x40xsi32>

func.func @int_hardswish_requant(%x: tensor<3x40xsi8>, %a: tensor<40xsi32>) -> tensor<3x40xsi8> {
  %0 = graph.int_hardswish %x add %a : tensor<40xsi32> {one_over_six = 42 : i64, three = 122 : i64, six = 244 : i64, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<3x40xsi8> -> tensor<3x40xsi8>
  func.return %0 : tensor<3x40xsi8>
}

// CHECK-LABEL: func.func @int_hardswish_requant(%x: tensor<3x40xsi8>, %a: tensor<40xsi32>) -> tensor<3x40xsi8> {
// CHECK-NEXT:    %0 = graph.int_hardswish %x add %a : tensor<40xsi32> {one_over_six = 42 : i64, three = 122 : i64, six = 244 : i64, requant = #graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>} : tensor<3x40xsi8> -> tensor<3x40xsi8>

func.func @lookup(%x: tensor<3x40xsi8>, %t: tensor<256xui8>) -> tensor<3x40xui8> {
  %0 = graph.lookup %x in %t : tensor<3x40xsi8> in tensor<256xui8> -> tensor<3x40xui8>
  func.return %0 : tensor<3x40xui8>
}

// CHECK-LABEL: func.func @lookup(%x: tensor<3x40xsi8>, %t: tensor<256xui8>) -> tensor<3x40xui8> {
// CHECK-NEXT:    %0 = graph.lookup %x in %t : tensor<3x40xsi8> in tensor<256xui8> -> tensor<3x40xui8>

func.func @int_gelu(%x: tensor<3x40xsi8>) -> tensor<3x40xsi32> {
  %0 = graph.int_gelu %x {b = -40 : i64, one = 1743 : i64} : tensor<3x40xsi8> -> tensor<3x40xsi32>
  func.return %0 : tensor<3x40xsi32>
}

// CHECK-LABEL: func.func @int_gelu(%x: tensor<3x40xsi8>) -> tensor<3x40xsi32> {
// CHECK-NEXT:    %0 = graph.int_gelu %x {b = -40 : i64, one = 1743 : i64} : tensor<3x40xsi8> -> tensor<3x40xsi32>

func.func @unary_float(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = graph.unary "gelu" %x : tensor<3x4xf32> -> tensor<3x4xf32>
  func.return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @unary_float(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
// CHECK-NEXT:    %0 = graph.unary "gelu" %x : tensor<3x4xf32> -> tensor<3x4xf32>

func.func @unary_float_clip(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %0 = graph.unary "clip" %x {alpha = -5.000000e-01 : f64, beta = 2.500000e-01 : f64} : tensor<3x4xf32> -> tensor<3x4xf32>
  func.return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @unary_float_clip(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
// CHECK-NEXT:    %0 = graph.unary "clip" %x {alpha = -5.000000e-01 : f64, beta = 2.500000e-01 : f64} : tensor<3x4xf32> -> tensor<3x4xf32>

func.func @cast_to_float(%x: tensor<3x4xui8>) -> tensor<3x4xf32> {
  %0 = graph.cast %x : tensor<3x4xui8> -> tensor<3x4xf32>
  func.return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @cast_to_float(%x: tensor<3x4xui8>) -> tensor<3x4xf32> {
// CHECK-NEXT:    %0 = graph.cast %x : tensor<3x4xui8> -> tensor<3x4xf32>

func.func @cast_from_float(%x: tensor<30x4xf32>) -> tensor<30x4xui8> {
  %0 = graph.cast %x : tensor<30x4xf32> -> tensor<30x4xui8>
  func.return %0 : tensor<30x4xui8>
}

// CHECK-LABEL: func.func @cast_from_float(%x: tensor<30x4xf32>) -> tensor<30x4xui8> {
// CHECK-NEXT:    %0 = graph.cast %x : tensor<30x4xf32> -> tensor<30x4xui8>

func.func @quantize_float(%x: tensor<30x4xf32>) -> tensor<30x4xsi8> {
  %0 = graph.quantize %x {scale = 3.150000e+01 : f64, zero_point = 2.000000e+00 : f64, min = -50 : i64, max = 60 : i64} : tensor<30x4xf32> -> tensor<30x4xsi8>
  func.return %0 : tensor<30x4xsi8>
}

// CHECK-LABEL: func.func @quantize_float(%x: tensor<30x4xf32>) -> tensor<30x4xsi8> {
// CHECK-NEXT:    %0 = graph.quantize %x {scale = 3.150000e+01 : f64, zero_point = 2.000000e+00 : f64, min = -50 : i64, max = 60 : i64} : tensor<30x4xf32> -> tensor<30x4xsi8>

func.func @dequantize_float(%x: tensor<3x4xsi8>) -> tensor<3x4xf32> {
  %0 = graph.dequantize %x {scale = 3.000000e-01 : f64, zero_point = 2.000000e+00 : f64} : tensor<3x4xsi8> -> tensor<3x4xf32>
  func.return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @dequantize_float(%x: tensor<3x4xsi8>) -> tensor<3x4xf32> {
// CHECK-NEXT:    %0 = graph.dequantize %x {scale = 3.000000e-01 : f64, zero_point = 2.000000e+00 : f64} : tensor<3x4xsi8> -> tensor<3x4xf32>

func.func @reduce_sum(%x: tensor<3x4x5xsi8>) -> tensor<3x1x5xsi32> {
  %0 = graph.reduce "sum" %x {axes = array<i64: 1>} : tensor<3x4x5xsi8> -> tensor<3x1x5xsi32>
  func.return %0 : tensor<3x1x5xsi32>
}

// CHECK-LABEL: func.func @reduce_sum(%x: tensor<3x4x5xsi8>) -> tensor<3x1x5xsi32> {
// CHECK-NEXT:    %0 = graph.reduce "sum" %x {axes = array<i64: 1>} : tensor<3x4x5xsi8> -> tensor<3x1x5xsi32>

func.func @reduce_mean(%x: tensor<3x4x5xsi8>) -> tensor<1x4x1xsi8> {
  %0 = graph.reduce "mean" %x {axes = array<i64: 0, 2>} : tensor<3x4x5xsi8> -> tensor<1x4x1xsi8>
  func.return %0 : tensor<1x4x1xsi8>
}

// CHECK-LABEL: func.func @reduce_mean(%x: tensor<3x4x5xsi8>) -> tensor<1x4x1xsi8> {
// CHECK-NEXT:    %0 = graph.reduce "mean" %x {axes = array<i64: 0, 2>} : tensor<3x4x5xsi8> -> tensor<1x4x1xsi8>

func.func @reduce_max(%x: tensor<3x4x5xui8>) -> tensor<3x4x1xui8> {
  %0 = graph.reduce "max" %x {axes = array<i64: 2>} : tensor<3x4x5xui8> -> tensor<3x4x1xui8>
  func.return %0 : tensor<3x4x1xui8>
}

// CHECK-LABEL: func.func @reduce_max(%x: tensor<3x4x5xui8>) -> tensor<3x4x1xui8> {
// CHECK-NEXT:    %0 = graph.reduce "max" %x {axes = array<i64: 2>} : tensor<3x4x5xui8> -> tensor<3x4x1xui8>

func.func @reduce_min(%x: tensor<3x4xsi32>) -> tensor<1x4xsi32> {
  %0 = graph.reduce "min" %x {axes = array<i64: 0>} : tensor<3x4xsi32> -> tensor<1x4xsi32>
  func.return %0 : tensor<1x4xsi32>
}

// CHECK-LABEL: func.func @reduce_min(%x: tensor<3x4xsi32>) -> tensor<1x4xsi32> {
// CHECK-NEXT:    %0 = graph.reduce "min" %x {axes = array<i64: 0>} : tensor<3x4xsi32> -> tensor<1x4xsi32>

func.func @reduce_mean_float(%x: tensor<3x4x5xf32>) -> tensor<1x1x5xf32> {
  %0 = graph.reduce "mean" %x {axes = array<i64: 0, 1>} : tensor<3x4x5xf32> -> tensor<1x1x5xf32>
  func.return %0 : tensor<1x1x5xf32>
}

// CHECK-LABEL: func.func @reduce_mean_float(%x: tensor<3x4x5xf32>) -> tensor<1x1x5xf32> {
// CHECK-NEXT:    %0 = graph.reduce "mean" %x {axes = array<i64: 0, 1>} : tensor<3x4x5xf32> -> tensor<1x1x5xf32>

func.func @quantize_half_even(%x: tensor<30x4xf32>) -> tensor<30x4xui8> {
  %0 = graph.quantize %x {scale = 3.150000e+01 : f64, zero_point = 3.000000e+00 : f64, min = 0 : i64, max = 255 : i64, half_even} : tensor<30x4xf32> -> tensor<30x4xui8>
  func.return %0 : tensor<30x4xui8>
}

// CHECK-LABEL: func.func @quantize_half_even(%x: tensor<30x4xf32>) -> tensor<30x4xui8> {
// CHECK-NEXT:    %0 = graph.quantize %x {scale = 3.150000e+01 : f64, zero_point = 3.000000e+00 : f64, min = 0 : i64, max = 255 : i64, half_even} : tensor<30x4xf32> -> tensor<30x4xui8>

func.func @dequantize_channels(%x: tensor<3x4xsi8>, %s: tensor<3x1xf32>) -> tensor<3x4xf32> {
  %0 = graph.dequantize %x scales %s : tensor<3x1xf32> {scale = 1.000000e+00 : f64, zero_point = 0.000000e+00 : f64} : tensor<3x4xsi8> -> tensor<3x4xf32>
  func.return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @dequantize_channels(%x: tensor<3x4xsi8>, %s: tensor<3x1xf32>) -> tensor<3x4xf32> {
// CHECK-NEXT:    %0 = graph.dequantize %x scales %s : tensor<3x1xf32> {scale = 1.000000e+00 : f64, zero_point = 0.000000e+00 : f64} : tensor<3x4xsi8> -> tensor<3x4xf32>
