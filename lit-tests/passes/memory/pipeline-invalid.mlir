// RUN: deeploy-opt %s --split-input-file --verify-diagnostics -p pipeline | filecheck %s

func.func @network(%x: memref<2xsi8, #mem.level<"L2">>, %x_tile: memref<2xsi8, #mem.level<"L1">>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  scf.for %tile = %zero to %one step %one {
    "memref.copy"(%x, %x_tile) : (memref<2xsi8, #mem.level<"L2">>, memref<2xsi8, #mem.level<"L1">>) -> ()
  } {tiled.double_buffered}
  func.return
}

// CHECK: scf.for: the loop has copies that are not transfers; run 'insert-dma' first

// -----

// A kernel after a store cannot be overlapped with it.

func.func @network(%x: memref<2xsi8, #mem.level<"L1">>, %y: memref<2xsi8, #mem.level<"L2">>) {
  %store = dma.channel
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  scf.for %tile = %zero to %one step %one {
    cluster.call "dpl_copy_8" of "cluster" ins(%x : memref<2xsi8, #mem.level<"L1">>) outs(%x : memref<2xsi8, #mem.level<"L1">>) overhang [] {
    ^bb0(%a: tensor<2xsi8>):
      %0 = graph.copy %a : tensor<2xsi8> -> tensor<2xsi8>
      cluster.yield %0 : tensor<2xsi8>
    }
    dma.start %x to %y on %store : memref<2xsi8, #mem.level<"L1">> to memref<2xsi8, #mem.level<"L2">>
    dma.wait %store
    cluster.call "dpl_copy_8" of "cluster" ins(%x : memref<2xsi8, #mem.level<"L1">>) outs(%x : memref<2xsi8, #mem.level<"L1">>) overhang [] {
    ^bb0(%a: tensor<2xsi8>):
      %0 = graph.copy %a : tensor<2xsi8> -> tensor<2xsi8>
      cluster.yield %0 : tensor<2xsi8>
    }
  } {tiled.double_buffered}
  func.return
}

// CHECK: cluster.call: the loop computes after it stores and cannot be pipelined
