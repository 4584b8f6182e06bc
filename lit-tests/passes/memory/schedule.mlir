// RUN: deeploy-opt %s --split-input-file -p 'set-target{target=siracusa},schedule' | filecheck %s
// RUN: deeploy-opt %s --split-input-file -p 'set-target{target=siracusa},schedule,schedule' | filecheck %s

// The accelerator takes some 350 cycles; instead of waiting, the cores run the kernel that needs
// nothing of it, behind its load.

func.func @filled(%x: memref<512xsi8, #mem.level<"L2">> {mem.offset = 0 : i64}) {
  %q = npu.queue of "neureka"
  %w = mem.buffer at 0 : memref<64x64xui8, #mem.level<"WMEM">>
  %m = mem.buffer at 0 : memref<64xui8, #mem.level<"L1">>
  %a = mem.buffer at 64 : memref<64xsi32, #mem.level<"L1">>
  %load = dma.channel
  %u = mem.buffer at 512 : memref<1x64xsi8, #mem.level<"L1">>
  %v = mem.buffer at 576 : memref<1x64xsi8, #mem.level<"L1">>
  %o = mem.buffer at 640 : memref<64xsi8, #mem.level<"L1">>
  %i = mem.buffer at 1024 : memref<512xsi8, #mem.level<"L1">>
  %j = mem.buffer at 1536 : memref<512xsi8, #mem.level<"L1">>
  %r = mem.reshape %v : memref<1x64xsi8, #mem.level<"L1">> -> memref<64xsi8, #mem.level<"L1">>
  npu.start ins(%u, %w, %m, %a : memref<1x64xsi8, #mem.level<"L1">>, memref<64x64xui8, #mem.level<"WMEM">>, memref<64xui8, #mem.level<"L1">>, memref<64xsi32, #mem.level<"L1">>) outs(%v : memref<1x64xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<1x64xsi8>, %1: tensor<64x64xui8>, %2: tensor<64xui8>, %3: tensor<64xsi32>):
    %4 = npu.conv %0, %1 mul %2 : tensor<64xui8> add %3 : tensor<64xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<64x64xui8> -> tensor<1x64xsi8>
    npu.yield %4 : tensor<1x64xsi8>
  } loc("job")
  npu.wait %q
  cluster.call "dpl_copy_8" of "cluster" ins(%r : memref<64xsi8, #mem.level<"L1">>) outs(%o : memref<64xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<64xsi8>):
    %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
    cluster.yield %0 : tensor<64xsi8>
  } loc("needs")
  dma.start %x to %i on %load : memref<512xsi8, #mem.level<"L2">> to memref<512xsi8, #mem.level<"L1">> loc("load")
  dma.wait %load
  cluster.call "dpl_copy_8" of "cluster" ins(%i : memref<512xsi8, #mem.level<"L1">>) outs(%j : memref<512xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<512xsi8>):
    %0 = graph.copy %t : tensor<512xsi8> -> tensor<512xsi8>
    cluster.yield %0 : tensor<512xsi8>
  } loc("fills")
  func.return
}

// CHECK-LABEL: @filled
// CHECK:         npu.start {{.+}} outs(%v
// CHECK:         npu.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    dma.start %x to %i on %load
// CHECK-NEXT:    dma.wait %load
// CHECK-NEXT:    cluster.call {{.+}} outs(%j
// CHECK:         }
// CHECK-NEXT:    npu.wait %q
// CHECK-NEXT:    cluster.call {{.+}} outs(%o

// -----

// Nothing waits here.

