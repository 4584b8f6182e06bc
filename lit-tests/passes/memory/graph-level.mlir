// RUN: deeploy-opt %s --verify-diagnostics -p 'set-target{target=host},fuse-nests' | filecheck %s
// RUN: deeploy-opt %s --verify-diagnostics -p 'set-target{target=host},tile' | filecheck %s
// RUN: deeploy-opt %s --verify-diagnostics -p 'set-target{target=host},insert-dma' | filecheck %s
// RUN: deeploy-opt %s --verify-diagnostics -p 'pipeline' | filecheck %s
// RUN: deeploy-opt %s --verify-diagnostics -p 'insert-barriers' | filecheck %s
// RUN: deeploy-opt %s --verify-diagnostics -p 'set-target{target=host},place,form-nests,insert-barriers' | filecheck %s --check-prefix=NEST
// RUN: deeploy-opt %s --verify-diagnostics -p 'set-target{target=host},place,form-nests,pipeline' | filecheck %s --check-prefix=NEST
// RUN: deeploy-opt %s --verify-diagnostics -p 'set-target{target=host},place,form-nests,plan,bufferize,tile,insert-barriers' | filecheck %s --check-prefix=COPY
// RUN: deeploy-opt %s --verify-diagnostics -p 'tile' | filecheck %s --check-prefix=TARGET

// What has not been lowered yet is not passed over in silence.

func.func @network(%x: tensor<8x33xsi8>) -> tensor<8x33xsi8> {
  %0 = graph.clip %x {min = 0, max = 9} : tensor<8x33xsi8> -> tensor<8x33xsi8> loc("Relu_0")
  func.return %0 : tensor<8x33xsi8>
}

// CHECK: graph.clip 'Relu_0': the op is in no nest; run 'place' and 'form-nests' first
// NEST: tiled.nest 'Relu_0': the nest has not been tiled; run 'tile' first
// COPY: memref.copy 'Relu_0': the copy is no transfer; run 'insert-dma' first
// TARGET: the module has no target; run 'set-target{target=…}' first
