// RUN: deeploy-opt %s --split-input-file -p 'set-target{target=host},tile' | filecheck %s

// Rows of %x move through a buffer with two slots (16 bytes apart, for the alignment); weights stay,
// and are copied once before the loop; the result is written where it has its home. The last tile
// has one row less.

func.func @network(%x: memref<5x6xsi8, #mem.level<"L2">>, %w: memref<3x6xsi8, #mem.level<"L2">>, %y: memref<5x3xsi32, #mem.level<"L1">>) {
  tiled.nest ins(%x, %w : memref<5x6xsi8, #mem.level<"L2">>, memref<3x6xsi8, #mem.level<"L2">>) outs(%y : memref<5x3xsi32, #mem.level<"L1">>) attributes {engine = "cluster", tile = array<i64: 2, 3, 6>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64} {
  ^bb0(%a: tensor<5x6xsi8>, %b: tensor<3x6xsi8>):
    %0 = graph.matmul %a, %b {transpose_rhs} : tensor<5x6xsi8>, tensor<3x6xsi8> -> tensor<5x3xsi32>
    tiled.yield %0 : tensor<5x3xsi32>
  }
  func.return
}

// CHECK:      %x_tile = memref.alloc() {mem.offset = 64 : i64} : memref<2x2x6xsi8, strided<[16, 6, 1]>, #mem.level<"L1">>
// CHECK-NEXT: %w_tile = memref.alloc() {mem.offset = 96 : i64} : memref<3x6xsi8, #mem.level<"L1">>
// CHECK:      "memref.copy"(%w, %w_tile)
// CHECK:      scf.for %tile =
// CHECK-NEXT:   %m = arith.muli %tile, [[TWO:%.+]] : index
// CHECK-NEXT:   [[REST:%.+]] = arith.subi {{.+}}, %m : index
// CHECK-NEXT:   {{.+}} = arith.minsi [[REST]], [[TWO]] : index
// CHECK:        [[X:%.+]] = memref.subview %x[%m, 0] {{\[}}[[SIZE:%.+]], 6] [1, 1] :
// CHECK-NEXT:   [[SLOT:%.+]] = arith.remui %tile, [[TWO]] : index
// CHECK-NEXT:   [[TILE:%.+]] = memref.subview %x_tile{{\[}}[[SLOT]], 0, 0] [1, [[SIZE]], 6] [1, 1, 1] : memref<2x2x6xsi8, strided<[16, 6, 1]>, #mem.level<"L1">> to memref<?x6xsi8, strided<[6, 1], offset: ?>, #mem.level<"L1">>
// CHECK-NEXT:   "memref.copy"([[X]], [[TILE]])
// CHECK:        [[Y:%.+]] = memref.subview %y[%m, 0] {{\[}}[[SIZE]], 3] [1, 1] :
// CHECK-NEXT:   cluster.call "dpl_matmul_s8_s8_s32" of "cluster" ins({{%.+}}, %w_tile : {{.+}}) outs([[Y]] : {{.+}}) overhang [] {
// CHECK-NEXT:   ^bb0(%a: tensor<5x6xsi8>, %b: tensor<3x6xsi8>):
// CHECK-NEXT:     [[R:%.+]] = graph.matmul %a, %b {transpose_rhs} :
// CHECK-NEXT:     cluster.yield [[R]] : tensor<5x3xsi32>
// CHECK:      } {tiled.double_buffered}
// CHECK-NEXT: func.return

// -----

// Nothing is cut: whole tensors are copied in and out. There is no plan, and so no addresses.

func.func @network(%x: memref<4xsi8, #mem.level<"L2">>, %y: memref<4xsi8, #mem.level<"L2">>) {
  tiled.nest ins(%x : memref<4xsi8, #mem.level<"L2">>) outs(%y : memref<4xsi8, #mem.level<"L2">>) attributes {engine = "cluster"} {
  ^bb0(%a: tensor<4xsi8>):
    %0 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    tiled.yield %0 : tensor<4xsi8>
  }
  func.return
}

// CHECK:      %x_tile = memref.alloc() : memref<4xsi8, #mem.level<"L1">>
// CHECK-NEXT: %y_tile = memref.alloc() : memref<4xsi8, #mem.level<"L1">>
// CHECK-NEXT: "memref.copy"(%x, %x_tile)
// CHECK-NEXT: cluster.call "dpl_copy_8" of "cluster" ins(%x_tile : {{.+}}) outs(%y_tile : {{.+}}) overhang [] {
// CHECK:      "memref.copy"(%y_tile, %y)
// CHECK-NEXT: func.return

// -----

// A window of three rows over an image with a border: the footprint is cut at the border, and the
// overhang, which the kernel sees as padding, is a value too.

func.func @network(%x: memref<1x4x1x1xsi8, #mem.level<"L2">>, %y: memref<1x4x1x1xsi8, #mem.level<"L1">>) {
  tiled.nest ins(%x : memref<1x4x1x1xsi8, #mem.level<"L2">>) outs(%y : memref<1x4x1x1xsi8, #mem.level<"L1">>) attributes {engine = "cluster", tile = array<i64: 1, 2, 1, 1, 3, 1>, order = array<i64: 1>, buffers = 1 : i64} {
  ^bb0(%a: tensor<1x4x1x1xsi8>):
    %0 = graph.max_pool %a {strides = array<i64: 1, 1>, pads = array<i64: 1, 0, 1, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 3, 1>, channels_last} : tensor<1x4x1x1xsi8> -> tensor<1x4x1x1xsi8>
    tiled.yield %0 : tensor<1x4x1x1xsi8>
  }
  func.return
}

