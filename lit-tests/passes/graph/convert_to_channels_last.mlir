// RUN: deeploy-opt %s -p convert-to-channels-last | filecheck %s

// Weights that are constant are permuted at compile time. Factors per channel stay.

func.func @conv(%x: tensor<1x2x4x4xsi8>, %m: tensor<1xsi32>) -> tensor<1x1x3x3xsi8> {
  %w = graph.constant dense<[[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]> : tensor<1x2x2x2xsi8>
  %0 = graph.conv %x, %w mul %m : tensor<1xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1, requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>} : tensor<1x2x4x4xsi8>, tensor<1x2x2x2xsi8> -> tensor<1x1x3x3xsi8>
  func.return %0 : tensor<1x1x3x3xsi8>
}

// CHECK-LABEL: func.func @conv(%x: tensor<1x2x4x4xsi8>, %m: tensor<1xsi32>) -> tensor<1x1x3x3xsi8> {
// CHECK-NEXT:    %0 = graph.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : tensor<1x2x4x4xsi8> -> tensor<1x4x4x2xsi8>
// CHECK-NEXT:    %w = graph.constant dense<[[[[1, 5], [2, 6]], [[3, 7], [4, 8]]]]> : tensor<1x2x2x2xsi8>
// CHECK-NEXT:    %1 = graph.conv %0, %w mul %m : tensor<1xsi32> {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 1 : i64, requant = #graph.requant<mul = 5, add = 16, shift = 5, min = -128, max = 127>, channels_last} : tensor<1x4x4x2xsi8>, tensor<1x2x2x2xsi8> -> tensor<1x3x3x1xsi8>
// CHECK-NEXT:    %2 = graph.transpose %1 {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x3x3x1xsi8> -> tensor<1x1x3x3xsi8>
// CHECK-NEXT:    func.return %2 : tensor<1x1x3x3xsi8>
// CHECK-NEXT:  }

// As many groups as channels: depthwise. Weights that are no constant are permuted at run time.

func.func @depthwise(%x: tensor<1x2x4x4xsi8>, %w: tensor<2x1x3x3xsi8>) -> tensor<1x2x4x4xsi32> {
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 2} : tensor<1x2x4x4xsi8>, tensor<2x1x3x3xsi8> -> tensor<1x2x4x4xsi32>
  func.return %0 : tensor<1x2x4x4xsi32>
}

// CHECK-LABEL: func.func @depthwise(%x: tensor<1x2x4x4xsi8>, %w: tensor<2x1x3x3xsi8>) -> tensor<1x2x4x4xsi32> {
// CHECK-NEXT:    %0 = graph.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : tensor<1x2x4x4xsi8> -> tensor<1x4x4x2xsi8>
// CHECK-NEXT:    %1 = graph.transpose %w {permutation = array<i64: 0, 2, 3, 1>} : tensor<2x1x3x3xsi8> -> tensor<2x3x3x1xsi8>
// CHECK-NEXT:    %2 = graph.reshape %1 : tensor<2x3x3x1xsi8> -> tensor<2x3x3xsi8>
// CHECK-NEXT:    %3 = graph.transpose %2 {permutation = array<i64: 1, 2, 0>} : tensor<2x3x3xsi8> -> tensor<3x3x2xsi8>
// CHECK-NEXT:    %4 = graph.depthwise_conv %0, %3 {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, channels_last} : tensor<1x4x4x2xsi8>, tensor<3x3x2xsi8> -> tensor<1x4x4x2xsi32>
// CHECK-NEXT:    %5 = graph.transpose %4 {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x4x4x2xsi32> -> tensor<1x2x4x4xsi32>
// CHECK-NEXT:    func.return %5 : tensor<1x2x4x4xsi32>
// CHECK-NEXT:  }

// Pools.

func.func @pools(%x: tensor<1x3x4x4xsi8>) -> tensor<1x3x1x1xsi8> {
  %0 = graph.max_pool %x {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>} : tensor<1x3x4x4xsi8> -> tensor<1x3x2x2xsi8>
  %1 = graph.average_pool %0 {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>, count_include_pad} : tensor<1x3x2x2xsi8> -> tensor<1x3x1x1xsi8>
  func.return %1 : tensor<1x3x1x1xsi8>
}

// CHECK-LABEL: func.func @pools(%x: tensor<1x3x4x4xsi8>) -> tensor<1x3x1x1xsi8> {
// CHECK-NEXT:    %0 = graph.transpose %x {permutation = array<i64: 0, 2, 3, 1>} : tensor<1x3x4x4xsi8> -> tensor<1x4x4x3xsi8>
// CHECK-NEXT:    %1 = graph.max_pool %0 {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>, channels_last} : tensor<1x4x4x3xsi8> -> tensor<1x2x2x3xsi8>
// CHECK-NEXT:    %2 = graph.transpose %1 {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x2x2x3xsi8> -> tensor<1x3x2x2xsi8>
// CHECK-NEXT:    %3 = graph.transpose %2 {permutation = array<i64: 0, 2, 3, 1>} : tensor<1x3x2x2xsi8> -> tensor<1x2x2x3xsi8>
// CHECK-NEXT:    %4 = graph.average_pool %3 {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, kernel = array<i64: 2, 2>, count_include_pad, channels_last} : tensor<1x2x2x3xsi8> -> tensor<1x1x1x3xsi8>
// CHECK-NEXT:    %5 = graph.transpose %4 {permutation = array<i64: 0, 3, 1, 2>} : tensor<1x1x1x3xsi8> -> tensor<1x3x1x1xsi8>
// CHECK-NEXT:    func.return %5 : tensor<1x3x1x1xsi8>
// CHECK-NEXT:  }

// Channels last already, and groups with several channels: left alone.

func.func @grouped(%x: tensor<1x4x4x4xsi8>, %w: tensor<4x3x3x2xsi8>) -> tensor<1x4x4x4xsi32> {
  %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 2, channels_last} : tensor<1x4x4x4xsi8>, tensor<4x3x3x2xsi8> -> tensor<1x4x4x4xsi32>
  func.return %0 : tensor<1x4x4x4xsi32>
}

// CHECK-LABEL: func.func @grouped(%x: tensor<1x4x4x4xsi8>, %w: tensor<4x3x3x2xsi8>) -> tensor<1x4x4x4xsi32> {
// CHECK-NEXT:    %0 = graph.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>, groups = 2 : i64, channels_last} : tensor<1x4x4x4xsi8>, tensor<4x3x3x2xsi8> -> tensor<1x4x4x4xsi32>
// CHECK-NEXT:    func.return %0 : tensor<1x4x4x4xsi32>
// CHECK-NEXT:  }
