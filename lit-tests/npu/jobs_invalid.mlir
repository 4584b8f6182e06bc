// RUN: %invalid | filecheck %s

// What the verifiers of jobs and registers reject.

func.func @network(%x: memref<4xsi8, #mem.level<"L1">>, %y: memref<4xsi8, #mem.level<"L1">>) {
  %q = npu.queue of "neureka"
  npu.start ins(%x : memref<4xsi8, #mem.level<"L1">>) outs(%y : memref<4xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%a: tensor<4xsi8>):
    %0 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    npu.yield %0 : tensor<4xsi8>
  }
  func.return
}

// CHECK: 'npu.start' computes npu.conv only

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L1">>, %y: memref<4xsi8, #mem.level<"L1">>) {
  %q = npu.queue of "neureka"
  npu.start ins(%x : memref<4xsi8, #mem.level<"L1">>) outs(%y : memref<4xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%a: tensor<4xsi8>):
    npu.yield %a : tensor<4xsi8>
  }
  func.return
}

// CHECK: 'npu.start' needs a body of one graph op and a npu.yield

// -----

func.func @network(%x: memref<4xsi8, #mem.level<"L1">>, %y: memref<4xsi8, #mem.level<"L1">>) {
  %q = npu.queue of "neureka"
  npu.start ins(%x : memref<4xsi8, #mem.level<"L1">>) outs(%y : memref<4xsi8, #mem.level<"L1">>) overhang [1] on %q {
  ^bb0(%a: tensor<4xsi8>):
    %0 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    npu.yield %0 : tensor<4xsi8>
  }
  func.return
}

// CHECK: 'npu.start' needs no overhang or 2 numbers

// -----

func.func @network(%value: index) {
  %q = npu.queue of "neureka"
  npu.write "colour", %value on %q
  func.return
}

// CHECK: the accelerator has no register 'colour'

// -----

// A queue tells whose it is.

func.func @network(%q: !npu.queue) {
  npu.wait %q
  func.return
}

// CHECK: 'npu.wait' needs the result of an npu.queue
