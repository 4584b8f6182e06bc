// RUN: deeploy-opt %s --check-semantics -p 'set-target{target=host sizes="L1=400"},place,form-nests,fuse-nests{percent=100},plan,check-plan' | filecheck %s

// Rows are cut; the axis of a concatenation is not, also where it is part of a larger nest.

func.func @network(%x: tensor<8x24xsi8>, %y: tensor<8x9xsi8>) -> tensor<8x33xsi8> {
  %0 = graph.concat %x, %y {axis = 1} : tensor<8x24xsi8>, tensor<8x9xsi8> -> tensor<8x33xsi8>
  %1 = graph.clip %0 {min = 0, max = 9} : tensor<8x33xsi8> -> tensor<8x33xsi8>
  func.return %1 : tensor<8x33xsi8>
}

// CHECK: tiled.nest ins(%x, %y
// CHECK-SAME: tile = array<i64: {{[1-4]}}, 33>, order = array<i64: 0>
// CHECK: graph.concat
// CHECK-NEXT: graph.clip
