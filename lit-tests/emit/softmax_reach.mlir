// RUN: deeploy-opt %s -p 'tabulate,set-target{target=siracusa},place,form-nests,plan,bufferize,tile,insert-dma,pipeline,assign-addresses,overlap,insert-barriers' --check-semantics -t c | filecheck %s

// The terms of the first softmax fall so fast that only 14 distances have a quotient: their results
// are found once in a row, all others are looked up. Those of the second one reach too far.

func.func @network(%x: tensor<16x129xsi8>) -> (tensor<16x129xsi8>, tensor<16x129xui8>) {
  %0 = graph.int_softmax %x {a = 1, b = 4, c = 8, log2 = 3, requant = #graph.requant<mul = 100781, add = 32768, shift = 16, min = -128, max = 127>} : tensor<16x129xsi8> -> tensor<16x129xsi8>
  %1 = graph.int_softmax %x {a = 1, b = 85, c = 3778, log2 = 63} : tensor<16x129xsi8> -> tensor<16x129xui8>
  func.return %0, %1 : tensor<16x129xsi8>, tensor<16x129xui8>
}

// CHECK: dpl_int_softmax_s8_s8(&(dpl_int_softmax_args){
// CHECK: .reach = 14,
// CHECK: dpl_int_softmax_s8_u8(&(dpl_int_softmax_args){
// CHECK-NOT: .reach