func.func @in_order() {
  %q = npu.queue of "neureka"
  %w = mem.buffer at 0 : memref<64x64xui8, #mem.level<"WMEM">>
  %m = mem.buffer at 0 : memref<64xui8, #mem.level<"L1">>
  %a = mem.buffer at 64 : memref<64xsi32, #mem.level<"L1">>
  %u = mem.buffer at 512 : memref<1x64xsi8, #mem.level<"L1">>
  %v = mem.buffer at 576 : memref<1x64xsi8, #mem.level<"L1">>
  %o = mem.buffer at 640 : memref<64xsi8, #mem.level<"L1">>
  %i = mem.buffer at 1024 : memref<8192xsi8, #mem.level<"L1">>
  %j = mem.buffer at 16384 : memref<8192xsi8, #mem.level<"L1">>
  %k = mem.buffer at 32768 : memref<512xsi8, #mem.level<"L1">>
  %r = mem.reshape %v : memref<1x64xsi8, #mem.level<"L1">> -> memref<64xsi8, #mem.level<"L1">>
  npu.start ins(%u, %w, %m, %a : memref<1x64xsi8, #mem.level<"L1">>, memref<64x64xui8, #mem.level<"WMEM">>, memref<64xui8, #mem.level<"L1">>, memref<64xsi32, #mem.level<"L1">>) outs(%v : memref<1x64xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<1x64xsi8>, %1: tensor<64x64xui8>, %2: tensor<64xui8>, %3: tensor<64xsi32>):
    %4 = npu.conv %0, %1 mul %2 : tensor<64xui8> add %3 : tensor<64xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<64x64xui8> -> tensor<1x64xsi8>
    npu.yield %4 : tensor<1x64xsi8>
  } loc("job")
  npu.wait %q
  cluster.call "dpl_copy_8" of "cluster" ins(%i : memref<8192xsi8, #mem.level<"L1">>) outs(%j : memref<8192xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<8192xsi8>):
    %0 = graph.copy %t : tensor<8192xsi8> -> tensor<8192xsi8>
    cluster.yield %0 : tensor<8192xsi8>
  } loc("long")
  cluster.call "dpl_copy_8" of "cluster" ins(%r : memref<64xsi8, #mem.level<"L1">>) outs(%o : memref<64xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<64xsi8>):
    %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
    cluster.yield %0 : tensor<64xsi8>
  } loc("needs")
  %h = memref.subview %i[0] [512] [1] : memref<8192xsi8, #mem.level<"L1">> to memref<512xsi8, #mem.level<"L1">>
  cluster.call "dpl_copy_8" of "cluster" ins(%h : memref<512xsi8, #mem.level<"L1">>) outs(%k : memref<512xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<512xsi8>):
    %0 = graph.copy %t : tensor<512xsi8> -> tensor<512xsi8>
    cluster.yield %0 : tensor<512xsi8>
  } loc("independent")
  func.return
}

// CHECK-LABEL: @in_order
// CHECK:         npu.start {{.+}} outs(%v
// CHECK:         cluster.call {{.+}} outs(%j
// CHECK:         }
// CHECK-NEXT:    npu.wait %q
// CHECK-NEXT:    cluster.call {{.+}} outs(%o
// CHECK:         cluster.call {{.+}} outs(%k

// -----

// The last kernel would overwrite what the first one reads.

func.func @overwrites() {
  %q = npu.queue of "neureka"
  %w = mem.buffer at 0 : memref<64x64xui8, #mem.level<"WMEM">>
  %m = mem.buffer at 0 : memref<64xui8, #mem.level<"L1">>
  %a = mem.buffer at 64 : memref<64xsi32, #mem.level<"L1">>
  %u = mem.buffer at 512 : memref<1x64xsi8, #mem.level<"L1">>
  %v = mem.buffer at 576 : memref<1x64xsi8, #mem.level<"L1">>
  %o = mem.buffer at 640 : memref<64xsi8, #mem.level<"L1">>
  %i = mem.buffer at 1024 : memref<512xsi8, #mem.level<"L1">>
  %j = mem.buffer at 592 : memref<512xsi8, #mem.level<"L1">>
  %r = mem.reshape %v : memref<1x64xsi8, #mem.level<"L1">> -> memref<64xsi8, #mem.level<"L1">>
  npu.start ins(%u, %w, %m, %a : memref<1x64xsi8, #mem.level<"L1">>, memref<64x64xui8, #mem.level<"WMEM">>, memref<64xui8, #mem.level<"L1">>, memref<64xsi32, #mem.level<"L1">>) outs(%v : memref<1x64xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<1x64xsi8>, %1: tensor<64x64xui8>, %2: tensor<64xui8>, %3: tensor<64xsi32>):
    %4 = npu.conv %0, %1 mul %2 : tensor<64xui8> add %3 : tensor<64xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<64x64xui8> -> tensor<1x64xsi8>
    npu.yield %4 : tensor<1x64xsi8>
  } loc("job")
  npu.wait %q
  cluster.call "dpl_copy_8" of "cluster" ins(%r : memref<64xsi8, #mem.level<"L1">>) outs(%o : memref<64xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<64xsi8>):
    %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
    cluster.yield %0 : tensor<64xsi8>
  } loc("needs")
  cluster.call "dpl_copy_8" of "cluster" ins(%i : memref<512xsi8, #mem.level<"L1">>) outs(%j : memref<512xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<512xsi8>):
    %0 = graph.copy %t : tensor<512xsi8> -> tensor<512xsi8>
    cluster.yield %0 : tensor<512xsi8>
  } loc("overwrites")
  func.return
}

