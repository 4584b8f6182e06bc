// RUN: deeploy-opt %s -p 'set-target{target=siracusa sizes="L1=2000"},place,form-nests,plan{trials=true},check-plan' | filecheck %s
// RUN: deeploy-opt %s --verify-diagnostics -p 'set-target{target=siracusa},place,form-nests,plan{trials=true buffers=1}' | filecheck %s --check-prefix=RESTRICTED

// The plans of simpler policies are lowered and simulated beside the best one. What is left is one
// plan, and nothing of the others.

func.func @network(%x: tensor<1x8x8x8xsi8>) -> tensor<1x8x8x8xsi8> {
  %w = graph.constant dense<1> : tensor<8x3x3x8xsi8>
  %y = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1, channels_last, requant = #graph.requant<mul = 1, add = 0, shift = 6, min = -128, max = 127>} : tensor<1x8x8x8xsi8>, tensor<8x3x3x8xsi8> -> tensor<1x8x8x8xsi8>
  func.return %y : tensor<1x8x8x8xsi8>
}

// CHECK: func.func @network(%x: tensor<1x8x8x8xsi8> {mem.home = "L2", mem.offset = {{[0-9]+}} : i64})
// CHECK-SAME: tiled.plan = {status = "optimal", gap = 0.000000e+00 : f64, cycles = {{[0-9]+}} : i64}
// CHECK: tiled.nest
// CHECK-SAME: tile = array<i64: 1, {{[0-9, ]+}}>
// CHECK: graph.conv
// CHECK-NOT: tiled.nest

// RESTRICTED: trials are for the fastest plan, without restrictions
