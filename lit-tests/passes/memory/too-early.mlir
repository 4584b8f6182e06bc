// RUN: deeploy-opt %s --split-input-file --verify-diagnostics -p 'set-target{target=host},tile,insert-dma' | filecheck %s

// Passes of the lowering on what an earlier pass should have changed.

func.func @network(%x: tensor<4xsi8>) -> tensor<4xsi8> {
  %0 = tiled.nest ins(%x : tensor<4xsi8>) -> tensor<4xsi8> {
  ^bb0(%a: tensor<4xsi8>):
    %1 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    tiled.yield %1 : tensor<4xsi8>
  } loc("Copy_0")
  func.return %0 : tensor<4xsi8>
}

// CHECK: pass 'tile': tiled.nest 'Copy_0': the nest works on tensors; run 'bufferize' first

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L2">>, %y: memref<4xsi8, #mem.level<"L2">>) {
  tiled.nest ins(%x : memref<4xsi8, #mem.level<"L2">>) outs(%y : memref<4xsi8, #mem.level<"L2">>) {
  ^bb0(%a: tensor<4xsi8>):
    %1 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    tiled.yield %1 : tensor<4xsi8>
  } loc("Copy_0")
  func.return
}

// CHECK: pass 'tile': tiled.nest 'Copy_0': the nest has no engine; run 'place' and 'form-nests' first

// -----

func.func @network(%x: memref<4xsi8>, %y: memref<4xsi8, #mem.level<"L2">>) {
  "memref.copy"(%x, %y) : (memref<4xsi8>, memref<4xsi8, #mem.level<"L2">>) -> ()
  func.return
}

// CHECK: pass 'insert-dma': memref.copy: a copy needs memrefs with a #mem.level; run 'bufferize' first

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L2">>, %y: memref<4xsi8, #mem.level<"L2">>) {
  "memref.copy"(%x, %y) : (memref<4xsi8, #mem.level<"L2">>, memref<4xsi8, #mem.level<"L2">>) -> ()
  func.return
}

// CHECK: pass 'insert-dma': memref.copy: a copy inside L2 is not a transfer; use a graph.copy nest

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L2">>, %y: memref<4xsi8, #mem.level<"L3">>) {
  "memref.copy"(%x, %y) : (memref<4xsi8, #mem.level<"L2">>, memref<4xsi8, #mem.level<"L3">>) -> ()
  func.return
}

// CHECK: pass 'insert-dma': target 'host' has no link between 'L2' and 'L3'
