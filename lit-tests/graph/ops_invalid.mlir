// RUN: %invalid | filecheck %s

// What the verifiers of the graph dialect reject.

func.func @network(%x: tensor<1x2x4x4xsi8>, %w: tensor<3x1x3x3xsi8>) {
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1} : tensor<1x2x4x4xsi8>, tensor<3x1x3x3xsi8> -> tensor<1x3x2x2xsi32>
  func.return
}

// CHECK: 'graph.conv' has weights for 1 input channels per group, but its input has 2

// -----

func.func @network(%x: tensor<1x2x4x4xsi8>, %w: tensor<3x1x3x3xsi8>) {
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 2} : tensor<1x2x4x4xsi8>, tensor<3x1x3x3xsi8> -> tensor<1x3x2x2xsi32>
  func.return
}

// CHECK: 'graph.conv' cannot divide its channels into 2 groups

// -----

func.func @network(%x: tensor<1x2x2x4xsi8>, %w: tensor<3x2x3x3xsi8>) {
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1} : tensor<1x2x2x4xsi8>, tensor<3x2x3x3xsi8> -> tensor<1x3x1x2xsi32>
  func.return
}

// CHECK: 'graph.conv' has a window (3, 3) larger than its input

// -----

func.func @network(%x: tensor<1x2x4x4xsi8>, %w: tensor<3x2x3x3xsi8>) {
  %0 = graph.conv %x, %w {strides = array<i64: 1, 0>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1} : tensor<1x2x4x4xsi8>, tensor<3x2x3x3xsi8> -> tensor<1x3x2x2xsi32>
  func.return
}

// CHECK: 'graph.conv' needs strides and dilations of 1 or more

// -----

func.func @network(%x: tensor<1x2x4x4xsi8>, %w: tensor<3x2x3x3xsi8>) {
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 0} : tensor<1x2x4x4xsi8>, tensor<3x2x3x3xsi8> -> tensor<1x3x2x2xsi32>
  func.return
}

// CHECK: 'graph.conv' needs 1 group or more

// -----

func.func @network(%x: tensor<1x2x4x4xsi8>, %w: tensor<3x2x3x3xsi8>) {
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1} : tensor<1x2x4x4xsi8>, tensor<3x2x3x3xsi8> -> tensor<1x3x4x4xsi32>
  func.return
}

// CHECK: 'graph.conv' gives shape (1, 3, 2, 2), not (1, 3, 4, 4)

// -----

func.func @network(%x: tensor<2x4x4xsi8>) {
  %0 = graph.max_pool %x {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>} : tensor<2x4x4xsi8> -> tensor<2x3x3xsi8>
  func.return
}

// CHECK: 'graph.max_pool' needs images of rank 4, not 3

// -----

func.func @network(%x: tensor<1x4x4x2xsi8>, %w: tensor<3x3x2xsi8>) {
  %0 = graph.depthwise_conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : tensor<1x4x4x2xsi8>, tensor<3x3x2xsi8> -> tensor<1x2x2x2xsi32>
  func.return
}

// CHECK: 'graph.depthwise_conv' needs 'channels_last'

// -----

func.func @network(%x: tensor<2x3xsi8>, %w: tensor<4x5xsi8>) {
  %0 = graph.matmul %x, %w : tensor<2x3xsi8>, tensor<4x5xsi8> -> tensor<2x5xsi32>
  func.return
}

// CHECK: 'graph.matmul' contracts 3 columns with 4 rows

// -----

