// RUN: deeploy-opt %s --split-input-file --verify-diagnostics -p 'set-target{target=siracusa},place' | filecheck %s

// What no kernel computes in one go says why.

func.func @network(%x: tensor<2x4xsi8>, %y: tensor<4x8xsi8>, %m: tensor<8xsi8>) -> tensor<2x8xui8> {
  %0 = graph.matmul_add %x, %y, %m {product_requant = #graph.requant<mul = 3, add = 8, shift = 4, min = -128, max = 127>, requant = #graph.requant<mul = 1, add = 0, shift = 0, min = 0, max = 255>} : tensor<2x4xsi8>, tensor<4x8xsi8>, tensor<8xsi8> -> tensor<2x8xui8>
  func.return %0 : tensor<2x8xui8>
}

// CHECK: no engine of the target takes this op (cluster: a product beyond ui8,

// -----

func.func @network(%x: tensor<2x4xsi8>, %y: tensor<4x8xsi8>, %m: tensor<8xsi8>) -> tensor<2x8xsi32> {
  %0 = graph.matmul_add %x, %y, %m {product_requant = #graph.requant<mul = 3, add = 8, shift = 4, min = -128, max = 127>} : tensor<2x4xsi8>, tensor<4x8xsi8>, tensor<8xsi8> -> tensor<2x8xsi32>
  func.return %0 : tensor<2x8xsi32>
}

// CHECK: no engine of the target takes this op (cluster: result is si32, the kernel takes si8, ui8,
