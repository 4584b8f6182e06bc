// RUN: %invalid | filecheck %s

// What the verifiers of gathers and of positions of extrema reject.

func.func @network(%x: tensor<7x4xsi8>, %i: tensor<5xsi32>) {
  %0 = graph.gather %x at %i : tensor<7x4xsi8> at tensor<5xsi32> -> tensor<5x4xsi8>
  func.return
}

// CHECK: 'graph.gather' needs a table of three dimensions and a vector

// -----

func.func @network(%x: tensor<3x7x4xsi8>, %i: tensor<5xf32>) {
  %0 = graph.gather %x at %i : tensor<3x7x4xsi8> at tensor<5xf32> -> tensor<3x5x4xsi8>
  func.return
}

// CHECK: 'graph.gather' needs indices that are integers

// -----

func.func @network(%x: tensor<3x7x4xsi8>, %i: tensor<5xsi32>) {
  %0 = graph.gather %x at %i : tensor<3x7x4xsi8> at tensor<5xsi32> -> tensor<3x5x4xui8>
  func.return
}

// CHECK: 'graph.gather' gives elements of its table's type

// -----

func.func @network(%x: tensor<3x4xsi8>) {
  %0 = graph.arg_reduce "max" %x {axis = 2 : i64} : tensor<3x4xsi8> -> tensor<3x4xsi32>
  func.return
}

// CHECK: 'graph.arg_reduce' needs an axis of its operand

// -----

func.func @network(%x: tensor<3x4xsi8>) {
  %0 = graph.arg_reduce "sum" %x {axis = 1 : i64} : tensor<3x4xsi8> -> tensor<3x1xsi32>
  func.return
}

// CHECK: 'graph.arg_reduce' knows no kind 'sum'

// -----

func.func @network(%x: tensor<3x4xsi8>) {
  %0 = graph.arg_reduce "max" %x {axis = 1 : i64} : tensor<3x4xsi8> -> tensor<3x1xsi8>
  func.return
}

// CHECK: 'graph.arg_reduce' gives si32
