// RUN: deeploy-opt %s --split-input-file -p share-caches | filecheck %s
// RUN: deeploy-opt %s --split-input-file -p 'share-caches,set-target{target=siracusa residents=false},place,form-nests,plan,check-plan,bufferize,tile,insert-dma,assign-addresses,overlap,insert-barriers' --check-semantics | filecheck %s --check-prefix=MEM

// A cache that grows by one row and is returned. It gets room for the row, which is written there.

func.func @network(%cache: tensor<2x6x4xsi8>, %row: tensor<2x1x4xsi8>) -> tensor<2x7x4xsi8> {
  %grown = graph.concat %cache, %row {axis = 1 : i64} : tensor<2x6x4xsi8>, tensor<2x1x4xsi8> -> tensor<2x7x4xsi8>
  func.return %grown : tensor<2x7x4xsi8>
}

// CHECK:      func.func @network(%cache: tensor<2x7x4xsi8> {graph.state = {axis = 1 : i64, rows = 6 : i64}}, %row: tensor<2x1x4xsi8>)
// CHECK-NEXT:   %grown = graph.insert %row into %cache {axis = 1 : i64, offset = 6 : i64}

// In memory only the row moves: nothing of the cache is copied.

// MEM:     func.func @network(%cache: memref<2x7x4xsi8
// MEM:     dma.start %row to
// MEM:     %cache_1 = memref.subview %cache[0, 6, 0] [2, 1, 4]
// MEM:     dma.start %{{.*}} to %cache_1 on %store
// MEM-NOT: dma.start
// MEM:     func.return %cache

// -----

// A concatenation that is not returned is none: its result is a tensor of its own.

func.func @network(%a: tensor<2x6x4xsi8>, %b: tensor<2x1x4xsi8>) -> tensor<2x7x4xsi8> {
  %c = graph.concat %a, %b {axis = 1 : i64} : tensor<2x6x4xsi8>, tensor<2x1x4xsi8> -> tensor<2x7x4xsi8>
  %d = graph.copy %c : tensor<2x7x4xsi8> -> tensor<2x7x4xsi8>
  func.return %d : tensor<2x7x4xsi8>
}

// CHECK:      func.func @network(%a: tensor<2x6x4xsi8>, %b:
// CHECK-NEXT:   graph.concat %a, %b

// -----

// A cache whose length has a name: the function gets the position, and what comes from the cache, or
// from another input of such a length, a run-time extent.

func.func @network(%q: tensor<2x1x4xf32>, %past: tensor<2x7x4xf32> {graph.name = "past", graph.symbol = {axis = 1 : i64, length = "n", plus = 0 : i64}}, %row: tensor<2x1x4xf32>, %mask: tensor<8xf32> {graph.symbol = {axis = 0 : i64, length = "n", plus = 1 : i64}}) -> (tensor<2x1x8xf32>, tensor<2x8x4xf32>) {
  %k = graph.concat %past, %row {axis = 1 : i64} : tensor<2x7x4xf32>, tensor<2x1x4xf32> -> tensor<2x8x4xf32>
  %s = graph.matmul %q, %k {transpose_rhs} : tensor<2x1x4xf32>, tensor<2x8x4xf32> -> tensor<2x1x8xf32>
  %m = graph.add %s, %mask : tensor<2x1x8xf32>, tensor<8xf32> -> tensor<2x1x8xf32>
  %p = graph.softmax %m : tensor<2x1x8xf32> -> tensor<2x1x8xf32>
  func.return %p, %k : tensor<2x1x8xf32>, tensor<2x8x4xf32>
}

// CHECK:      func.func @network(%q: tensor<2x1x4xf32>,
// CHECK-SAME:   %past: tensor<2x8x4xf32, #graph.extent<1, position>> {graph.name = "past", graph.state = {axis = 1 : i64, rows = 0 : i64, grows}},
// CHECK-SAME:   %mask: tensor<8xf32, #graph.extent<0, position + 1>> {graph.state = {axis = 0 : i64, rows = 1 : i64, grows}},
// CHECK-SAME:   %position: index {graph.name = "position"})
// CHECK-SAME:   -> (tensor<2x1x8xf32, #graph.extent<2, position + 1>> {graph.state = {axis = 2 : i64, rows = 1 : i64, grows}}, tensor<2x8x4xf32, #graph.extent<1, position + 1>> {graph.state = {axis = 1 : i64, rows = 1 : i64, grows}})
// CHECK-NEXT:   %k = graph.insert %row into %past {axis = 1 : i64}
// CHECK-NEXT:   %s = graph.matmul %q, %k {transpose_rhs} : {{.*}} -> tensor<2x1x8xf32, #graph.extent<2, position + 1>>
// CHECK-NEXT:   %m = graph.add %s, %mask
// CHECK-NEXT:   %p = graph.softmax %m

// In memory the row is written at the position, and only rows in use are moved.

// MEM:     memref.subview %past[0, %position, 0] [2, 1, 4]
// MEM:     %rows = arith.addi %position,
// MEM:     memref.subview %past[0, 0, 0] [2, %rows, 4]