// CHECK-LABEL: @overwrites
// CHECK:         npu.start {{.+}} outs(%v
// CHECK:         npu.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    npu.wait %q
// CHECK-NEXT:    cluster.call {{.+}} outs(%o
// CHECK:         cluster.call {{.+}} outs(%j

// -----

// The long kernel is best run beside the second job, which takes longer than what is left of the first.

func.func @later() {
  %q = npu.queue of "neureka"
  %w = mem.buffer at 0 : memref<64x64xui8, #mem.level<"WMEM">>
  %m = mem.buffer at 0 : memref<64xui8, #mem.level<"L1">>
  %a = mem.buffer at 64 : memref<64xsi32, #mem.level<"L1">>
  %u = mem.buffer at 512 : memref<1x64xsi8, #mem.level<"L1">>
  %v = mem.buffer at 576 : memref<1x64xsi8, #mem.level<"L1">>
  %s = mem.buffer at 640 : memref<1x64xsi8, #mem.level<"L1">>
  %z = mem.buffer at 704 : memref<1x64xsi8, #mem.level<"L1">>
  %o = mem.buffer at 768 : memref<64xsi8, #mem.level<"L1">>
  %i = mem.buffer at 8192 : memref<6144xsi8, #mem.level<"L1">>
  %j = mem.buffer at 16384 : memref<6144xsi8, #mem.level<"L1">>
  %r = mem.reshape %v : memref<1x64xsi8, #mem.level<"L1">> -> memref<64xsi8, #mem.level<"L1">>
  %p = mem.reshape %s : memref<1x64xsi8, #mem.level<"L1">> -> memref<64xsi8, #mem.level<"L1">>
  %y = mem.reshape %z : memref<1x64xsi8, #mem.level<"L1">> -> memref<64xsi8, #mem.level<"L1">>
  npu.start ins(%u, %w, %m, %a : memref<1x64xsi8, #mem.level<"L1">>, memref<64x64xui8, #mem.level<"WMEM">>, memref<64xui8, #mem.level<"L1">>, memref<64xsi32, #mem.level<"L1">>) outs(%v : memref<1x64xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<1x64xsi8>, %1: tensor<64x64xui8>, %2: tensor<64xui8>, %3: tensor<64xsi32>):
    %4 = npu.conv %0, %1 mul %2 : tensor<64xui8> add %3 : tensor<64xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<64x64xui8> -> tensor<1x64xsi8>
    npu.yield %4 : tensor<1x64xsi8>
  } loc("first")
  npu.wait %q
  cluster.call "dpl_copy_8" of "cluster" ins(%r : memref<64xsi8, #mem.level<"L1">>) outs(%p : memref<64xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<64xsi8>):
    %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
    cluster.yield %0 : tensor<64xsi8>
  } loc("between")
  npu.start ins(%s, %w, %m, %a : memref<1x64xsi8, #mem.level<"L1">>, memref<64x64xui8, #mem.level<"WMEM">>, memref<64xui8, #mem.level<"L1">>, memref<64xsi32, #mem.level<"L1">>) outs(%z : memref<1x64xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<1x64xsi8>, %1: tensor<64x64xui8>, %2: tensor<64xui8>, %3: tensor<64xsi32>):
    %4 = npu.conv %0, %1 mul %2 : tensor<64xui8> add %3 : tensor<64xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<64x64xui8> -> tensor<1x64xsi8>
    npu.yield %4 : tensor<1x64xsi8>
  } loc("second")
  npu.wait %q
  cluster.call "dpl_copy_8" of "cluster" ins(%i : memref<6144xsi8, #mem.level<"L1">>) outs(%j : memref<6144xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<6144xsi8>):
    %0 = graph.copy %t : tensor<6144xsi8> -> tensor<6144xsi8>
    cluster.yield %0 : tensor<6144xsi8>
  } loc("long")
  cluster.call "dpl_copy_8" of "cluster" ins(%y : memref<64xsi8, #mem.level<"L1">>) outs(%o : memref<64xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<64xsi8>):
    %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
    cluster.yield %0 : tensor<64xsi8>
  } loc("needs")
  func.return
}

