// RUN: deeploy-opt %s -p 'set-target{target=siracusa},tile' --check-semantics | filecheck %s

// A depthwise convolution of 40 channels is cut between its groups of 28: the second one has 12.
// With each comes its row of weights.

func.func @network(%x: memref<1x8x8x40xui8, #mem.level<"L2">>, %w: memref<2x64xui8, #mem.level<"L2">>, %y: memref<1x8x8x40xsi32, #mem.level<"L2">>) {
  tiled.nest ins(%x, %w : memref<1x8x8x40xui8, #mem.level<"L2">>, memref<2x64xui8, #mem.level<"L2">>) outs(%y : memref<1x8x8x40xsi32, #mem.level<"L2">>) attributes {engine = "neureka", tile = array<i64: 1, 8, 8, 28, 3, 3, 1, 1, 64>, order = array<i64: 6>, buffers = 1 : i64, scratch = 0 : i64} {
  ^bb0(%a: tensor<1x8x8x40xui8>, %b: tensor<2x64xui8>):
    %0 = npu.conv %a, %b {mode = "depthwise", strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, weight_bits = 2, weight_offset = -2} : tensor<1x8x8x40xui8>, tensor<2x64xui8> -> tensor<1x8x8x40xsi32>
    tiled.yield %0 : tensor<1x8x8x40xsi32>
  }
  func.return
}

// CHECK:      %x_tile = memref.alloc() {mem.offset = 0 : i64} : memref<1x8x8x28xui8, #mem.level<"L1">>
// CHECK-NEXT: %w_tile = memref.alloc() {{.+}} : memref<1x64xui8, #mem.level<"L1">>
// CHECK:      scf.for %tile =
// CHECK:        %co_first = arith.muli %tile, %{{.+}} : index
// CHECK:        %co_count = arith.subi {{.+}} : index
// CHECK-NEXT:   memref.subview %x[0, 0, 0, %co_first] [1, 8, 8, %co_count] [1, 1, 1, 1]
// CHECK:        memref.subview %w[%tile, 0] [1, 64] [1, 1]
// CHECK:        npu.start ins({{.+}} : memref<1x8x8x?xui8, strided<[1792, 224, 28, 1], offset: ?>, #mem.level<"L1">>, memref<1x64xui8, #mem.level<"L1">>)
// CHECK:        memref.subview %y[0, 0, 0, %co_first] [1, 8, 8, %co_count] [1, 1, 1, 1]
