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

// -----

// Attention on queries, keys and values of all heads side by side. Slices and transposes are views of
// what the products read; the transpose behind the second one is a view of what it writes.

func.func @network(%x: tensor<6x12x8xsi8>) -> tensor<6x4x8xsi8> {
  %q = graph.slice %x {starts = array<i64: 0, 0, 0>, steps = array<i64: 1, 1, 1>} : tensor<6x12x8xsi8> -> tensor<6x4x8xsi8>
  %k = graph.slice %x {starts = array<i64: 0, 4, 0>, steps = array<i64: 1, 1, 1>} : tensor<6x12x8xsi8> -> tensor<6x4x8xsi8>
  %v = graph.slice %x {starts = array<i64: 0, 8, 0>, steps = array<i64: 1, 1, 1>} : tensor<6x12x8xsi8> -> tensor<6x4x8xsi8>
  %q_heads = graph.transpose %q {permutation = array<i64: 1, 0, 2>} : tensor<6x4x8xsi8> -> tensor<4x6x8xsi8>
  %k_heads = graph.transpose %k {permutation = array<i64: 1, 0, 2>} : tensor<6x4x8xsi8> -> tensor<4x6x8xsi8>
  %v_heads = graph.transpose %v {permutation = array<i64: 1, 0, 2>} : tensor<6x4x8xsi8> -> tensor<4x6x8xsi8>
  %s = graph.matmul %q_heads, %k_heads {transpose_rhs, requant = #graph.requant<mul = 3, add = 0, shift = 4, min = -128, max = 127>} : tensor<4x6x8xsi8>, tensor<4x6x8xsi8> -> tensor<4x6x6xsi8>
  %y = graph.matmul %s, %v_heads {requant = #graph.requant<mul = 3, add = 0, shift = 4, min = -128, max = 127>} : tensor<4x6x6xsi8>, tensor<4x6x8xsi8> -> tensor<4x6x8xsi8>
  %y_rows = graph.transpose %y {permutation = array<i64: 1, 0, 2>} : tensor<4x6x8xsi8> -> tensor<6x4x8xsi8>
  func.return %y_rows : tensor<6x4x8xsi8>
}

// CHECK:       %y_rows = tiled.nest ins(%x, %x, %x :
// CHECK-DAG:     %q = graph.slice %x_1 {tiled.view,
// CHECK-DAG:     %q_heads = graph.transpose %q {tiled.view,
// CHECK-DAG:     %k_heads = graph.transpose %k {tiled.view,
// CHECK:         %s = graph.matmul %q_heads, %k_heads
// CHECK:         %v_heads = graph.transpose %v {tiled.view,
// CHECK-NEXT:    %y = graph.matmul %s, %v_heads
// CHECK-NEXT:    [[ROWS:%.+]] = graph.transpose %y {tiled.view,
// CHECK-NEXT:    tiled.yield [[ROWS]] : tensor<6x4x8xsi8>
// CHECK-NEXT:  }
// CHECK-NEXT:  func.return

// -----

// The product needs contiguous rows: the transpose moves data, in a nest of its own.

func.func @network(%x: tensor<4x6xsi8>, %y: tensor<4x8xsi8>) -> tensor<6x8xsi32> {
  %t = graph.transpose %x {permutation = array<i64: 1, 0>} : tensor<4x6xsi8> -> tensor<6x4xsi8>
  %z = graph.matmul %t, %y : tensor<6x4xsi8>, tensor<4x8xsi8> -> tensor<6x8xsi32>
  func.return %z : tensor<6x8xsi32>
}

// CHECK:       %t = tiled.nest ins(%x :
// CHECK:       %z = tiled.nest ins(%t, %y :

// -----

// The transpose is a result, so data moves anyway: once.

func.func @network(%x: tensor<6x4x8xsi8>, %y: tensor<4x5x8xsi8>) -> (tensor<4x6x8xsi8>, tensor<4x6x5xsi32>) {
  %t = graph.transpose %x {permutation = array<i64: 1, 0, 2>} : tensor<6x4x8xsi8> -> tensor<4x6x8xsi8>
  %z = graph.matmul %t, %y {transpose_rhs} : tensor<4x6x8xsi8>, tensor<4x5x8xsi8> -> tensor<4x6x5xsi32>
  func.return %t, %z : tensor<4x6x8xsi8>, tensor<4x6x5xsi32>
}

// CHECK:       %t = tiled.nest ins(%x :
// CHECK-NOT:   tiled.view
// CHECK:       %z = tiled.nest ins(%t, %y :

// -----

// One row of each head goes into its cache: the reshape only moves a dimension of extent 1, the
// requantisation reads the product's buffer and writes the row where the cache has it.

func.func @network(%x: tensor<1x4x8xsi8>, %m: tensor<1x8x8xsi8>, %cache: tensor<4x6x8xsi8>) -> tensor<4x6x8xsi8> {
  %y = graph.matmul %x, %m {requant = #graph.requant<mul = 3, add = 0, shift = 4, min = -128, max = 127>} : tensor<1x4x8xsi8>, tensor<1x8x8xsi8> -> tensor<1x4x8xsi8>
  %r = graph.reshape %y : tensor<1x4x8xsi8> -> tensor<4x1x8xsi8>
  %q = graph.requant %r {requant = #graph.requant<mul = 5, add = 0, shift = 3, min = -128, max = 127>} : tensor<4x1x8xsi8> -> tensor<4x1x8xsi8>
  %z = graph.insert %q into %cache {axis = 1, offset = 5} : tensor<4x1x8xsi8> into tensor<4x6x8xsi8> -> tensor<4x6x8xsi8>
  func.return %z : tensor<4x6x8xsi8>
}

// CHECK:       %z = tiled.nest ins(%x, %m, %cache :
// CHECK:         %y = graph.matmul
// CHECK-NEXT:    %r = graph.transpose %y {tiled.view, permutation = array<i64: 1, 0, 2>}
// CHECK-NEXT:    %q = graph.requant %r
// CHECK-NEXT:    [[RESULT:%.+]] = graph.insert %q into %cache_1 {tiled.view, axis = 1 : i64, offset = 5 : i64}
// CHECK-NEXT:    tiled.yield [[RESULT]]
// CHECK-NEXT:  }
// CHECK-NEXT:  func.return

// -----

// This reshape moves data of heads into rows: it is none of a transpose.

func.func @network(%x: tensor<4x8xsi8>, %y: tensor<8x4xsi8>) -> tensor<8x4xsi8> {
  %c = graph.clip %x {min = 0, max = 9} : tensor<4x8xsi8> -> tensor<4x8xsi8>
  %r = graph.reshape %c : tensor<4x8xsi8> -> tensor<8x4xsi8>
  %z = graph.add %r, %y {requant = #graph.requant<mul = 3, add = 0, shift = 4, min = -128, max = 127>} : tensor<8x4xsi8>, tensor<8x4xsi8> -> tensor<8x4xsi8>
  func.return %z : tensor<8x4xsi8>
}

// CHECK:       %c = tiled.nest ins(%x :
// CHECK:       %r = graph.reshape %c
// CHECK:       %z = tiled.nest ins(%r, %y :
