builtin.module attributes {mem.target = {name = "siracusa", …}} {
  func.func @network(%x: memref<1x1x16x16xui8, #mem.level<"L2">> {graph.name = "x", mem.home = "L2", mem.offset = 3520 : i64}) -> (memref<1x10xui8, #mem.level<"L2">> {graph.name = "y"}) attributes {tiled.plan = {status = "optimal", gap = 0.000000e+00 : f64, cycles = 12648 : i64}} {
    %mul = mem.constant at 0 dense<[4, 1, 6, 5, 7, 4, 3, 1]> : tensor<8xsi32> -> memref<8xsi32, #mem.level<"L2">> loc("requant1")
    %add = mem.constant at 32 dense<[42, 410, 667, 832, -442, 313, 736, -352]> : tensor<8xsi32> -> memref<8xsi32, #mem.level<"L2">> loc("requant1")
    %b = mem.reshape %x : memref<1x1x16x16xui8, #mem.level<"L2">> -> memref<1x16x16x1xui8, #mem.level<"L2">> loc("conv")
    %conv.weight = mem.constant at 64 dense_resource<conv.weight> : tensor<8x3x3x1xsi8> -> memref<8x3x3x1xsi8, #mem.level<"L2">> loc("conv")
    %b_1 = memref.alloc() {mem.offset = 1472 : i64} : memref<1x16x16x8xui8, #mem.level<"L2">> loc("conv")
    %b_tile = memref.alloc() {mem.offset = 0 : i64} : memref<2x1x16x6x1xui8, strided<[96, 96, 6, 1, 1]>, #mem.level<"L1">> loc("conv")
    %conv.weight_tile = memref.alloc() {mem.offset = 192 : i64} : memref<8x3x3x1xsi8, #mem.level<"L1">> loc("conv")
    %mul_tile = memref.alloc() {mem.offset = 272 : i64} : memref<8xsi32, #mem.level<"L1">> loc("conv")
    %add_tile = memref.alloc() {mem.offset = 304 : i64} : memref<8xsi32, #mem.level<"L1">> loc("conv")
    %b_tile_1 = memref.alloc() {mem.offset = 336 : i64} : memref<2x1x16x4x8xui8, strided<[512, 512, 32, 8, 1]>, #mem.level<"L1">> loc("conv")
    %scratch = memref.alloc() {mem.offset = 1360 : i64} : memref<72xi8, #mem.level<"L1">> loc("conv")
    "memref.copy"(%conv.weight, %conv.weight_tile) : (memref<8x3x3x1xsi8, #mem.level<"L2">>, memref<8x3x3x1xsi8, #mem.level<"L1">>) -> () loc("conv")
    "memref.copy"(%mul, %mul_tile) : (memref<8xsi32, #mem.level<"L2">>, memref<8xsi32, #mem.level<"L1">>) -> () loc("conv")
    "memref.copy"(%add, %add_tile) : (memref<8xsi32, #mem.level<"L2">>, memref<8xsi32, #mem.level<"L1">>) -> () loc("conv")
    %0 = arith.constant 0 : index
    %1 = arith.constant 4 : index
    %2 = arith.constant 1 : index
    scf.for %tile = %0 to %1 step %2 {
      %ow = arith.muli %tile, %1 : index
      %3 = arith.constant -1 : index
      %ow_first = arith.addi %ow, %3 : index
      %4 = arith.subi %0, %ow_first : index
      %ow_low = arith.maxsi %4, %0 : index
      %5 = arith.constant 6 : index
      %6 = arith.subi %5, %ow_low : index
      %7 = arith.addi %ow_first, %5 : index
      %8 = arith.constant 16 : index
      %9 = arith.subi %7, %8 : index
      %ow_high = arith.maxsi %9, %0 : index
      %ow_begin = arith.maxsi %ow_first, %0 : index
      %ow_count = arith.subi %6, %ow_high : index
      %b_2 = memref.subview %b[0, 0, %ow_begin, 0] [1, 16, %ow_count, 1] [1, 1, 1, 1] : memref<1x16x16x1xui8, #mem.level<"L2">> to memref<1x16x?x1xui8, strided<[256, 16, 1, 1], offset: ?>, #mem.level<"L2">> loc("conv")
      %10 = arith.constant 2 : index
      %11 = arith.remui %tile, %10 : index
      %b_tile_2 = memref.subview %b_tile[%11, 0, 0, 0, 0] [1, 1, 16, %ow_count, 1] [1, 1, 1, 1, 1] : memref<2x1x16x6x1xui8, strided<[96, 96, 6, 1, 1]>, #mem.level<"L1">> to memref<1x16x?x1xui8, strided<[96, 6, 1, 1], offset: ?>, #mem.level<"L1">> loc("conv")
      "memref.copy"(%b_2, %b_tile_2) : (memref<1x16x?x1xui8, strided<[256, 16, 1, 1], offset: ?>, #mem.level<"L2">>, memref<1x16x?x1xui8, strided<[96, 6, 1, 1], offset: ?>, #mem.level<"L1">>) -> () loc("conv")
      %12 = arith.remui %tile, %10 : index
      %b_tile_3 = memref.subview %b_tile[%12, 0, 0, 0, 0] [1, 1, 16, %ow_count, 1] [1, 1, 1, 1, 1] : memref<2x1x16x6x1xui8, strided<[96, 96, 6, 1, 1]>, #mem.level<"L1">> to memref<1x16x?x1xui8, strided<[96, 6, 1, 1], offset: ?>, #mem.level<"L1">> loc("conv")
      %13 = arith.remui %tile, %10 : index
      %b_tile_4 = memref.subview %b_tile_1[%13, 0, 0, 0, 0] [1, 1, 16, 4, 8] [1, 1, 1, 1, 1] : memref<2x1x16x4x8xui8, strided<[512, 512, 32, 8, 1]>, #mem.level<"L1">> to memref<1x16x4x8xui8, strided<[512, 32, 8, 1], offset: ?>, #mem.level<"L1">> loc("conv")
      cluster.call "dpl_conv2d_u8_u8" of "cluster" ins(%b_tile_3, %conv.weight_tile, %mul_tile, %add_tile : memref<1x16x?x1xui8, strided<[96, 6, 1, 1], offset: ?>, #mem.level<"L1">>, memref<8x3x3x1xsi8, #mem.level<"L1">>, memref<8xsi32, #mem.level<"L1">>, memref<8xsi32, #mem.level<"L1">>) outs(%b_tile_4 : memref<1x16x4x8xui8, strided<[512, 32, 8, 1], offset: ?>, #mem.level<"L1">>) scratch(%scratch : memref<72xi8, #mem.level<"L1">>) overhang [0, 0, 1, 1, %ow_low, %ow_high, 0, 0] {
      ^bb0(%b_3: tensor<1x16x16x1xui8>, %conv.weight_1: tensor<8x3x3x1xsi8>, %mul_1: tensor<8xsi32>, %add_1: tensor<8xsi32>):
        %b_4 = graph.conv %b_3, %conv.weight_1 mul %mul_1 : tensor<8xsi32> add %add_1 : tensor<8xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, requant = #graph.requant<mul = 1, add = 0, shift = 8, min = 0, max = 255>, channels_last} : tensor<1x16x16x1xui8>, tensor<8x3x3x1xsi8> -> tensor<1x16x16x8xui8> loc("conv")
        cluster.yield %b_4 : tensor<1x16x16x8xui8>
      } loc("conv")
      %b_3 = memref.subview %b_1[0, 0, %ow, 0] [1, 16, 4, 8] [1, 1, 1, 1] : memref<1x16x16x8xui8, #mem.level<"L2">> to memref<1x16x4x8xui8, strided<[2048, 128, 8, 1], offset: ?>, #mem.level<"L2">> loc("conv")
      "memref.copy"(%b_tile_4, %b_3) : (memref<1x16x4x8xui8, strided<[512, 32, 8, 1], offset: ?>, #mem.level<"L1">>, memref<1x16x4x8xui8, strided<[2048, 128, 8, 1], offset: ?>, #mem.level<"L2">>) -> () loc("conv")
    } {tiled.double_buffered} loc("conv")
    %c = memref.alloc() {mem.offset = 1344 : i64} : memref<1x4x4x8xui8, #mem.level<"L1">> loc("pool")
    %b_tile_5 = memref.alloc() {mem.offset = 0 : i64} : memref<2x1x16x4x8xui8, strided<[512, 512, 32, 8, 1]>, #mem.level<"L1">> loc("pool")
    scf.for %tile_1 = %0 to %1 step %2 {
      %14 = arith.muli %tile_1, %1 : index
      %b_4 = memref.subview %b_1[0, 0, %14, 0] [1, 16, 4, 8] [1, 1, 1, 1] : memref<1x16x16x8xui8, #mem.level<"L2">> to memref<1x16x4x8xui8, strided<[2048, 128, 8, 1], offset: ?>, #mem.level<"L2">> loc("pool")
      %15 = arith.constant 2 : index
      %16 = arith.remui %tile_1, %15 : index
      %b_tile_6 = memref.subview %b_tile_5[%16, 0, 0, 0, 0] [1, 1, 16, 4, 8] [1, 1, 1, 1, 1] : memref<2x1x16x4x8xui8, strided<[512, 512, 32, 8, 1]>, #mem.level<"L1">> to memref<1x16x4x8xui8, strided<[512, 32, 8, 1], offset: ?>, #mem.level<"L1">> loc("pool")
      "memref.copy"(%b_4, %b_tile_6) : (memref<1x16x4x8xui8, strided<[2048, 128, 8, 1], offset: ?>, #mem.level<"L2">>, memref<1x16x4x8xui8, strided<[512, 32, 8, 1], offset: ?>, #mem.level<"L1">>) -> () loc("pool")
      %17 = arith.remui %tile_1, %15 : index
      %b_tile_7 = memref.subview %b_tile_5[%17, 0, 0, 0, 0] [1, 1, 16, 4, 8] [1, 1, 1, 1, 1] : memref<2x1x16x4x8xui8, strided<[512, 512, 32, 8, 1]>, #mem.level<"L1">> to memref<1x16x4x8xui8, strided<[512, 32, 8, 1], offset: ?>, #mem.level<"L1">> loc("pool")
      %c_1 = memref.subview %c[0, 0, %tile_1, 0] [1, 4, 1, 8] [1, 1, 1, 1] : memref<1x4x4x8xui8, #mem.level<"L1">> to memref<1x4x1x8xui8, strided<[128, 32, 8, 1], offset: ?>, #mem.level<"L1">> loc("pool")
      cluster.call "dpl_max_pool2d_u8" of "cluster" ins(%b_tile_7 : memref<1x16x4x8xui8, strided<[512, 32, 8, 1], offset: ?>, #mem.level<"L1">>) outs(%c_1 : memref<1x4x1x8xui8, strided<[128, 32, 8, 1], offset: ?>, #mem.level<"L1">>) overhang [] {
      ^bb0(%b_5: tensor<1x16x16x8xui8>):
        %c_2 = graph.max_pool %b_5 {strides = array<i64: 4, 4>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 4, 4>, channels_last} : tensor<1x16x16x8xui8> -> tensor<1x4x4x8xui8> loc("pool")
        cluster.yield %c_2 : tensor<1x4x4x8xui8>
      } loc("pool")
    } {tiled.double_buffered} loc("pool")
    %add_1 = mem.constant at 144 dense<[1757, -289, -484, -1198, -2425, 1037, 2789, 2801, -457, 1952]> : tensor<10xsi32> -> memref<10xsi32, #mem.level<"L2">> loc("requant2")
    %y = mem.reshape %c : memref<1x4x4x8xui8, #mem.level<"L1">> -> memref<1x128xui8, #mem.level<"L1">> loc("flatten")
    %dense.weight = mem.constant at 192 dense_resource<dense.weight_1> : tensor<10x128xsi8> -> memref<10x128xsi8, #mem.level<"L2">> loc("dense")
    %y_1 = memref.alloc() {mem.offset = 1472 : i64} : memref<1x10xui8, #mem.level<"L2">> loc("dense")
    %dense.weight_tile = memref.alloc() {mem.offset = 0 : i64} : memref<10x128xsi8, #mem.level<"L1">> loc("dense")
    %add_tile_1 = memref.alloc() {mem.offset = 1280 : i64} : memref<10xsi32, #mem.level<"L1">> loc("dense")
    %y_tile = memref.alloc() {mem.offset = 1328 : i64} : memref<1x10xui8, #mem.level<"L1">> loc("dense")
    "memref.copy"(%dense.weight, %dense.weight_tile) : (memref<10x128xsi8, #mem.level<"L2">>, memref<10x128xsi8, #mem.level<"L1">>) -> () loc("dense")
    "memref.copy"(%add_1, %add_tile_1) : (memref<10xsi32, #mem.level<"L2">>, memref<10xsi32, #mem.level<"L1">>) -> () loc("dense")
    cluster.call "dpl_matmul_u8_s8_u8" of "cluster" ins(%y, %dense.weight_tile, %add_tile_1 : memref<1x128xui8, #mem.level<"L1">>, memref<10x128xsi8, #mem.level<"L1">>, memref<10xsi32, #mem.level<"L1">>) outs(%y_tile : memref<1x10xui8, #mem.level<"L1">>) overhang [] {
    ^bb0(%y_2: tensor<1x128xui8>, %dense.weight_1: tensor<10x128xsi8>, %add_2: tensor<10xsi32>):
      %y_3 = graph.matmul %y_2, %dense.weight_1 add %add_2 : tensor<10xsi32> {transpose_rhs, requant = #graph.requant<mul = 3, add = 0, shift = 8, min = 0, max = 255>} : tensor<1x128xui8>, tensor<10x128xsi8> -> tensor<1x10xui8> loc("dense")
      cluster.yield %y_3 : tensor<1x10xui8>
    } loc("dense")
    "memref.copy"(%y_tile, %y_1) : (memref<1x10xui8, #mem.level<"L1">>, memref<1x10xui8, #mem.level<"L2">>) -> () loc("dense")
    func.return %y_1 : memref<1x10xui8, #mem.level<"L2">>
  }
}