// CHECK-LABEL: @later
// CHECK:         npu.start {{.+}} outs(%v
// CHECK:         npu.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    npu.wait %q
// CHECK-NEXT:    cluster.call {{.+}} outs(%p
// CHECK:         npu.start {{.+}} outs(%z
// CHECK:         npu.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    cluster.call {{.+}} outs(%j
// CHECK:         }
// CHECK-NEXT:    npu.wait %q
// CHECK-NEXT:    cluster.call {{.+}} outs(%o

// -----

// The job comes first behind whose result there is more to do, and then that.

func.func @jobs() {
  %q = npu.queue of "neureka"
  %w = mem.buffer at 0 : memref<64x64xui8, #mem.level<"WMEM">>
  %m = mem.buffer at 0 : memref<64xui8, #mem.level<"L1">>
  %a = mem.buffer at 64 : memref<64xsi32, #mem.level<"L1">>
  %u = mem.buffer at 512 : memref<1x64xsi8, #mem.level<"L1">>
  %v = mem.buffer at 576 : memref<1x64xsi8, #mem.level<"L1">>
  %s = mem.buffer at 640 : memref<1x64xsi8, #mem.level<"L1">>
  %o = mem.buffer at 704 : memref<64xsi8, #mem.level<"L1">>
  %p = mem.buffer at 768 : memref<64xsi8, #mem.level<"L1">>
  %y = mem.buffer at 832 : memref<64xsi8, #mem.level<"L1">>
  %z = mem.buffer at 896 : memref<64xsi8, #mem.level<"L1">>
  %r = mem.reshape %v : memref<1x64xsi8, #mem.level<"L1">> -> memref<64xsi8, #mem.level<"L1">>
  %g = mem.reshape %s : memref<1x64xsi8, #mem.level<"L1">> -> memref<64xsi8, #mem.level<"L1">>
  npu.start ins(%u, %w, %m, %a : memref<1x64xsi8, #mem.level<"L1">>, memref<64x64xui8, #mem.level<"WMEM">>, memref<64xui8, #mem.level<"L1">>, memref<64xsi32, #mem.level<"L1">>) outs(%v : memref<1x64xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<1x64xsi8>, %1: tensor<64x64xui8>, %2: tensor<64xui8>, %3: tensor<64xsi32>):
    %4 = npu.conv %0, %1 mul %2 : tensor<64xui8> add %3 : tensor<64xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<64x64xui8> -> tensor<1x64xsi8>
    npu.yield %4 : tensor<1x64xsi8>
  } loc("short")
  npu.wait %q
  npu.start ins(%u, %w, %m, %a : memref<1x64xsi8, #mem.level<"L1">>, memref<64x64xui8, #mem.level<"WMEM">>, memref<64xui8, #mem.level<"L1">>, memref<64xsi32, #mem.level<"L1">>) outs(%s : memref<1x64xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<1x64xsi8>, %1: tensor<64x64xui8>, %2: tensor<64xui8>, %3: tensor<64xsi32>):
    %4 = npu.conv %0, %1 mul %2 : tensor<64xui8> add %3 : tensor<64xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<64x64xui8> -> tensor<1x64xsi8>
    npu.yield %4 : tensor<1x64xsi8>
  } loc("long")
  npu.wait %q
  cluster.call "dpl_copy_8" of "cluster" ins(%r : memref<64xsi8, #mem.level<"L1">>) outs(%o : memref<64xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<64xsi8>):
    %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
    cluster.yield %0 : tensor<64xsi8>
  } loc("after_short")
  cluster.call "dpl_copy_8" of "cluster" ins(%g : memref<64xsi8, #mem.level<"L1">>) outs(%p : memref<64xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<64xsi8>):
    %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
    cluster.yield %0 : tensor<64xsi8>
  } loc("a")
  cluster.call "dpl_copy_8" of "cluster" ins(%p : memref<64xsi8, #mem.level<"L1">>) outs(%y : memref<64xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<64xsi8>):
    %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
    cluster.yield %0 : tensor<64xsi8>
  } loc("b")
  cluster.call "dpl_copy_8" of "cluster" ins(%y : memref<64xsi8, #mem.level<"L1">>) outs(%z : memref<64xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<64xsi8>):
    %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
    cluster.yield %0 : tensor<64xsi8>
  } loc("c")
  func.return
}

