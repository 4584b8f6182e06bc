// RUN: deeploy-opt %s --split-input-file -p 'set-target{target=siracusa},place,form-nests,fuse-nests,offer-engines' --check-semantics --elide-resources | filecheck %s
// RUN: deeploy-opt %s --split-input-file -p 'set-target{target=siracusa},place,form-nests,fuse-nests,offer-engines,plan,check-plan,bufferize,tile,insert-dma,pipeline,assign-addresses,schedule,overlap,insert-barriers,lower-npu' --check-semantics --elide-resources | filecheck %s --check-prefix=PROGRAM

// The cores compute the last of 128 outputs while the accelerator is at the others. Both are put side
// by side, and the nest goes on with them.

func.func @transposed(%x: tensor<1x128xsi8>, %r: tensor<1x128xsi8>) -> tensor<1x128xsi8> {
  %w = graph.constant dense<-3> : tensor<128x128xsi8>
  %m = graph.constant dense<5> : tensor<128xsi32>
  %y = graph.matmul %x, %w mul %m : tensor<128xsi32> {transpose_rhs, requant = #graph.requant<mul = 1, add = 16, shift = 9, min = -128, max = 127>} : tensor<1x128xsi8>, tensor<128x128xsi8> -> tensor<1x128xsi8>
  %z = graph.add %y, %r {requant = #graph.requant<mul = 1, add = 1, shift = 1, min = -128, max = 127>} : tensor<1x128xsi8>, tensor<1x128xsi8> -> tensor<1x128xsi8>
  func.return %z : tensor<1x128xsi8>
}

// CHECK-LABEL: @transposed
// CHECK:         tiled.alternatives
// CHECK:         npu.conv {{.+}} -> tensor<1x128xsi8>
// CHECK:       } or {
// CHECK:         [[FIRST:%.+]] = npu.conv {{.+}} tensor<1x128xsi8>, tensor<64x128xui8> -> tensor<1x64xsi8>
// CHECK-NEXT:    [[LAST:%.+]] = graph.matmul {{.+}} mul {{.+}} : tensor<64xsi32> {transpose_rhs, {{.+}} tensor<1x128xsi8>, tensor<64x128xsi8> -> tensor<1x64xsi8>
// CHECK-NEXT:    [[ALL:%.+]] = graph.concat [[FIRST]], [[LAST]] {axis = 1 : i64
// CHECK-NEXT:    graph.add [[ALL]]

// PROGRAM-LABEL: @transposed
// PROGRAM:         npu.trigger
// PROGRAM:         cluster.call "dpl_matmul
// PROGRAM:         npu.wait
// PROGRAM:         cluster.call {{.+}} outs({{.+}}memref<1x128xsi8
// PROGRAM-NEXT:    ^bb0
// PROGRAM-NEXT:      graph.concat

// -----

// Weights as they are, and 32-bit sums.

func.func @plain(%x: tensor<1x1x256xui8>) -> tensor<1x1x256xsi32> {
  %w = graph.constant dense<7> : tensor<256x256xsi8>
  %y = graph.matmul %x, %w : tensor<1x1x256xui8>, tensor<256x256xsi8> -> tensor<1x1x256xsi32>
  func.return %y : tensor<1x1x256xsi32>
}

// CHECK-LABEL: @plain
// CHECK:         graph.matmul {{.+}} tensor<1x1x256xui8>, tensor<256x96xsi8> -> tensor<1x1x96xsi32>
// CHECK-NEXT:    graph.concat {{.+}} axis = 2 : i64

// -----

// So few outputs, or so many rows, are no work to share.

func.func @few(%x: tensor<1x64xsi8>) -> tensor<1x64xsi8> {
  %w = graph.constant dense<-3> : tensor<64x64xsi8>
  %y = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 9, min = -128, max = 127>} : tensor<1x64xsi8>, tensor<64x64xsi8> -> tensor<1x64xsi8>
  func.return %y : tensor<1x64xsi8>
}

// CHECK-LABEL: @few
// CHECK-NOT:     graph.concat

// -----

func.func @rows(%x: tensor<36x128xsi8>) -> tensor<36x128xsi8> {
  %w = graph.constant dense<-3> : tensor<128x128xsi8>
  %y = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 9, min = -128, max = 127>} : tensor<36x128xsi8>, tensor<128x128xsi8> -> tensor<36x128xsi8>
  func.return %y : tensor<36x128xsi8>
}

// CHECK-LABEL: @rows
// CHECK-NOT:     graph.concat

// -----

// The cores would have to clamp all of it.

func.func @clamped(%x: tensor<1x128xsi8>) -> tensor<1x128xsi8> {
  %w = graph.constant dense<-3> : tensor<128x128xsi8>
  %y = graph.matmul %x, %w {transpose_rhs, requant = #graph.requant<mul = 5, add = 16, shift = 9, min = 0, max = 99>} : tensor<1x128xsi8>, tensor<128x128xsi8> -> tensor<1x128xsi8>
  func.return %y : tensor<1x128xsi8>
}

// CHECK-LABEL: @clamped
// CHECK-NOT:     graph.concat
