// RUN: deeploy-opt %s -p overlap | filecheck %s
// RUN: deeploy-opt %s -p overlap,overlap | filecheck %s

// Two jobs are under way when the kernel waits for the first one: the third may be started in front of
// it as well, since a core waits there in any case until a context is free.

func.func @third() {
  %q = npu.queue of "neureka"
  %w = mem.buffer at 0 : memref<64x64xui8, #mem.level<"WMEM">>
  %m = mem.buffer at 0 : memref<64xui8, #mem.level<"L1">>
  %a = mem.buffer at 64 : memref<64xsi32, #mem.level<"L1">>
  %u = mem.buffer at 512 : memref<1x64xsi8, #mem.level<"L1">>
  %v = mem.buffer at 576 : memref<1x64xsi8, #mem.level<"L1">>
  %s = mem.buffer at 640 : memref<1x64xsi8, #mem.level<"L1">>
  %o = mem.buffer at 704 : memref<64xsi8, #mem.level<"L1">>
  %p = mem.buffer at 768 : memref<1x64xsi8, #mem.level<"L1">>
  %r = mem.reshape %v : memref<1x64xsi8, #mem.level<"L1">> -> memref<64xsi8, #mem.level<"L1">>
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
  npu.start ins(%u, %w, %m, %a : memref<1x64xsi8, #mem.level<"L1">>, memref<64x64xui8, #mem.level<"WMEM">>, memref<64xui8, #mem.level<"L1">>, memref<64xsi32, #mem.level<"L1">>) outs(%p : memref<1x64xsi8, #mem.level<"L1">>) overhang [] on %q {
  ^bb0(%0: tensor<1x64xsi8>, %1: tensor<64x64xui8>, %2: tensor<64xui8>, %3: tensor<64xsi32>):
    %4 = npu.conv %0, %1 mul %2 : tensor<64xui8> add %3 : tensor<64xsi32> {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -8, requant = #graph.requant<mul = 1, add = 0, shift = 9, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<64x64xui8> -> tensor<1x64xsi8>
    npu.yield %4 : tensor<1x64xsi8>
  } loc("third")
  npu.wait %q
  func.return
}

// CHECK:         npu.start {{.+}} outs(%v
// CHECK:         npu.start {{.+}} outs(%s
// CHECK:         npu.start {{.+}} outs(%p
// CHECK:         npu.wait %q until %done
// CHECK-NEXT:    cluster.call {{.+}} outs(%o
// CHECK:         npu.wait %q
