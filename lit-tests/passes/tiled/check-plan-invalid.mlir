// RUN: deeploy-opt %s --split-input-file --verify-diagnostics -p 'set-target{target=host sizes="L1=112","L2=256" residents=false},check-plan' | filecheck %s

// The plan of check-plan.mlir with one mistake in each part.

// Incomplete: an input, a constant, and a nest.

func.func @network(%x: tensor<4x16xsi8>) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: func.func: 'x' has no home and address; run 'plan' first

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2"} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: graph.constant: 'w' has no home and address; run 'plan' first

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: tiled.nest 'first': the nest has no complete plan; run 'plan' first

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192, 0>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: tiled.nest 'second': the nest has no complete plan; run 'plan' first

// -----

// Homes that cannot be.

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L1", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: func.func: input 0 must lie in L2

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L1", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: graph.constant: L1 cannot hold constants

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L1"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: tiled.nest 'second': an output of the network must lie in L2

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L7"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: target 'host' has no memory 'L7'; it has L1, L2

// -----

// Addresses outside of a memory.

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 208 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: func.func: 'x' at 208 to 272 of L2 exceeds its 256 bytes

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = -16 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: graph.constant: 'w' at -16 to 48 of L2 exceeds its 256 bytes

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 2, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: tiled.nest 'first': its tiles at 64 to 128 of L1 exceeds its 112 bytes

// -----

// Addresses that are not aligned.

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 8 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: graph.constant: 'w' at 8 is not aligned to 16

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 72 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: tiled.nest 'second': its tiles at 72 is not aligned to 16

// -----

// Two things at one place at the same time: tensors, and tiles beside a tensor.

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 176 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: graph.constant: 'w' at 176 of L2 overlaps 'x' at 192, which is in use at the same time

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 48 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 192>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: tiled.nest 'first': its tiles at 48 of L1 overlaps 'm' at 0, which is in use at the same time

// -----

func.func @network(%x: tensor<4x16xsi8> {mem.home = "L2", mem.offset = 192 : i64}) -> tensor<4x16xsi8> {
  %w = graph.constant {mem.home = "L2", mem.offset = 0 : i64} dense<1> : tensor<4x16xsi8>
  %m = tiled.nest ins(%x : tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 2 : i64, scratch = 64 : i64, homes = ["L1"], offsets = array<i64: 0>} {
  ^bb0(%a: tensor<4x16xsi8>):
    %0 = graph.clip %a {min = 0, max = 9} : tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("first")
  %y = tiled.nest ins(%m, %w : tensor<4x16xsi8>, tensor<4x16xsi8>) -> tensor<4x16xsi8> attributes {engine = "cluster", tile = array<i64: 1, 16>, order = array<i64: 0>, buffers = 1 : i64, scratch = 80 : i64, homes = ["L2"], offsets = array<i64: 48>} {
  ^bb0(%a: tensor<4x16xsi8>, %b: tensor<4x16xsi8>):
    %0 = graph.add %a, %b {requant = #graph.requant<mul = 1, add = 0, shift = 0, min = -128, max = 127>} : tensor<4x16xsi8>, tensor<4x16xsi8> -> tensor<4x16xsi8>
    tiled.yield %0 : tensor<4x16xsi8>
  } loc("second")
  func.return %y : tensor<4x16xsi8>
}

// CHECK: tiled.nest 'second': 'y' at 48 of L2 overlaps 'w' at 0, which is in use at the same time