func.func @network(%x: tensor<2x3xsi8>, %w: tensor<3x5xsi8>, %m: tensor<4xsi32>) {
  %0 = graph.matmul %x, %w mul %m : tensor<4xsi32> {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<2x3xsi8>, tensor<3x5xsi8> -> tensor<2x5xsi8>
  func.return
}

// CHECK: 'graph.matmul' needs 'mul' and 'add' of shape (5,), not (4,)

// -----

func.func @network(%x: tensor<2x3xsi8>, %w: tensor<3x5xsi8>, %m: tensor<5xsi32>) {
  %0 = graph.matmul %x, %w mul %m : tensor<5xsi32> : tensor<2x3xsi8>, tensor<3x5xsi8> -> tensor<2x5xsi32>
  func.return
}

// CHECK: 'graph.matmul' has 'mul' or 'add' but no 'requant'

// -----

func.func @network(%x: tensor<2x3xsi8>, %w: tensor<3x5xsi8>, %m: tensor<4x2x5xsi8>) {
  %0 = graph.matmul_add %x, %w, %m {product_requant = #graph.requant<mul = 1, add = 0, shift = 8, min = -128, max = 127>} : tensor<2x3xsi8>, tensor<3x5xsi8>, tensor<4x2x5xsi8> -> tensor<4x2x5xsi32>
  func.return
}

// CHECK: 'graph.matmul_add' has an addend larger than its product

// -----

func.func @network(%x: tensor<2x3xf32>, %w: tensor<3x5xf32>, %m: tensor<5xf32>) {
  %0 = graph.matmul_add %x, %w, %m {product_requant = #graph.requant<mul = 1, add = 0, shift = 8, min = -128, max = 127>} : tensor<2x3xf32>, tensor<3x5xf32>, tensor<5xf32> -> tensor<2x5xf32>
  func.return
}

// CHECK: 'graph.matmul_add' needs integers

// -----

func.func @network(%x: tensor<2xsi8>, %y: tensor<3xsi8>) {
  %0 = graph.add %x, %y : tensor<2xsi8>, tensor<3xsi8> -> tensor<3xsi32>
  func.return
}

// CHECK: 'graph.add' cannot broadcast shapes [(2,), (3,)]

// -----

func.func @network(%x: tensor<2xsi8>) {
  %0 = graph.requant %x {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<2xsi8> -> tensor<2xui8>
  func.return
}

// CHECK: 'graph.requant' requantises to [-128, 127], which ui8 cannot hold

// -----

func.func @network(%x: tensor<2xsi8>, %m: tensor<3x2xsi32>) {
  %0 = graph.requant %x mul %m : tensor<3x2xsi32> {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<2xsi8> -> tensor<2xsi8>
  func.return
}

// CHECK: 'graph.requant' has factors larger than its input

// -----

func.func @network(%x: tensor<2xsi8>) {
  %0 = graph.requant %x {requant = #graph.requant<mul = 1, add = 0, shift = 32, min = 0, max = 1>} : tensor<2xsi8> -> tensor<2xsi8>
  func.return
}

// CHECK: requant shift must be 0 to 31, not 32

// -----

func.func @network(%x: tensor<2xsi8>) {
  %0 = graph.clip %x {min = 5, max = 0} : tensor<2xsi8> -> tensor<2xsi8>
  func.return
}

// CHECK: requant min 5 exceeds max 0

// -----

func.func @network(%x: tensor<2x3xsi8>) {
  %0 = graph.reshape %x : tensor<2x3xsi8> -> tensor<5xsi8>
  func.return
}

// CHECK: 'graph.reshape' must keep the number of elements

// -----

func.func @network(%x: tensor<2x3xsi8>) {
  %0 = graph.transpose %x {permutation = array<i64: 0, 0>} : tensor<2x3xsi8> -> tensor<2x2xsi8>
  func.return
}

// CHECK: 'graph.transpose' needs a permutation of 2 dimensions

// -----

func.func @network(%x: tensor<4xsi8>) {
  %0 = graph.slice %x {starts = array<i64: 2>, steps = array<i64: 2>} : tensor<4xsi8> -> tensor<2xsi8>
  func.return
}

// CHECK: 'graph.slice' reaches over its input

// -----

func.func @network(%x: tensor<4xsi8>) {
  %0 = graph.pad %x {low = array<i64: -1>, high = array<i64: 2>, value = 0} : tensor<4xsi8> -> tensor<5xsi8>
  func.return
}

// CHECK: 'graph.pad' needs 1 pads ≥ 0 on each side

// -----

func.func @network(%x: tensor<2x3xsi8>, %y: tensor<3x3xsi8>) {
  %0 = graph.concat %x, %y {axis = 1} : tensor<2x3xsi8>, tensor<3x3xsi8> -> tensor<2x6xsi8>
  func.return
}

// CHECK: 'graph.concat' has operands that differ beside its axis
