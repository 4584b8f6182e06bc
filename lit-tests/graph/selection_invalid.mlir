// RUN: %invalid | filecheck %s

// What the verifiers of comparisons and choices reject.

func.func @network(%x: tensor<2x3xsi8>) {
  %0 = graph.compare "similar" %x, %x : tensor<2x3xsi8>, tensor<2x3xsi8> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.compare' knows no kind 'similar'

// -----

func.func @network(%x: tensor<2x3xsi8>, %y: tensor<3xf32>) {
  %0 = graph.compare "less" %x, %y : tensor<2x3xsi8>, tensor<3xf32> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.compare' mixes floats and integers

// -----

func.func @network(%x: tensor<2x3xsi8>) {
  %0 = graph.compare "less" %x, %x : tensor<2x3xsi8>, tensor<2x3xsi8> -> tensor<2x3xsi8>
  func.return
}

// CHECK: 'graph.compare' gives ui8

// -----

func.func @network(%x: tensor<2x3xsi8>, %y: tensor<2xsi8>) {
  %0 = graph.compare "less" %x, %y : tensor<2x3xsi8>, tensor<2xsi8> -> tensor<2x3xui8>
  func.return
}

// CHECK: 'graph.compare' cannot broadcast shapes [(2, 3), (2,)]

// -----

func.func @network(%c: tensor<2x3xsi32>, %x: tensor<2x3xsi8>) {
  %0 = graph.select %c, %x, %x : tensor<2x3xsi32>, tensor<2x3xsi8>, tensor<2x3xsi8> -> tensor<2x3xsi8>
  func.return
}

// CHECK: 'graph.select' needs a condition of bytes

// -----

func.func @network(%c: tensor<2x3xui8>, %x: tensor<2x3xsi8>, %y: tensor<2x3xui8>) {
  %0 = graph.select %c, %x, %y : tensor<2x3xui8>, tensor<2x3xsi8>, tensor<2x3xui8> -> tensor<2x3xsi8>
  func.return
}

// CHECK: 'graph.select' needs values of the type of its result
