// RUN: deeploy-opt %s -p 'set-target{target=siracusa},tile' --check-semantics | filecheck %s
// RUN: deeploy-opt %s -p 'set-target{target=siracusa},tile,insert-dma,pipeline,assign-addresses,overlap,insert-barriers,lower-npu' --check-semantics | filecheck %s --check-prefix=JOBS

// 100 input channels are four groups of up to 32, in two parts for each tile of two tokens. The
// first part gives the sums, to which the second one is added; then they are requantised. The last
// part has 36 channels.

func.func @network(%x: memref<4x100xsi8, #mem.level<"L2">>, %w: memref<40x128xui8, #mem.level<"WMEM">>, %y: memref<4x40xsi8, #mem.level<"L2">>) {
  tiled.nest ins(%x, %w : memref<4x100xsi8, #mem.level<"L2">>, memref<40x128xui8, #mem.level<"WMEM">>) outs(%y : memref<4x40xsi8, #mem.level<"L2">>) attributes {engine = "neureka", tile = array<i64: 2, 40, 2>, order = array<i64: 0, 2>, buffers = 2 : i64, scratch = 0 : i64} {
  ^bb0(%a: tensor<4x100xsi8>, %b: tensor<40x128xui8>):
    %0 = npu.conv %a, %b {mode = "pointwise", strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, weight_bits = 8, weight_offset = -128} : tensor<4x100xsi8>, tensor<40x128xui8> -> tensor<4x40xsi32>
    %1 = graph.requant %0 {engine = "cluster", requant = #graph.requant<mul = 3, add = 0, shift = 9, min = -128, max = 127>} : tensor<4x40xsi32> -> tensor<4x40xsi8>
    tiled.yield %1 : tensor<4x40xsi8>
  }
  func.return
}

// CHECK:      %x_tile = memref.alloc() {mem.offset = 0 : i64} : memref<2x2x64xsi8, strided<[128, 64, 1]>, #mem.level<"L1">>
// CHECK-NEXT: %y_tile = memref.alloc() {mem.offset = 256 : i64} : memref<2x40xsi8, #mem.level<"L1">>
// CHECK-NEXT: [[SUMS:%.+]] = memref.alloc() {{.+}} : memref<2x40xsi32, #mem.level<"L1">>
// CHECK:      scf.for %tile =
// CHECK:        npu.start ins({{[^)]+}}) outs([[SUMS]] :
// CHECK:          npu.conv %a, %b {mode
// CHECK:        npu.wait
// CHECK:        scf.for %part =
// CHECK:          npu.start ins({{%[^,]+}}, {{%[^,]+}}, [[SUMS]] : {{.+}}) outs([[SUMS]] :
// CHECK:            npu.conv %a, %b onto {{%.+}} : tensor<4x40xsi32> {mode
// CHECK:          npu.wait
// CHECK:        } {tiled.double_buffered}
// CHECK:        cluster.call "dpl_requant_s32_s8

// The weights of the second 8 of 40 output channels do not lie right behind those of the first 32:
// two jobs for each part.

// JOBS-COUNT-2: npu.trigger
// JOBS:         scf.for %part =
// JOBS-COUNT-2: npu.trigger
// JOBS-NOT:     npu.trigger
