// RUN: deeploy-opt %s --split-input-file -p share-caches | filecheck %s
// RUN: deeploy-opt %s --split-input-file -p 'share-caches,set-target{target=siracusa},place,form-nests,plan,check-plan,bufferize,tile,insert-dma,insert-barriers,assign-addresses' --check-semantics | filecheck %s --check-prefix=MEM

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
