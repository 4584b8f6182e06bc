// RUN: deeploy-opt %s -p 'set-target{target=host sizes="L1=1024"},place,form-nests,plan,check-plan' | filecheck %s
// RUN: deeploy-opt %s -p 'set-target{target=host sizes="L1=65536"},place,form-nests,plan,check-plan' | filecheck %s --check-prefix=LARGE
// RUN: deeploy-opt %s -p 'set-target{target=host sizes="L1=1024"},place,form-nests,plan{buffers=1 objective=memory solver=cbc},check-plan' | filecheck %s --check-prefix=SMALL

// Tiles, loop order, buffers, homes, addresses, and estimated cycles. 3600 bytes in and out with
// 1024 bytes of L1: rows are cut into tiles.

func.func @network(%x: tensor<60x60xsi8>) -> tensor<60x60xsi8> {
  %y = graph.clip %x {min = 0, max = 9} : tensor<60x60xsi8> -> tensor<60x60xsi8>
  %z = graph.clip %y {min = 0, max = 5} : tensor<60x60xsi8> -> tensor<60x60xsi8>
  func.return %z : tensor<60x60xsi8>
}

// CHECK:      func.func @network(%x: tensor<60x60xsi8> {mem.home = "L2", mem.offset = [[X:[0-9]+]] : i64}) -> tensor<60x60xsi8> attributes {tiled.plan = {status = "optimal", gap = 0.000000e+00 : f64, cycles = {{[0-9]+}} : i64}} {
// CHECK-NEXT: %y = tiled.nest ins(%x : tensor<60x60xsi8>) -> tensor<60x60xsi8> attributes {engine = "cluster", tile = array<i64: {{[1-8]}}, 60>, order = array<i64: 0>, buffers = {{[12]}} : i64, scratch = {{[0-9]+}} : i64, cycles = {{[0-9]+}} : i64, homes = ["L2"], offsets = array<i64: {{[0-9]+}}>} {
// CHECK:      %z = tiled.nest ins(%y : tensor<60x60xsi8>) -> tensor<60x60xsi8> attributes {engine = "cluster", tile = array<i64: {{[1-8]}}, 60>, order = array<i64: 0>, {{.*}} homes = ["L2"]

// With enough memory what lies between two nests stays in L1.

// LARGE: %y = tiled.nest {{.*}} homes = ["L1"]
// LARGE: %z = tiled.nest {{.*}} homes = ["L2"]

// One buffer each, and as few bytes as possible.

// SMALL: %y = tiled.nest {{.*}} tile = array<i64: 1, {{1?[0-9]}}>, order = array<i64: 0, 1>, buffers = 1 : i64
// SMALL: %z = tiled.nest {{.*}} tile = array<i64: 1, {{1?[0-9]}}>, order = array<i64: 0, 1>, buffers = 1 : i64
