// RUN: deeploy-opt %s -p 'share-caches,set-target{target=host},place,form-nests,plan,check-plan' --check-semantics | filecheck %s
// RUN: deeploy-opt %s -p 'share-caches,set-target{target=host},place,form-nests,plan,check-plan,bufferize,tile,insert-dma,insert-barriers,assign-addresses' --check-semantics | filecheck %s --check-prefix=MEM
// RUN: deeploy-opt %s -p 'share-caches,set-target{target=host residents=false},place,form-nests,plan,check-plan' --check-semantics | filecheck %s --check-prefix=OFF

// The compute memory keeps its content, so constants and a cache have their home there: the first
// nest reads the weight and writes the row in place, and nothing but the input and the output moves.

func.func @network(%x: tensor<2x1x4xsi8>, %past: tensor<2x6x4xsi8>) -> (tensor<2x7x4xsi8>, tensor<2x1x4xsi8>) {
  %w = graph.constant dense<1> : tensor<2x1x4xsi8>
  %row = graph.add %x, %w {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<2x1x4xsi8>, tensor<2x1x4xsi8> -> tensor<2x1x4xsi8>
  %all = graph.concat %past, %row {axis = 1} : tensor<2x6x4xsi8>, tensor<2x1x4xsi8> -> tensor<2x7x4xsi8>
  %y = graph.clip %row {min = 0, max = 9} : tensor<2x1x4xsi8> -> tensor<2x1x4xsi8>
  func.return %all, %y : tensor<2x7x4xsi8>, tensor<2x1x4xsi8>
}

// CHECK: func.func @network(%x: {{.*}}mem.home = "L2"
// CHECK-SAME: %past: {{.*}}mem.home = "L1"
// CHECK: graph.constant {mem.home = "L1"

// MEM: dma.start %x to
// MEM-NOT: dma.start %{{(w|past)}}
// MEM: dma.start %{{.*}} to %y
// MEM-NOT: dma.start

// OFF: %past: {{.*}}mem.home = "L2"
// OFF: graph.constant {mem.home = "L2"
