// RUN: deeploy-opt %s -p 'set-target{target=host},plan,check-plan' --check-semantics | filecheck %s
// RUN: not deeploy-opt %s -p 'set-target{target=host},check-plan' 2>&1 | filecheck %s --check-prefix=UNPLANNED

// The plan takes the faster of two nests that compute the same, and drops the constant that only
// the other one reads.

func.func @network(%x: tensor<4x8xsi8>) -> tensor<4x8xsi8> {
  %low = graph.constant dense<-5> : tensor<4x8xsi8>
  %zero = graph.constant dense<0> : tensor<4x8xsi8>
  %y = tiled.alternatives -> tensor<4x8xsi8> {
    %1 = tiled.nest ins(%x, %low, %zero : tensor<4x8xsi8>, tensor<4x8xsi8>, tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "cluster"} {
    ^bb0(%a: tensor<4x8xsi8>, %b: tensor<4x8xsi8>, %c: tensor<4x8xsi8>):
      %2 = graph.max %a, %b : tensor<4x8xsi8>, tensor<4x8xsi8> -> tensor<4x8xsi8>
      %3 = graph.max %2, %c : tensor<4x8xsi8>, tensor<4x8xsi8> -> tensor<4x8xsi8>
      tiled.yield %3 : tensor<4x8xsi8>
    }
    tiled.yield %1 : tensor<4x8xsi8>
  } or {
    %1 = tiled.nest ins(%x, %zero : tensor<4x8xsi8>, tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "cluster"} {
    ^bb0(%a: tensor<4x8xsi8>, %b: tensor<4x8xsi8>):
      %2 = graph.max %a, %b : tensor<4x8xsi8>, tensor<4x8xsi8> -> tensor<4x8xsi8>
      tiled.yield %2 : tensor<4x8xsi8>
    }
    tiled.yield %1 : tensor<4x8xsi8>
  }
  func.return %y : tensor<4x8xsi8>
}

// CHECK-NOT:  %low
// CHECK:      %zero = graph.constant {mem.home = "L1", mem.offset = {{[0-9]+}} : i64}
// CHECK-NEXT: %y = tiled.nest ins(%x, %zero : tensor<4x8xsi8>, tensor<4x8xsi8>) -> tensor<4x8xsi8> attributes {engine = "cluster", tile =
// CHECK:        graph.max
// CHECK-NEXT:   tiled.yield
// CHECK:      func.return %y

// UNPLANNED: error: {{.*}}none of the alternatives has been taken
