// RUN: deeploy-opt %s --split-input-file -p 'set-target{target=siracusa},place,form-nests,fuse-nests' | filecheck %s

// A product, the sum that reads it and the sum's other operand: one nest, since each tile of the
// sum needs just that tile of the product. Its iterators are those of the sum.

func.func @network(%x: tensor<4x8xsi8>, %r: tensor<4x16xsi8>) -> tensor<4x16xsi8> {
  %w = graph.constant dense<1> : tensor<16x8xsi8>
  %y = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 3, add = 0, shift = 4, min = -128, max = 127>} : tensor<4x8xsi8>, tensor<16x8xsi8> -> tensor<4x16xsi8>
  %z = graph.add %y, %r {requant = #graph.requant<mul = 1, add = 0, shift = 1, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
  func.return %z : tensor<4x16xsi8>
}

// CHECK:       %w = graph.constant
// CHECK-NEXT:  %z = tiled.nest ins(%x, %w, %r :
// CHECK-NEXT:  ^bb0(%x_1: tensor<4x8xsi8>, %w_1: tensor<16x8xsi8>, %r_1: tensor<4x16xsi8>):
// CHECK-NEXT:    %y = graph.matmul %x_1, %w_1
// CHECK-NEXT:    %z_1 = graph.add %y, %r_1
// CHECK-NEXT:    tiled.yield %z_1
// CHECK-NEXT:  }
// CHECK-NEXT:  func.return %z

// -----

// Two products of activations stay together too: the first one's rows are what the second reads.

func.func @network(%q: tensor<4x6x8xsi8>, %k: tensor<4x6x8xsi8>, %v: tensor<4x6x8xsi8>) -> tensor<4x6x8xsi32> {
  %s = graph.matmul %q, %k {transpose_rhs, requant = #graph.requant<mul = 3, add = 0, shift = 4, min = -128, max = 127>} : tensor<4x6x8xsi8>, tensor<4x6x8xsi8> -> tensor<4x6x6xsi8>
  %y = graph.matmul %s, %v : tensor<4x6x6xsi8>, tensor<4x6x8xsi8> -> tensor<4x6x8xsi32>
  func.return %y : tensor<4x6x8xsi32>
}

// CHECK:       {{%y|%[0-9]+}} = tiled.nest ins(%q, %k, %v :
// CHECK:         %s = graph.matmul
// CHECK-NEXT:    graph.matmul %s,
// CHECK-NEXT:    tiled.yield
// CHECK-NEXT:  }
// CHECK-NEXT:  func.return

// -----

// A result that two nests read is computed once, in a nest of its own.

func.func @network(%x: tensor<4x16xsi8>) -> (tensor<4x16xsi8>, tensor<4x16xsi8>) {
  %a = graph.clip %x {min = 0 : i64, max = 6 : i64} : tensor<4x16xsi8> -> tensor<4x16xsi8>
  %b = graph.clip %a {min = 1 : i64, max = 6 : i64} : tensor<4x16xsi8> -> tensor<4x16xsi8>
  %c = graph.clip %a {min = 0 : i64, max = 5 : i64} : tensor<4x16xsi8> -> tensor<4x16xsi8>
  func.return %b, %c : tensor<4x16xsi8>, tensor<4x16xsi8>
}

// CHECK:       %a = tiled.nest ins(%x :
// CHECK:       %b = tiled.nest ins(%a :
// CHECK:       %c = tiled.nest ins(%a :

// -----

// A linear layer is not computed by the next one: all of its weights would have to be there at once.

func.func @network(%x: tensor<1x8xsi8>) -> tensor<1x4xsi32> {
  %w = graph.constant dense<1> : tensor<16x8xsi8>
  %v = graph.constant dense<1> : tensor<4x16xsi8>
  %y = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 3, add = 0, shift = 4, min = -128, max = 127>} : tensor<1x8xsi8>, tensor<16x8xsi8> -> tensor<1x16xsi8>
  %z = graph.matmul %y, %v {transpose_rhs} : tensor<1x16xsi8>, tensor<4x16xsi8> -> tensor<1x4xsi32>
  func.return %z : tensor<1x4xsi32>
}

// CHECK:       %y = tiled.nest
// CHECK:       %z = tiled.nest ins(%y,
