// RUN: deeploy-opt %s -p 'set-target{target=siracusa sizes="L1=1500"},place,form-nests,fuse-nests,offer-engines,plan{policy=accelerated buffers=2},check-plan,bufferize,tile,insert-dma,pipeline,insert-barriers,assign-addresses,lower-npu' --check-semantics --elide-resources | filecheck %s

// The accelerator reads transposed tokens through strides too, also of tiles whose size is known at
// run time only.

func.func @network(%x: tensor<7x5x32xsi8>) -> tensor<5x7x24xsi8> {
  %w = graph.constant dense<-3> : tensor<24x32xsi8>
  %t = graph.transpose %x {permutation = array<i64: 1, 0, 2>} : tensor<7x5x32xsi8> -> tensor<5x7x32xsi8>
  %y = graph.matmul %t, %w {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 7, min = -128, max = 127>} : tensor<5x7x32xsi8>, tensor<24x32xsi8> -> tensor<5x7x24xsi8>
  func.return %y : tensor<5x7x24xsi8>
}

// CHECK-NOT: graph.transpose
// CHECK:     [[X:%.+]] = mem.view {{%.+}}[%oh_size{{[_0-9]*}}, %ow_size{{[_0-9]*}}] : memref<?x?x32xsi8, strided<[{{[0-9]+}}, 32, 1], offset: ?>, #mem.level<"L1">> -> memref<?x?x32xsi8, strided<[32, {{[0-9]+}}, 1], offset: ?>, #mem.level<"L1">>
// CHECK:     npu.address [[X]]
// CHECK:     npu.trigger
