// RUN: deeploy-opt %s -p 'set-target{target=siracusa cores=4 sizes="L1=64000","L2=500000"}' | filecheck %s
// RUN: deeploy-opt %s -p 'set-target{target=siracusa engines=cluster sizes="WMEM=64"}' | filecheck %s --check-prefix=CORES
// RUN: not deeploy-opt %s -p 'set-target{target=siracusa engines=tpu}' 2>&1 | filecheck %s --check-prefix=UNKNOWN

// The chip becomes an attribute of the module, with other sizes and cores where given. What the
// module was compiled for before is forgotten.

builtin.module attributes {mem.target = {name = "old"}} {
  func.func @network(%x: tensor<4xsi8>) -> tensor<4xsi8> {
    func.return %x : tensor<4xsi8>
  }
}

// CHECK:      builtin.module attributes {mem.target = {name = "siracusa", cores = 4 : i64, compute = "L1", io = "L2",
// CHECK-SAME: memories = [{name = "L1", size = 64000 : i64, align = 16 : i64, persistent = 1 : i64, activations = 1 : i64, engine = "", address = 268435456 : i64},
// CHECK-SAME: {name = "L2", size = 500000 : i64, align = 16 : i64, persistent = 1 : i64, activations = 1 : i64, engine = "", address = 469827584 : i64},
// CHECK-SAME: {name = "WMEM", size = 4194304 : i64, align = 32 : i64, persistent = 1 : i64, activations = 0 : i64, engine = "neureka", address = 4194304 : i64}],
// CHECK-SAME: links = [{near = "L1", far = "L2", bytes_per_cycle = 8.000000e+00 : f64, setup_cycles = 17 : i64, least_cycles = 50 : i64}],
// CHECK-NOT:  old
// CHECK:      func.func @network

// Without the accelerator there is no memory for its weights, whatever its size.

// CORES-NOT: WMEM
// CORES:     engines = ["cluster"]

// UNKNOWN: error: pass 'set-target': siracusa has no engine 'tpu'; it has cluster, neureka
