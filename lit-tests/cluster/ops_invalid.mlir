// RUN: %invalid | filecheck %s

// What the verifier of kernel calls rejects.

func.func @network(%x: memref<4xsi8, #mem.level<"L1">>, %y: memref<4xsi8, #mem.level<"L1">>) {
  cluster.call "dpl_copy_8" of "cluster" ins(%x : memref<4xsi8, #mem.level<"L1">>) outs(%y : memref<4xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%a: tensor<4xsi8>):
    cluster.yield %a : tensor<4xsi8>
  }
  func.return
}

// CHECK: 'cluster.call' needs a body of one graph op and a cluster.yield

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L1">>, %y: memref<4xsi8, #mem.level<"L1">>) {
  cluster.call "dpl_copy_8" of "cluster" ins(%x : memref<4xsi8, #mem.level<"L1">>) outs(%y : memref<4xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%a: tensor<4xsi8>):
    %0 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    %1 = graph.copy %0 : tensor<4xsi8> -> tensor<4xsi8>
    cluster.yield %1 : tensor<4xsi8>
  }
  func.return
}

// CHECK: 'cluster.call' needs a body of one graph op and a cluster.yield

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L1">>, %y: memref<4xsi8, #mem.level<"L1">>) {
  cluster.call "dpl_copy_8" of "cluster" ins(%x, %x : memref<4xsi8, #mem.level<"L1">>, memref<4xsi8, #mem.level<"L1">>) outs(%y : memref<4xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%a: tensor<4xsi8>):
    %0 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    cluster.yield %0 : tensor<4xsi8>
  }
  func.return
}

// CHECK: 'cluster.call' needs one input for each operand of its body

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L1">>, %y: memref<4xsi8, #mem.level<"L1">>) {
  cluster.call "dpl_copy_8" of "cluster" ins(%x : memref<4xsi8, #mem.level<"L1">>) outs(%y : memref<4xsi8, #mem.level<"L1">>) overhang [1] {
  ^bb0(%a: tensor<4xsi8>):
    %0 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    cluster.yield %0 : tensor<4xsi8>
  }
  func.return
}

// CHECK: 'cluster.call' needs no overhang or 2 numbers
