builtin.module {
  func.func @network(%x: tensor<1x1x16x16xui8> {graph.name = "x"}) -> (tensor<1x10xui8> {graph.name = "y"}) {
    %conv.weight = graph.constant dense_resource<conv.weight> : tensor<8x1x3x3xsi8> loc("conv")
    %a = graph.conv %x, %conv.weight {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64} : tensor<1x1x16x16xui8>, tensor<8x1x3x3xsi8> -> tensor<1x8x16x16xsi32> loc("conv")
    %requant1.mul = graph.constant dense<[[[4]], [[1]], [[6]], [[5]], [[7]], [[4]], [[3]], [[1]]]> : tensor<8x1x1xsi32> loc("requant1")
    %requant1.add = graph.constant dense<[[[42]], [[410]], [[667]], [[832]], [[-442]], [[313]], [[736]], [[-352]]]> : tensor<8x1x1xsi32> loc("requant1")
    %b = graph.requant %a mul %requant1.mul : tensor<8x1x1xsi32> add %requant1.add : tensor<8x1x1xsi32> {requant = #graph.requant<mul = 1, add = 0, shift = 8, min = 0, max = 255>} : tensor<1x8x16x16xsi32> -> tensor<1x8x16x16xui8> loc("requant1")
    %c = graph.max_pool %b {strides = array<i64: 4, 4>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 4, 4>} : tensor<1x8x16x16xui8> -> tensor<1x8x4x4xui8> loc("pool")
    %d = graph.reshape %c : tensor<1x8x4x4xui8> -> tensor<1x128xui8> loc("flatten")
    %dense.bias = graph.constant dense<[543, -139, -204, -442, -851, 303, 887, 891, -195, 608]> : tensor<10xsi32> loc("dense")
    %dense.weight = graph.constant dense_resource<dense.weight> : tensor<10x128xsi8> loc("dense")
    %e = graph.matmul %d, %dense.weight add %dense.bias : tensor<10xsi32> {transpose_rhs, requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -2147483648, max = 2147483647>} : tensor<1x128xui8>, tensor<10x128xsi8> -> tensor<1x10xsi32> loc("dense")
    %y = graph.requant %e {requant = #graph.requant<mul = 3, add = 128, shift = 8, min = 0, max = 255>} : tensor<1x10xsi32> -> tensor<1x10xui8> loc("requant2")
    func.return %y : tensor<1x10xui8>
  }
}