// CHECK-LABEL: @jobs
// CHECK:         npu.start {{.+}} outs(%s
// CHECK:         npu.start {{.+}} outs(%v
// CHECK:         npu.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    npu.wait %q until %done
// CHECK-NEXT:    cluster.call {{.+}} outs(%p
// CHECK:         cluster.call {{.+}} outs(%y
// CHECK:         cluster.call {{.+}} outs(%z
// CHECK:         }
// CHECK-NEXT:    npu.wait %q
// CHECK-NEXT:    cluster.call {{.+}} outs(%o

// -----

// Nothing moves past a loop.

func.func @loop() {
  %q = npu.queue of "neureka"
  %w = mem.buffer at 0 : memref<64x64xui8, #mem.level<"WMEM">>
  %m = mem.buffer at 0 : memref<64xui8, #mem.level<"L1">>
  %a = mem.buffer at 64 : memref<64xsi32, #mem.level<"L1">>
  %u = mem.buffer at 512 : memref<1x64xsi8, #mem.level<"L1">>
  %v = mem.buffer at 576 : memref<1x64xsi8, #mem.level<"L1">>
  %o = mem.buffer at 640 : memref<64xsi8, #mem.level<"L1">>
  %i = mem.buffer at 1024 : memref<512xsi8, #mem.level<"L1">>
  %j = mem.buffer at 1536 : memref<512xsi8, #mem.level<"L1">>
  %r = mem.reshape %v : memref<1x64xsi8, #mem.level<"L1">> -> memref<64xsi8, #mem.level<"L1">>
  npu.start ins(%u, %w, %m, %a : memref<1x64xsi8, #mem.level<"L1">>, memref<64x64xui8, #mem.level<"WMEM">>, memref<64xui8, #mem.level<"L1">>, memref<64xsi32, #mem.level<"L1">>) outs(%v : memref<1x64xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<1x64xsi8>, %1: tensor<64x64xui8>, %2: tensor<64xui8>, %3: tensor<64xsi32>):
    %4 = npu.conv %0, %1 mul %2 : tensor<64xui8> add %3 : tensor<64xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<64x64xui8> -> tensor<1x64xsi8>
    npu.yield %4 : tensor<1x64xsi8>
  } loc("job")
  npu.wait %q
  cluster.call "dpl_copy_8" of "cluster" ins(%r : memref<64xsi8, #mem.level<"L1">>) outs(%o : memref<64xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<64xsi8>):
    %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
    cluster.yield %0 : tensor<64xsi8>
  } loc("needs")
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  scf.for %n = %zero to %one step %one {
  cluster.call "dpl_copy_8" of "cluster" ins(%o : memref<64xsi8, #mem.level<"L1">>) outs(%o : memref<64xsi8, #mem.level<"L1">>) overhang [] {
    ^bb0(%t: tensor<64xsi8>):
      %0 = graph.copy %t : tensor<64xsi8> -> tensor<64xsi8>
      cluster.yield %0 : tensor<64xsi8>
    } loc("turns")
  }
  cluster.call "dpl_copy_8" of "cluster" ins(%i : memref<512xsi8, #mem.level<"L1">>) outs(%j : memref<512xsi8, #mem.level<"L1">>) overhang [] {
  ^bb0(%t: tensor<512xsi8>):
    %0 = graph.copy %t : tensor<512xsi8> -> tensor<512xsi8>
    cluster.yield %0 : tensor<512xsi8>
  } loc("behind")
  func.return
}

// CHECK-LABEL: @loop
// CHECK:         npu.start {{.+}} outs(%v
// CHECK:         npu.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    npu.wait %q
// CHECK-NEXT:    cluster.call {{.+}} outs(%o
// CHECK:         scf.for
// CHECK:         cluster.call {{.+}} outs(%j 