// CHECK:      scf.for %tile =
// CHECK:        %oh_first = arith.addi %oh, {{%.+}} : index
// CHECK:        %oh_low = arith.maxsi
// CHECK:        %oh_high = arith.maxsi
// CHECK:        %oh_begin = arith.maxsi %oh_first,
// CHECK:        %oh_count = arith.subi
// CHECK-NEXT:   {{%.+}} = memref.subview %x[0, %oh_begin, 0, 0] [1, %oh_count, 1, 1] [1, 1, 1, 1] :
// CHECK-NEXT:   {{%.+}} = memref.subview %x_tile[0, 0, 0, 0] [1, %oh_count, 1, 1] [1, 1, 1, 1] :
// CHECK:        {{%.+}} = memref.subview %y[0, %oh, 0, 0] [1, 2, 1, 1] [1, 1, 1, 1] :
// CHECK-NEXT:   cluster.call {{.+}} overhang [0, 0, %oh_low, %oh_high, 0, 0, 0, 0] {
// CHECK-NOT:  tiled.double_buffered

// -----

// An operand that changes with the outer loop only is copied when it changes: every third tile.

func.func @network(%x: memref<2x3xsi8, #mem.level<"L2">>, %w: memref<2x1xsi8, #mem.level<"L2">>, %y: memref<2x3xsi32, #mem.level<"L1">>) {
  tiled.nest ins(%x, %w : memref<2x3xsi8, #mem.level<"L2">>, memref<2x1xsi8, #mem.level<"L2">>) outs(%y : memref<2x3xsi32, #mem.level<"L1">>) attributes {engine = "cluster", tile = array<i64: 1, 1>, order = array<i64: 0, 1>, buffers = 1 : i64} {
  ^bb0(%a: tensor<2x3xsi8>, %b: tensor<2x1xsi8>):
    %0 = graph.add %a, %b : tensor<2x3xsi8>, tensor<2x1xsi8> -> tensor<2x3xsi32>
    tiled.yield %0 : tensor<2x3xsi32>
  }
  func.return
}

// CHECK:      scf.for %tile = {{.+}} {
// CHECK:        "memref.copy"({{%.+}}, %x_tile)
// CHECK-NEXT:   [[PHASE:%.+]] = arith.remui %tile, [[THREE:%.+]] : index
// CHECK-NEXT:   [[CHANGES:%.+]] = arith.cmpi eq, [[PHASE]], {{.+}} : index
// CHECK-NEXT:   scf.if [[CHANGES]] {
// CHECK-NEXT:     [[W:%.+]] = memref.subview %w[%d0, 0] [1, 1] [1, 1] :
// CHECK-NEXT:     "memref.copy"([[W]], %w_tile)
// CHECK-NEXT:   }

// -----

// The product reads heads that are columns of %x, and writes its result as columns again: through
// views of the tiles.

func.func @network(%x: memref<6x4x8xsi8, #mem.level<"L1">>, %k: memref<4x5x8xsi8, #mem.level<"L1">>, %y: memref<6x4x5xsi32, #mem.level<"L1">>) {
  tiled.nest ins(%x, %k : memref<6x4x8xsi8, #mem.level<"L1">>, memref<4x5x8xsi8, #mem.level<"L1">>) outs(%y : memref<6x4x5xsi32, #mem.level<"L1">>) attributes {engine = "cluster", tile = array<i64: 4, 1, 5>, order = array<i64: 0, 1>, buffers = 1 : i64, scratch = 0 : i64} {
  ^bb0(%a: tensor<6x4x8xsi8>, %b: tensor<4x5x8xsi8>):
    %1 = graph.transpose %a {tiled.view, permutation = array<i64: 1, 0, 2>} : tensor<6x4x8xsi8> -> tensor<4x6x8xsi8>
    %2 = graph.matmul %1, %b {transpose_rhs} : tensor<4x6x8xsi8>, tensor<4x5x8xsi8> -> tensor<4x6x5xsi32>
    %3 = graph.transpose %2 {tiled.view, permutation = array<i64: 1, 0, 2>} : tensor<4x6x5xsi32> -> tensor<6x4x5xsi32>
    tiled.yield %3 : tensor<6x4x5xsi32>
  }
  func.return
}

// CHECK-NOT:  memref.alloc
// CHECK:      scf.for %tile =
// CHECK:        [[X:%.+]] = memref.subview %x[%d0, %d1, 0] [%d0_size, 1, 8] [1, 1, 1] :
// CHECK:        [[Y:%.+]] = memref.subview %y[%d0, %d1, 0] [%d0_size, 1, 5] [1, 1, 1] :
// CHECK-NEXT:   [[LEFT:%.+]] = mem.view [[X]][%d0_size] : {{.+}} -> memref<1x?x8xsi8, strided<[8, 32, 1], offset: ?>, #mem.level<"L1">>
// CHECK-NEXT:   [[OUT:%.+]] = mem.view [[Y]][%d0_size] : {{.+}} -> memref<1x?x5xsi32, strided<[5, 20, 1], offset: ?>, #mem.level<"L1">>
// CHECK-NEXT:   cluster.call "dpl_matmul_s8_s8_s32" of "cluster" ins([[LEFT]], {{%.+}} : {{.+}}) outs([[OUT]] :
