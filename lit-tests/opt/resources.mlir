// RUN: deeploy-opt %s --split-input-file | filecheck %s
// RUN: deeploy-opt %s --split-input-file --elide-resources | filecheck %s --check-prefix=ELIDED

// The same key in two chunks: each keeps its name and its own content.

"test.op"() {w = dense_resource<w> : tensor<2xsi8>} : () -> ()

{-#
  dialect_resources: { builtin: { w: "0x0100000007F8" } }
#-}

// CHECK:  dense_resource<w>
// CHECK:  w: "0x0100000007F8"

// ELIDED:      dense_resource<w>
// ELIDED-NEXT: }
// ELIDED-NEXT: {{//}} -----
// ELIDED-NOT:  dialect_resources

// -----

"test.op"() {w = dense_resource<w> : tensor<2xsi8>} : () -> ()

{-#
  dialect_resources: { builtin: { w: "0x010000000102" } }
#-}

// CHECK:  dense_resource<w>
// CHECK:  w: "0x010000000102"
