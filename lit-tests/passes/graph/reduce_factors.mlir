// RUN: deeploy-opt %s -p reduce-factors --check-semantics | filecheck %s

// The sum of two bytes, times one: the clamp is all that is left. Half of a byte never leaves the
// bounds of a byte, so the operand is not clamped.

func.func @sum(%x: tensor<4xsi8>, %y: tensor<4xsi8>) -> tensor<4xsi8> {
  %0 = graph.add %x, %y {requant = #graph.requant<mul = 65536, add = 32768, shift = 16, min = -128, max = 127>, lhs_requant = #graph.requant<mul = 32764, add = 32768, shift = 16, min = -128, max = 127>} : tensor<4xsi8>, tensor<4xsi8> -> tensor<4xsi8>
  func.return %0 : tensor<4xsi8>
}

// CHECK-LABEL: func.func @sum
// CHECK-NEXT:    %0 = graph.add %x, %y {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>, lhs_requant = #graph.requant<mul = 8191, add = 8192, shift = 14, min = -2147483648, max = 2147483647>} : tensor<4xsi8>, tensor<4xsi8> -> tensor<4xsi8>

// An operand that is multiplied by one and never clamped is read as it is.

func.func @identity(%x: tensor<4xsi8>, %y: tensor<4xsi8>) -> tensor<4xsi32> {
  %0 = graph.sub %x, %y {rhs_requant = #graph.requant<mul = 256, add = 128, shift = 8, min = -128, max = 127>} : tensor<4xsi8>, tensor<4xsi8> -> tensor<4xsi32>
  func.return %0 : tensor<4xsi32>
}

// CHECK-LABEL: func.func @identity
// CHECK-NEXT:    %0 = graph.sub %x, %y : tensor<4xsi8>, tensor<4xsi8> -> tensor<4xsi32>

// The lowest bit of the sum is shifted out in any case: 3 becomes 1.

func.func @odd_addend(%x: tensor<4xsi8>) -> tensor<4xsi8> {
  %0 = graph.requant %x {requant = #graph.requant<mul = 12, add = 3, shift = 3, min = -128, max = 127>} : tensor<4xsi8> -> tensor<4xsi8>
  func.return %0 : tensor<4xsi8>
}

// CHECK-LABEL: func.func @odd_addend
// CHECK-NEXT:    %0 = graph.requant %x {requant = #graph.requant<mul = 3, add = 0, shift = 1, min = -128, max = 127>} : tensor<4xsi8> -> tensor<4xsi8>

// Products of words wrap around: nothing changes.

func.func @wraps(%x: tensor<4xsi32>, %y: tensor<4xsi32>) -> tensor<4xsi8> {
  %0 = graph.add %x, %y {requant = #graph.requant<mul = 2, add = 0, shift = 1, min = -128, max = 127>} : tensor<4xsi32>, tensor<4xsi32> -> tensor<4xsi8>
  func.return %0 : tensor<4xsi8>
}

// CHECK-LABEL: func.func @wraps
// CHECK-NEXT:    %0 = graph.add %x, %y {requant = #graph.requant<mul = 2, add = 0, shift = 1, min = -128, max = 127>} : tensor<4xsi32>, tensor<4xsi32> -> tensor<4xsi8>

// A factor of 16 bits does the same to all sums of two bytes.

func.func @short_factor(%x: tensor<4xsi8>, %y: tensor<4xsi8>) -> tensor<4xsi8> {
  %0 = graph.add %x, %y {requant = #graph.requant<mul = 46711, add = 32768, shift = 16, min = -128, max = 127>} : tensor<4xsi8>, tensor<4xsi8> -> tensor<4xsi8>
  func.return %0 : tensor<4xsi8>
}

// CHECK-LABEL: func.func @short_factor
// CHECK-NEXT:    %0 = graph.add %x, %y {requant = #graph.requant<mul = 23355, add = 16384, shift = 15, min = -128, max = 127>}
