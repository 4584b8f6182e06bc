// RUN: not deeploy-opt %s -p 'set-target{target=siracusa sizes="L1=3000","L2=3000","WMEM=32"},place,form-nests,offer-engines,plan' 2>&1 | filecheck %s

// The weights fit into no memory: 8,192 bytes, as they are or packed for the accelerator. Those of the
// alternative with the fewest bytes count.

func.func @network(%x: tensor<1x128xsi8>) -> tensor<1x64xsi8> {
  %w = graph.constant dense<-3> : tensor<64x128xsi8>
  %y = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x128xsi8>, tensor<64x128xsi8> -> tensor<1x64xsi8>
  func.return %y : tensor<1x64xsi8>
}

// CHECK: the network does not fit into the memories of the target; L1 and L2 and WMEM must hold at least {{8[0-9]+}} bytes and have together 6016
