// RUN: deeploy-opt %s -p 'set-target{target=siracusa residents=false},place,form-nests,offer-engines,plan,check-plan' --elide-resources | filecheck %s --check-prefix=BEST
// RUN: deeploy-opt %s -p 'set-target{target=siracusa},place,form-nests,offer-engines,plan{policy=accelerated},check-plan' --elide-resources | filecheck %s --check-prefix=NPU
// RUN: deeploy-opt %s -p 'set-target{target=siracusa},place,form-nests,offer-engines,plan{policy=layerwise},check-plan' --elide-resources | filecheck %s --check-prefix=LAYERS

// Restricted plans, to compare with: the accelerator wherever it can be used; and nothing stays in
// L1, as every layer begins and ends in L2.

func.func @network(%x: tensor<1x4xsi8>) -> tensor<1x4xsi32> {
  %w = graph.constant dense<[[1, 2, 3, 4], [5, 6, 7, 8], [1, 2, 3, 4], [5, 6, 7, 8]]> : tensor<4x4xsi8>
  %y = graph.clip %x {min = 0, max = 9} : tensor<1x4xsi8> -> tensor<1x4xsi8>
  %z = graph.matmul %y, %w {transpose_rhs} : tensor<1x4xsi8>, tensor<4x4xsi8> -> tensor<1x4xsi32>
  func.return %z : tensor<1x4xsi32>
}

// BEST: %y = tiled.nest {{.*}} homes = ["L1"]
// BEST: npu.conv

// NPU: %y = tiled.nest {{.*}} homes = ["L1"]
// NPU: npu.conv

// LAYERS: %y = tiled.nest {{.*}} homes = ["L2"]
