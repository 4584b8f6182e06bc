// RUN: deeploy-opt %s --split-input-file --verify-diagnostics -p 'set-target{target=host}' -t c | filecheck %s

// What has no C form yet, and which pass is missing.

func.func private @only_declared(tensor<4xsi8>)

// CHECK: the module has no function to print as C

// -----

func.func @network(%x: tensor<4xsi8>) {
  func.return
}

// CHECK: func.func: a buffer has no address; run 'assign-addresses' first

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L2">>) {
  func.return
}

// CHECK: func.func: a buffer has no address; run 'assign-addresses' first

// -----

func.func @network() {
  %a = memref.alloc() : memref<4xsi8, #mem.level<"L1">>
  func.return
}

// CHECK: memref.alloc: the op has no C form; run the passes of the standard pipeline first

// -----

func.func @network() {
  %w = mem.constant dense<1> : tensor<4xsi8> -> memref<4xsi8, #mem.level<"L2">> loc("weights")
  func.return
}

// CHECK: mem.constant 'weights': a buffer has no address; run 'assign-addresses' first

// -----

func.func @network() {
  %c = arith.constant 1 : index
  %0 = arith.cmpi slt, %c, %c : index
  scf.if %0 {
  } else {
    %load = dma.channel
  } loc("Relu_0")
  func.return
}

// CHECK: scf.if 'Relu_0': a condition with results or an else has no C form; use two conditions

// -----

func.func @network() {
  %c = arith.constant 1 : index
  %0 = arith.cmpi slt, %c, %c : index
  scf.if %0 {
    cluster.barrier loc("Relu_0")
  }
  func.return
}

// CHECK: cluster.barrier 'Relu_0': only transfers may stand in a condition; one core evaluates it
