builtin.module {
  func.func @network(%x: tensor<1x1x16x16xui8> {graph.name = "x"}) -> (tensor<1x10xui8> {graph.name = "y"}) {
    %mul = graph.constant dense<[4, 1, 6, 5, 7, 4, 3, 1]> : tensor<8xsi32> loc("requant1")
    %add = graph.constant dense<[42, 410, 667, 832, -442, 313, 736, -352]> : tensor<8xsi32> loc("requant1")
    %b = graph.reshape %x : tensor<1x1x16x16xui8> -> tensor<1x16x16x1xui8> loc("conv")
    %conv.weight = graph.constant dense_resource<conv.weight> : tensor<8x3x3x1xsi8> loc("conv")
    %b_1 = graph.conv %b, %conv.weight mul %mul : tensor<8xsi32> add %add : tensor<8xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, requant = #graph.requant<mul = 1, add = 0, shift = 8, min = 0, max = 255>, channels_last} : tensor<1x16x16x1xui8>, tensor<8x3x3x1xsi8> -> tensor<1x16x16x8xui8> loc("conv")
    %c = graph.max_pool %b_1 {strides = array<i64: 4, 4>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 4, 4>, channels_last} : tensor<1x16x16x8xui8> -> tensor<1x4x4x8xui8> loc("pool")
    %add_1 = graph.constant dense<[1757, -289, -484, -1198, -2425, 1037, 2789, 2801, -457, 1952]> : tensor<10xsi32> loc("requant2")
    %y = graph.reshape %c : tensor<1x4x4x8xui8> -> tensor<1x128xui8> loc("flatten")
    %dense.weight = graph.constant dense_resource<dense.weight_1> : tensor<10x128xsi8> loc("dense")
    %y_1 = graph.matmul %y, %dense.weight add %add_1 : tensor<10xsi32> {transpose_rhs, requant = #graph.requant<mul = 3, add = 0, shift = 8, min = 0, max = 255>} : tensor<1x128xui8>, tensor<10x128xsi8> -> tensor<1x10xui8> loc("dense")
    func.return %y_1 : tensor<1x10xui8>
  }
}
