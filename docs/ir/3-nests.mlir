builtin.module attributes {mem.target = {name = "siracusa", …}} {
  func.func @network(%x: tensor<1x1x16x16xui8> {graph.name = "x", mem.home = "L2", mem.offset = 3520 : i64}) -> (tensor<1x10xui8> {graph.name = "y"}) attributes {tiled.plan = {status = "optimal", gap = 0.000000e+00 : f64, cycles = 12648 : i64}} {
    %mul = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<[4, 1, 6, 5, 7, 4, 3, 1]> : tensor<8xsi32> loc("requant1")
    %add = graph.constant {mem.home = "L2", mem.offset = 32 : i64} dense<[42, 410, 667, 832, -442, 313, 736, -352]> : tensor<8xsi32> loc("requant1")
    %b = graph.reshape %x : tensor<1x1x16x16xui8> -> tensor<1x16x16x1xui8> loc("conv")
    %conv.weight = graph.constant {mem.home = "L2", mem.offset = 64 : i64} dense_resource<conv.weight> : tensor<8x3x3x1xsi8> loc("conv")
    %b_1 = tiled.nest ins(%b, %conv.weight, %mul, %add : tensor<1x16x16x1xui8>, tensor<8x3x3x1xsi8>, tensor<8xsi32>, tensor<8xsi32>) -> tensor<1x16x16x8xui8> attributes {engine = "cluster", tile = array<i64: 1, 16, 4, 1, 8, 3, 3, 1>, order = array<i64: 2>, buffers = 2 : i64, scratch = 0 : i64, cycles = 10981 : i64, homes = ["L2"], offsets = array<i64: 1472>} {
    ^bb0(%b_2: tensor<1x16x16x1xui8>, %conv.weight_1: tensor<8x3x3x1xsi8>, %mul_1: tensor<8xsi32>, %add_1: tensor<8xsi32>):
      %b_3 = graph.conv %b_2, %conv.weight_1 mul %mul_1 : tensor<8xsi32> add %add_1 : tensor<8xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, requant = #graph.requant<mul = 1, add = 0, shift = 8, min = 0, max = 255>, channels_last} : tensor<1x16x16x1xui8>, tensor<8x3x3x1xsi8> -> tensor<1x16x16x8xui8> loc("conv")
      tiled.yield %b_3 : tensor<1x16x16x8xui8>
    } loc("conv")
    %c = tiled.nest ins(%b_1 : tensor<1x16x16x8xui8>) -> tensor<1x4x4x8xui8> attributes {engine = "cluster", tile = array<i64: 1, 4, 1, 8, 4, 4>, order = array<i64: 2>, buffers = 2 : i64, scratch = 0 : i64, cycles = 1093 : i64, homes = ["L1"], offsets = array<i64: 1344>} {
    ^bb0(%b_2: tensor<1x16x16x8xui8>):
      %c_1 = graph.max_pool %b_2 {strides = array<i64: 4, 4>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 4, 4>, channels_last} : tensor<1x16x16x8xui8> -> tensor<1x4x4x8xui8> loc("pool")
      tiled.yield %c_1 : tensor<1x4x4x8xui8>
    } loc("pool")
    %add_1 = graph.constant {mem.home = "L2", mem.offset = 144 : i64} dense<[1757, -289, -484, -1198, -2425, 1037, 2789, 2801, -457, 1952]> : tensor<10xsi32> loc("requant2")
    %y = graph.reshape %c : tensor<1x4x4x8xui8> -> tensor<1x128xui8> loc("flatten")
    %dense.weight = graph.constant {mem.home = "L2", mem.offset = 192 : i64} dense_resource<dense.weight_1> : tensor<10x128xsi8> loc("dense")
    %y_1 = tiled.nest ins(%y, %dense.weight, %add_1 : tensor<1x128xui8>, tensor<10x128xsi8>, tensor<10xsi32>) -> tensor<1x10xui8> attributes {engine = "cluster", tile = array<i64: 1, 10, 128>, order = array<i64>, buffers = 1 : i64, scratch = 0 : i64, cycles = 574 : i64, homes = ["L2"], offsets = array<i64: 1472>} {
    ^bb0(%y_2: tensor<1x128xui8>, %dense.weight_1: tensor<10x128xsi8>, %add_2: tensor<10xsi32>):
      %y_3 = graph.matmul %y_2, %dense.weight_1 add %add_2 : tensor<10xsi32> {transpose_rhs, requant = #graph.requant<mul = 3, add = 0, shift = 8, min = 0, max = 255>} : tensor<1x128xui8>, tensor<10x128xsi8> -> tensor<1x10xui8> loc("dense")
      tiled.yield %y_3 : tensor<1x10xui8>
    } loc("dense")
    func.return %y_1 : tensor<1x10xui8>
  }
}
