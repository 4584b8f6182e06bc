// RUN: deeploy-opt %s -p simplify | filecheck %s

// Multiplying by 2^8 and shifting by 8, with rounding, is nothing.

func.func @identity_requant(%x: tensor<4xsi8>) -> tensor<4xsi8> {
  %0 = graph.requant %x {requant = #graph.requant<mul = 256, add = 128, shift = 8, min = -128, max = 127>} : tensor<4xsi8> -> tensor<4xsi8>
  func.return %0 : tensor<4xsi8>
}

// CHECK-LABEL: func.func @identity_requant(%x: tensor<4xsi8>) -> tensor<4xsi8> {
// CHECK-NEXT:    %0 = graph.copy %x : tensor<4xsi8> -> tensor<4xsi8>
// CHECK-NEXT:    func.return %0 : tensor<4xsi8>
// CHECK-NEXT:  }

// As before, but bounds and type remain.

func.func @requant_to_clip(%x: tensor<4xsi8>) -> tensor<4xui8> {
  %0 = graph.requant %x {requant = #graph.requant<mul = 256, add = 0, shift = 8, min = 0, max = 100>} : tensor<4xsi8> -> tensor<4xui8>
  func.return %0 : tensor<4xui8>
}

// CHECK-LABEL: func.func @requant_to_clip(%x: tensor<4xsi8>) -> tensor<4xui8> {
// CHECK-NEXT:    %0 = graph.clip %x {min = 0 : i64, max = 100 : i64} : tensor<4xsi8> -> tensor<4xui8>
// CHECK-NEXT:    func.return %0 : tensor<4xui8>
// CHECK-NEXT:  }

// 32-bit values could wrap around when multiplied: left alone.

func.func @wide_requant(%x: tensor<4xsi32>) -> tensor<4xsi32> {
  %0 = graph.requant %x {requant = #graph.requant<mul = 256, add = 0, shift = 8, min = -2147483648, max = 2147483647>} : tensor<4xsi32> -> tensor<4xsi32>
  func.return %0 : tensor<4xsi32>
}

// CHECK-LABEL: func.func @wide_requant(%x: tensor<4xsi32>) -> tensor<4xsi32> {
// CHECK-NEXT:    %0 = graph.requant %x {requant = #graph.requant<mul = 256, add = 0, shift = 8, min = -2147483648, max = 2147483647>} : tensor<4xsi32> -> tensor<4xsi32>
// CHECK-NEXT:    func.return %0 : tensor<4xsi32>
// CHECK-NEXT:  }

// Movements that move nothing. Still, an output must not be the input itself.

func.func @movements(%x: tensor<2x3xsi8>) -> tensor<2x3xsi8> {
  %0 = graph.copy %x : tensor<2x3xsi8> -> tensor<2x3xsi8>
  %1 = graph.slice %0 {starts = array<i64: 0, 0>, steps = array<i64: 1, 1>} : tensor<2x3xsi8> -> tensor<2x3xsi8>
  %2 = graph.pad %1 {low = array<i64: 0, 0>, high = array<i64: 0, 0>, value = 0} : tensor<2x3xsi8> -> tensor<2x3xsi8>
  %3 = graph.concat %2 {axis = 0} : tensor<2x3xsi8> -> tensor<2x3xsi8>
  %4 = graph.reshape %3 : tensor<2x3xsi8> -> tensor<2x3xsi8>
  %5 = graph.transpose %4 {permutation = array<i64: 0, 1>} : tensor<2x3xsi8> -> tensor<2x3xsi8>
  %6 = graph.clip %5 {min = -128, max = 127} : tensor<2x3xsi8> -> tensor<2x3xsi8>
  func.return %6 : tensor<2x3xsi8>
}

// CHECK-LABEL: func.func @movements(%x: tensor<2x3xsi8>) -> tensor<2x3xsi8> {
// CHECK-NEXT:    %0 = graph.copy %x : tensor<2x3xsi8> -> tensor<2x3xsi8>
// CHECK-NEXT:    func.return %0 : tensor<2x3xsi8>
// CHECK-NEXT:  }

// The only copy between an input and an output stays.

func.func @output_copy(%x: tensor<2xsi8>) -> tensor<2xsi8> {
  %0 = graph.copy %x : tensor<2xsi8> -> tensor<2xsi8>
  func.return %0 : tensor<2xsi8>
}

// CHECK-LABEL: func.func @output_copy(%x: tensor<2xsi8>) -> tensor<2xsi8> {
// CHECK-NEXT:    %0 = graph.copy %x : tensor<2xsi8> -> tensor<2xsi8>
// CHECK-NEXT:    func.return %0 : tensor<2xsi8>
// CHECK-NEXT:  }

// Two reshapes, two transposes.

func.func @pairs(%x: tensor<2x3x4xsi8>) -> (tensor<12x2xsi8>, tensor<3x4x2xsi8>) {
  %0 = graph.reshape %x : tensor<2x3x4xsi8> -> tensor<24xsi8>
  %1 = graph.reshape %0 : tensor<24xsi8> -> tensor<12x2xsi8>
  %2 = graph.transpose %x {permutation = array<i64: 2, 0, 1>} : tensor<2x3x4xsi8> -> tensor<4x2x3xsi8>
  %3 = graph.transpose %2 {permutation = array<i64: 2, 0, 1>} : tensor<4x2x3xsi8> -> tensor<3x4x2xsi8>
  func.return %1, %3 : tensor<12x2xsi8>, tensor<3x4x2xsi8>
}

// CHECK-LABEL: func.func @pairs(%x: tensor<2x3x4xsi8>) -> (tensor<12x2xsi8>, tensor<3x4x2xsi8>) {
// CHECK-NEXT:    %0 = graph.reshape %x : tensor<2x3x4xsi8> -> tensor<12x2xsi8>
// CHECK-NEXT:    %1 = graph.transpose %x {permutation = array<i64: 1, 2, 0>} : tensor<2x3x4xsi8> -> tensor<3x4x2xsi8>
// CHECK-NEXT:    func.return %0, %1 : tensor<12x2xsi8>, tensor<3x4x2xsi8>
// CHECK-NEXT:  }

// A transpose that moves only dimensions of extent 1 is a reshape.

func.func @unit_dimensions(%x: tensor<1x1x3x4xsi8>) -> tensor<1x3x4x1xsi8> {
  %0 = graph.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : tensor<1x1x3x4xsi8> -> tensor<1x3x4x1xsi8>
  func.return %0 : tensor<1x3x4x1xsi8>
}

// CHECK-LABEL: func.func @unit_dimensions(%x: tensor<1x1x3x4xsi8>) -> tensor<1x3x4x1xsi8> {
// CHECK-NEXT:    %0 = graph.reshape %x : tensor<1x1x3x4xsi8> -> tensor<1x3x4x1xsi8>
// CHECK-NEXT:    func.return %0 : tensor<1x3x4x1xsi8>
// CHECK-NEXT:  }

// Clips are merged, with each other and into a requantisation before them.

func.func @clips(%x: tensor<4xsi32>) -> tensor<4xui8> {
  %0 = graph.requant %x {requant = #graph.requant<mul = 3, add = 0, shift = 4, min = -128, max = 127>} : tensor<4xsi32> -> tensor<4xsi8>
  %1 = graph.clip %0 {min = 0, max = 127} : tensor<4xsi8> -> tensor<4xsi8>
  %2 = graph.clip %1 {min = 0, max = 60} : tensor<4xsi8> -> tensor<4xui8>
  func.return %2 : tensor<4xui8>
}

// CHECK-LABEL: func.func @clips(%x: tensor<4xsi32>) -> tensor<4xui8> {
// CHECK-NEXT:    %0 = graph.requant %x {requant = #graph.requant<mul = 3, add = 0, shift = 4, min = 0, max = 60>} : tensor<4xsi32> -> tensor<4xui8>
// CHECK-NEXT:    func.return %0 : tensor<4xui8>
// CHECK-NEXT:  }

// Factors with one value become numbers; others lose the dimensions that do not vary.

func.func @factors(%x: tensor<1x2x2x1xsi32>) -> tensor<1x2x2x1xsi8> {
  %m = graph.constant dense<7> : tensor<1x2x1x1xsi32>
  %a = graph.constant dense<[[[[1], [1]], [[2], [2]]]]> : tensor<1x2x2x1xsi32>
  %0 = graph.requant %x mul %m : tensor<1x2x1x1xsi32> add %a : tensor<1x2x2x1xsi32> {requant = #graph.requant<mul = 1, add = 0, shift = 4, min = -128, max = 127>} : tensor<1x2x2x1xsi32> -> tensor<1x2x2x1xsi8>
  func.return %0 : tensor<1x2x2x1xsi8>
}

// CHECK-LABEL: func.func @factors(%x: tensor<1x2x2x1xsi32>) -> tensor<1x2x2x1xsi8> {
// CHECK-NEXT:    %add = graph.constant dense<[[[1]], [[2]]]> : tensor<2x1x1xsi32>
// CHECK-NEXT:    %0 = graph.requant %x add %add : tensor<2x1x1xsi32> {requant = #graph.requant<mul = 7, add = 0, shift = 4, min = -128, max = 127>} : tensor<1x2x2x1xsi32> -> tensor<1x2x2x1xsi8>
// CHECK-NEXT:    func.return %0 : tensor<1x2x2x1xsi8>
// CHECK-NEXT:  }
