// RUN: deeploy-opt %s --verify-diagnostics -p overlap | filecheck %s

func.func @registers() {
  %q = npu.queue of "neureka"
  %job = npu.acquire %q
  func.return
}

// CHECK: npu.acquire: the job is a driver's work already; run 'overlap' before
