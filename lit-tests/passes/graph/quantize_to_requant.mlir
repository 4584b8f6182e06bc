// RUN: deeploy-opt %s -p quantize-to-requant --split-input-file | filecheck %s
// RUN: deeploy-opt %s -p quantize-to-requant --check-semantics --split-input-file 2>&1 | filecheck %s --check-prefix=SAME

// SAME-COUNT-4: semantics: 1 passes checked, outputs unchanged

// 1.5 * (x - 2) + 7 = 1.5 * x + 4, with the largest shift for which nothing leaves 32 bits: the
// multiple of x = -128 has 24 + 8 bits.

func.func @value(%x: tensor<4xsi8>) -> tensor<4xui8> {
  %0 = graph.dequantize %x {scale = 0.5 : f64, zero_point = 2.0 : f64} : tensor<4xsi8> -> tensor<4xf32>
  %1 = graph.quantize %0 {scale = 3.0 : f64, zero_point = 7.0 : f64, min = 7, max = 255, half_even} : tensor<4xf32> -> tensor<4xui8>
  func.return %1 : tensor<4xui8>
}

// CHECK-LABEL: func.func @value
// CHECK-NEXT:    %0 = graph.requant %x {requant = #graph.requant<mul = 12582912, add = 37748736, shift = 23, min = 7, max = 255>} : tensor<4xsi8> -> tensor<4xui8>
// CHECK-NEXT:    func.return %0

// -----

// Operands are multiplied as they are read; their zero points are part of `add`.

func.func @sum(%x: tensor<4xsi8>, %y: tensor<4xui8>) -> tensor<4xsi8> {
  %0 = graph.dequantize %x {scale = 0.5 : f64, zero_point = 2.0 : f64} : tensor<4xsi8> -> tensor<4xf32>
  %1 = graph.dequantize %y {scale = 0.25 : f64, zero_point = 8.0 : f64} : tensor<4xui8> -> tensor<4xf32>
  %2 = graph.sub %0, %1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %3 = graph.quantize %2 {scale = 1.0 : f64, zero_point = 1.0 : f64, min = -128, max = 127, half_even} : tensor<4xf32> -> tensor<4xsi8>
  func.return %3 : tensor<4xsi8>
}

// CHECK-LABEL: func.func @sum
// CHECK-NEXT:    %0 = graph.sub %x, %y {lhs_requant = #graph.requant<mul = 8388608, add = 0, shift = 0, min = -2147483648, max = 2147483647>, rhs_requant = #graph.requant<mul = 4194304, add = 0, shift = 0, min = -2147483648, max = 2147483647>, requant = #graph.requant<mul = 1, add = 41943040, shift = 24, min = -128, max = 127>} : tensor<4xsi8>, tensor<4xui8> -> tensor<4xsi8>

// -----

// Where nothing is known of 32-bit integers, a product could leave 32 bits.

func.func @too_wide(%x: tensor<4xsi32>) -> tensor<4xsi8> {
  %0 = graph.dequantize %x {scale = 0.5 : f64, zero_point = 0.0 : f64} : tensor<4xsi32> -> tensor<4xf32>
  %1 = graph.quantize %0 {scale = 0.125 : f64, zero_point = 0.0 : f64, min = -128, max = 127, half_even} : tensor<4xf32> -> tensor<4xsi8>
  func.return %1 : tensor<4xsi8>
}

// CHECK-LABEL: func.func @too_wide
// CHECK-NEXT:    %0 = graph.dequantize %x
// CHECK-NEXT:    %1 = graph.quantize %0

// -----

// A scale for each channel that no quantisation follows.

func.func @scales(%x: tensor<3x4xsi8>) -> tensor<3x4xf32> {
  %s = graph.constant dense<[[0.5], [0.25], [2.0]]> : tensor<3x1xf32>
  %0 = graph.dequantize %x scales %s : tensor<3x1xf32> {scale = 1.0 : f64, zero_point = 3.0 : f64} : tensor<3x4xsi8> -> tensor<3x4xf32>
  func.return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @scales
// CHECK:         %0 = graph.dequantize %x {scale = 1.000000e+00 : f64, zero_point = 3.000000e+00 : f64} : tensor<3x4xsi8> -> tensor<3x4xf32>
// CHECK-NEXT:    %1 = graph.mul %0, %s : tensor<3x4xf32>, tensor<3x1xf32> -> tensor<3x4xf32>
