// RUN: %invalid | filecheck %s

func.func @negative(%x: tensor<4x8xf32, #graph.extent<-1, position>>) {
  func.return
}
// CHECK: #graph.extent needs a dimension ≥ 0 and position + a number ≥ 0

// -----

func.func @dropped(%x: tensor<4x8xf32, #graph.extent<1, position>>) {
  %0 = graph.softmax %x : tensor<4x8xf32, #graph.extent<1, position>> -> tensor<4x8xf32>
  func.return
}
// CHECK: 'graph.softmax' gives a tensor with #graph.extent<1, position>, not of fixed extents

// -----

func.func @invented(%x: tensor<4x8xf32>) {
  %0 = graph.softmax %x : tensor<4x8xf32> -> tensor<4x8xf32, #graph.extent<1, position>>
  func.return
}
// CHECK: 'graph.softmax' gives a tensor of fixed extents, not with #graph.extent<1, position>

// -----

func.func @beside(%x: tensor<4x8xf32, #graph.extent<1, position>>, %m: tensor<8xf32>) {
  %0 = graph.add %x, %m : tensor<4x8xf32, #graph.extent<1, position>>, tensor<8xf32> -> tensor<4x8xf32, #graph.extent<1, position>>
  func.return
}
// CHECK: 'graph.add' has an operand of fixed extent beside one that is as long as the position says

// -----

func.func @different(%x: tensor<4x8xf32, #graph.extent<1, position>>, %y: tensor<8xf32, #graph.extent<0, position + 1>>) {
  %0 = graph.add %x, %y : tensor<4x8xf32, #graph.extent<1, position>>, tensor<8xf32, #graph.extent<0, position + 1>> -> tensor<4x8xf32, #graph.extent<1, position>>
  func.return
}
// CHECK: 'graph.add' has operands of different run-time extents

// -----

func.func @square(%x: tensor<8x4xf32, #graph.extent<0, position>>) {
  %0 = graph.matmul %x, %x {transpose_rhs} : tensor<8x4xf32, #graph.extent<0, position>>, tensor<8x4xf32, #graph.extent<0, position>> -> tensor<8x8xf32>
  func.return
}
// CHECK: 'graph.matmul' has two run-time extents

// -----

func.func @padded(%x: tensor<4x8xf32, #graph.extent<1, position>>) {
  %0 = graph.pad %x {low = array<i64: 0, 0>, high = array<i64: 0, 1>, value = 0.0 : f64} : tensor<4x8xf32, #graph.extent<1, position>> -> tensor<4x9xf32, #graph.extent<1, position>>
  func.return
}
// CHECK: 'graph.pad' cannot work along dimension 1 of its operand, which is as long as the position says

// -----

func.func @merged(%x: tensor<4x8xf32, #graph.extent<1, position>>) {
  %0 = graph.reshape %x : tensor<4x8xf32, #graph.extent<1, position>> -> tensor<32xf32>
  func.return
}
// CHECK: 'graph.reshape' cannot change dimension 1 of its operand, which is as long as the position says

// -----

func.func @normalised(%x: tensor<4x8xf32, #graph.extent<1, position>>, %w: tensor<8xf32>) {
  %0 = graph.rms_norm %x, %w {epsilon = 1.0e-5 : f64} : tensor<4x8xf32, #graph.extent<1, position>>, tensor<8xf32> -> tensor<4x8xf32, #graph.extent<1, position>>
  func.return
}
// CHECK: 'graph.rms_norm' has an operand of fixed extent beside one that is as long as the position says

// -----

func.func @anywhere(%c: tensor<8x4xf32>, %r: tensor<1x4xf32>) {
  %0 = graph.insert %r into %c {axis = 0 : i64} : tensor<1x4xf32> into tensor<8x4xf32> -> tensor<8x4xf32>
  func.return
}
// CHECK: 'graph.insert' needs either an offset or a run-time extent

// -----

func.func @both(%c: tensor<8x4xf32, #graph.extent<0, position>>, %r: tensor<1x4xf32>) {
  %0 = graph.insert %r into %c {axis = 0 : i64, offset = 3 : i64} : tensor<1x4xf32> into tensor<8x4xf32, #graph.extent<0, position>> -> tensor<8x4xf32, #graph.extent<0, position + 1>>
  func.return
}
// CHECK: 'graph.insert' needs either an offset or a run-time extent

// -----

func.func @rows(%c: tensor<8x4xf32, #graph.extent<0, position>>, %r: tensor<2x4xf32, #graph.extent<0, position>>) {
  %0 = graph.insert %r into %c {axis = 0 : i64} : tensor<2x4xf32, #graph.extent<0, position>> into tensor<8x4xf32, #graph.extent<0, position>> -> tensor<8x4xf32, #graph.extent<0, position + 2>>
  func.return
}
// CHECK: 'graph.insert' needs rows of fixed extents

// -----

func.func @nest(%x: tensor<4x8xf32, #graph.extent<1, position>>) {
  %0 = tiled.nest ins(%x : tensor<4x8xf32, #graph.extent<1, position>>) -> tensor<4x8xf32, #graph.extent<1, position>> {
  ^bb0(%a: tensor<4x8xf32, #graph.extent<1, position>>):
    %1 = graph.softmax %a : tensor<4x8xf32, #graph.extent<1, position>> -> tensor<4x8xf32, #graph.extent<1, position>>
    tiled.yield %1 : tensor<4x8xf32, #graph.extent<1, position>>
  }
  func.return
}
// CHECK: 'tiled.nest' needs a position where it has run-time extents
