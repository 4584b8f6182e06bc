// RUN: deeploy-opt %s --split-input-file --verify-diagnostics -p 'set-target{target=host sizes="L1=64","L2=4096"},place,form-nests,plan' | filecheck %s

// The nest that needs most, how much it needs, and what would help: one element of each operand,
// and 144 bytes of windows.

func.func @network(%x: tensor<1x4x4x8xsi8>) -> tensor<1x4x4x8xsi8> {
  %w = graph.constant dense<1> : tensor<8x3x3x8xsi8>
  %0 = graph.clip %x {min = 0, max = 9} : tensor<1x4x4x8xsi8> -> tensor<1x4x4x8xsi8> loc("Relu_0")
  %1 = graph.conv %0, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 1, channels_last, requant = #graph.requant<mul = 1, add = 0, shift = 4, min = -128, max = 127>} : tensor<1x4x4x8xsi8>, tensor<8x3x3x8xsi8> -> tensor<1x4x4x8xsi8> loc("Conv_1")
  func.return %1 : tensor<1x4x4x8xsi8>
}

// CHECK: nest 'Conv_1' does not fit: it needs at least [[BYTES:[0-9]+]] bytes of L1, and 64 are given; the smallest budget for the whole network is [[BYTES]] bytes;

// -----

// Input and output are live at once, and have to be in L2.

func.func @network(%x: tensor<60x60xsi8>) -> tensor<60x60xsi8> {
  %0 = graph.clip %x {min = 0, max = 9} : tensor<60x60xsi8> -> tensor<60x60xsi8>
  func.return %0 : tensor<60x60xsi8>
}

// CHECK: the network does not fit into the memories of the target; L2 must hold at least 7200 bytes and has 4096{{$}}

// -----

// What is between two layers fits into neither memory, beside what has to be in L2.

func.func @network(%x: tensor<60x40xsi8>) -> tensor<60x40xsi8> {
  %0 = graph.clip %x {min = 0, max = 9} : tensor<60x40xsi8> -> tensor<60x40xsi8>
  %1 = graph.clip %0 {min = 1, max = 8} : tensor<60x40xsi8> -> tensor<60x40xsi8>
  func.return %1 : tensor<60x40xsi8>
}

// CHECK: the network does not fit into the memories of the target; L1 and L2 must hold at least {{[0-9]+}} bytes and have together 4160{{$}}

// -----

func.func @network(%x: tensor<4xsi8>) -> tensor<4xsi8> {
  %0 = tiled.nest ins(%x : tensor<4xsi8>) -> tensor<4xsi8> {
  ^bb0(%a: tensor<4xsi8>):
    %1 = graph.copy %a : tensor<4xsi8> -> tensor<4xsi8>
    tiled.yield %1 : tensor<4xsi8>
  } loc("Copy_0")
  func.return %0 : tensor<4xsi8>
}

// CHECK: tiled.nest 'Copy_0': the nest has no engine; run 'place' and 'form-nests' first

// -----

func.func @network(%x: tensor<4xf64>) -> tensor<4xf64> {
  %0 = graph.add %x, %x : tensor<4xf64>, tensor<4xf64> -> tensor<4xf64> loc("Add_0")
  func.return %0 : tensor<4xf64>
}

// CHECK: graph.add 'Add_0': no engine of the target takes this op (cluster:
