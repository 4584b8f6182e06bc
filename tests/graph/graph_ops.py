"""One op of every kind and many shapes: `(arguments)` in the first line, then the op."""

REQUANT = "#graph.requant<mul = 77, add = 1000, shift = 9, min = -100, max = 120>"
WIDE = "#graph.requant<mul = 3, add = -7, shift = 0, min = -2147483648, max = 2147483647>"


def window(strides=(1, 1), pads=(0, 0, 0, 0), dilations=(1, 1)) -> str:
    lists = {"strides": strides, "pads": pads, "dilations": dilations}
    return ", ".join(f"{k} = array<i64: {', '.join(map(str, v))}>" for k, v in lists.items())


OPS = {
    "conv": f"""%x: tensor<2x3x9x7xsi8>, %w: tensor<4x3x3x2xsi8>
        %0 = graph.conv %x, %w {{{window((2, 1), (1, 0, 2, 1))}, groups = 1}}
            : tensor<2x3x9x7xsi8>, tensor<4x3x3x2xsi8> -> tensor<2x4x5x7xsi32>""",
    "conv_requant": f"""%x: tensor<1x4x8x8xui8>, %w: tensor<6x2x3x3xsi8>, %m: tensor<6xsi32>
        %0 = graph.conv %x, %w mul %m : tensor<6xsi32>
            {{{window((1, 1), (2, 2, 2, 2), (2, 2))}, groups = 2, requant = {REQUANT}}}
            : tensor<1x4x8x8xui8>, tensor<6x2x3x3xsi8> -> tensor<1x6x8x8xsi8>""",
    "conv_channels_last": f"""%x: tensor<1x7x9x6xsi8>, %w: tensor<9x3x3x2xsi8>, %a: tensor<9xsi32>
        %0 = graph.conv %x, %w add %a : tensor<9xsi32>
            {{{window((3, 2), (1, 1, 1, 1))}, groups = 3, channels_last, requant = {REQUANT}}}
            : tensor<1x7x9x6xsi8>, tensor<9x3x3x2xsi8> -> tensor<1x3x5x9xsi8>""",
    "conv_pointwise": f"""%x: tensor<1x7x5x6xsi8>, %w: tensor<8x1x1x6xsi8>
        %0 = graph.conv %x, %w {{{window((2, 2))}, groups = 1, channels_last}}
            : tensor<1x7x5x6xsi8>, tensor<8x1x1x6xsi8> -> tensor<1x4x3x8xsi32>""",
    "conv_wraps": f"""%x: tensor<1x2x4x4xsi32>, %w: tensor<2x2x3x3xsi32>
        %0 = graph.conv %x, %w {{{window(pads=(1, 1, 1, 1))}, groups = 1}}
            : tensor<1x2x4x4xsi32>, tensor<2x2x3x3xsi32> -> tensor<1x2x4x4xsi32>""",
    "depthwise": f"""%x: tensor<2x8x6x5xsi8>, %w: tensor<3x3x5xsi8>, %m: tensor<5xsi32>,
        %a: tensor<5xsi32>
        %0 = graph.depthwise_conv %x, %w mul %m : tensor<5xsi32> add %a : tensor<5xsi32>
            {{{window((2, 1), (1, 1, 1, 1), (1, 2))}, channels_last, requant = {REQUANT}}}
            : tensor<2x8x6x5xsi8>, tensor<3x3x5xsi8> -> tensor<2x4x4x5xsi8>""",
    "matmul": """%x: tensor<5x7xsi8>, %w: tensor<7x4xsi8>
        %0 = graph.matmul %x, %w : tensor<5x7xsi8>, tensor<7x4xsi8> -> tensor<5x4xsi32>""",
    "matmul_batched": f"""%x: tensor<2x1x5x7xsi8>, %w: tensor<3x4x7xsi8>, %m: tensor<4xsi32>
        %0 = graph.matmul %x, %w mul %m : tensor<4xsi32> {{transpose_rhs, requant = {REQUANT}}}
            : tensor<2x1x5x7xsi8>, tensor<3x4x7xsi8> -> tensor<2x3x5x4xsi8>""",
    "matmul_add": f"""%x: tensor<2x5x7xsi8>, %w: tensor<4x7xsi8>, %d: tensor<5x1xui8>
        %0 = graph.matmul_add %x, %w, %d
            {{transpose_rhs, product_requant = {REQUANT}, scale = {WIDE}, requant = {REQUANT}}}
            : tensor<2x5x7xsi8>, tensor<4x7xsi8>, tensor<5x1xui8> -> tensor<2x5x4xsi8>""",
    "matmul_add_plain": f"""%x: tensor<2x5x3xsi8>, %w: tensor<2x3x4xsi8>, %d: tensor<4xsi32>
        %0 = graph.matmul_add %x, %w, %d {{product_requant = {REQUANT}}}
            : tensor<2x5x3xsi8>, tensor<2x3x4xsi8>, tensor<4xsi32> -> tensor<2x5x4xsi32>""",
    "matmul_wraps": """%x: tensor<3x9xsi32>, %w: tensor<9x2xsi32>
        %0 = graph.matmul %x, %w : tensor<3x9xsi32>, tensor<9x2xsi32> -> tensor<3x2xsi32>""",
    "matmul_float": """%x: tensor<5x7xf32>, %w: tensor<7x4xf32>
        %0 = graph.matmul %x, %w : tensor<5x7xf32>, tensor<7x4xf32> -> tensor<5x4xf32>""",
    "max_pool": f"""%x: tensor<1x3x9x8xsi8>
        %0 = graph.max_pool %x {{{window((2, 2), (1, 1, 1, 1))}, kernel = array<i64: 3, 3>}}
            : tensor<1x3x9x8xsi8> -> tensor<1x3x5x4xsi8>""",
    "max_pool_channels_last": f"""%x: tensor<2x6x8x3xui8>
        %0 = graph.max_pool %x
            {{{window((1, 2), (0, 1, 1, 0), (2, 1))}, kernel = array<i64: 2, 3>, channels_last}}
            : tensor<2x6x8x3xui8> -> tensor<2x5x4x3xui8>""",
    "average_pool": f"""%x: tensor<1x9x8x3xsi8>
        %0 = graph.average_pool %x
            {{{window((2, 2), (1, 1, 1, 1))}, kernel = array<i64: 3, 3>, channels_last}}
            : tensor<1x9x8x3xsi8> -> tensor<1x5x4x3xsi8>""",
    "average_pool_counts_pads": f"""%x: tensor<1x3x6x6xui8>
        %0 = graph.average_pool %x
            {{{window((1, 1), (1, 1, 1, 1))}, kernel = array<i64: 3, 3>, count_include_pad}}
            : tensor<1x3x6x6xui8> -> tensor<1x3x6x6xui8>""",
    "average_pool_global": f"""%x: tensor<1x3x6x5xsi32>
        %0 = graph.average_pool %x {{{window()}, kernel = array<i64: 6, 5>}}
            : tensor<1x3x6x5xsi32> -> tensor<1x3x1x1xsi32>""",
    "add": f"""%x: tensor<2x3x4xsi8>, %y: tensor<2x3x4xui8>
        %0 = graph.add %x, %y
            {{lhs_requant = {REQUANT}, rhs_requant = {WIDE}, requant = {REQUANT}}}
            : tensor<2x3x4xsi8>, tensor<2x3x4xui8> -> tensor<2x3x4xsi8>""",
    "add_broadcast": f"""%x: tensor<3x1xsi32>, %y: tensor<2x1x4xsi32>, %m: tensor<4xsi32>
        %0 = graph.add %x, %y mul %m : tensor<4xsi32> {{requant = {REQUANT}}}
            : tensor<3x1xsi32>, tensor<2x1x4xsi32> -> tensor<2x3x4xsi8>""",
    "sub": """%x: tensor<5xsi32>, %y: tensor<si32>
        %0 = graph.sub %x, %y : tensor<5xsi32>, tensor<si32> -> tensor<5xsi32>""",
    "mul": """%x: tensor<4x5xsi32>, %y: tensor<5xsi32>
        %0 = graph.mul %x, %y : tensor<4x5xsi32>, tensor<5xsi32> -> tensor<4x5xsi32>""",
    "requant": f"""%x: tensor<2x3x4xsi32>, %m: tensor<3x1xsi32>, %a: tensor<si32>
        %0 = graph.requant %x mul %m : tensor<3x1xsi32> add %a : tensor<si32>
            {{requant = {REQUANT}}} : tensor<2x3x4xsi32> -> tensor<2x3x4xsi8>""",
    "requant_numbers": """%x: tensor<7xsi32>
        %0 = graph.requant %x
            {requant = #graph.requant<mul = 12345, add = -9, shift = 31, min = 0, max = 255>}
            : tensor<7xsi32> -> tensor<7xui8>""",
    "clip": """%x: tensor<3x4xsi32>
        %0 = graph.clip %x {min = 0, max = 200} : tensor<3x4xsi32> -> tensor<3x4xui8>""",
    "transpose": """%x: tensor<2x3x4xsi8>
        %0 = graph.transpose %x {permutation = array<i64: 2, 0, 1>}
            : tensor<2x3x4xsi8> -> tensor<4x2x3xsi8>""",
    "slice": """%x: tensor<9x10xsi8>
        %0 = graph.slice %x {starts = array<i64: 1, 0>, steps = array<i64: 3, 2>}
            : tensor<9x10xsi8> -> tensor<3x5xsi8>""",
    "pad": """%x: tensor<3x4xsi8>
        %0 = graph.pad %x {low = array<i64: 1, 0>, high = array<i64: 2, 3>, value = -5}
            : tensor<3x4xsi8> -> tensor<6x7xsi8>""",
    "copy": """%x: tensor<3x4xsi8>
        %0 = graph.copy %x : tensor<3x4xsi8> -> tensor<3x4xsi8>""",
    "concat": """%x: tensor<3x4xsi8>, %y: tensor<3x2xsi8>, %z: tensor<3x5xsi8>
        %0 = graph.concat %x, %y, %z {axis = 1}
            : tensor<3x4xsi8>, tensor<3x2xsi8>, tensor<3x5xsi8> -> tensor<3x11xsi8>""",
    "div_float": """%x: tensor<4x5xf32>, %y: tensor<5xf32>
        %0 = graph.div %x, %y : tensor<4x5xf32>, tensor<5xf32> -> tensor<4x5xf32>""",
    "pow_float": """%x: tensor<4x5xf32>, %y: tensor<f32>
        %0 = graph.pow %x, %y : tensor<4x5xf32>, tensor<f32> -> tensor<4x5xf32>""",
    "int_div": """%x: tensor<4x5xsi8>, %y: tensor<4x1xui8>
        %0 = graph.int_div %x, %y {delta = 256, eta = 7, eps = 3}
            : tensor<4x5xsi8>, tensor<4x1xui8> -> tensor<4x5xsi32>""",
    "int_div_requant": f"""%x: tensor<3x5xsi32>, %y: tensor<5xui8>, %a: tensor<5xsi32>
        %0 = graph.int_div %x, %y add %a : tensor<5xsi32>
            {{delta = 4, eta = 1, eps = 1, requant = {REQUANT}}}
            : tensor<3x5xsi32>, tensor<5xui8> -> tensor<3x5xsi8>""",
    "matmul_float_bias": """%x: tensor<5x7xf32>, %w: tensor<4x7xf32>, %a: tensor<4xf32>
        %0 = graph.matmul %x, %w add %a : tensor<4xf32> {transpose_rhs}
            : tensor<5x7xf32>, tensor<4x7xf32> -> tensor<5x4xf32>""",
    "conv_float_bias": f"""%x: tensor<1x3x6x5xf32>, %w: tensor<4x3x3x2xf32>, %a: tensor<4xf32>
        %0 = graph.conv %x, %w add %a : tensor<4xf32>
            {{{window((2, 1), (1, 0, 1, 1))}, groups = 1}}
            : tensor<1x3x6x5xf32>, tensor<4x3x3x2xf32> -> tensor<1x4x3x5xf32>""",
    "depthwise_float_bias": f"""%x: tensor<1x6x5x3xf32>, %w: tensor<3x3x3xf32>, %a: tensor<3xf32>
        %0 = graph.depthwise_conv %x, %w add %a : tensor<3xf32>
            {{{window(pads=(1, 1, 1, 1))}, channels_last}}
            : tensor<1x6x5x3xf32>, tensor<3x3x3xf32> -> tensor<1x6x5x3xf32>""",
    "average_pool_float": f"""%x: tensor<1x3x6x6xf32>
        %0 = graph.average_pool %x {{{window((2, 2), (1, 1, 1, 1))}, kernel = array<i64: 3, 3>}}
            : tensor<1x3x6x6xf32> -> tensor<1x3x3x3xf32>""",
    "pad_float": """%x: tensor<3x4xf32>
        %0 = graph.pad %x {low = array<i64: 1, 0>, high = array<i64: 2, 3>, value = -0.5 : f64}
            : tensor<3x4xf32> -> tensor<6x7xf32>""",
    "add_float": """%x: tensor<3x4xf32>, %y: tensor<3x1xf32>
        %0 = graph.add %x, %y : tensor<3x4xf32>, tensor<3x1xf32> -> tensor<3x4xf32>""",
}

ROWS = {
    "int_softmax": """%x: tensor<2x3x9xsi8>
        %0 = graph.int_softmax %x {a = 1, b = 173, c = 15599, log2 = 127}
            : tensor<2x3x9xsi8> -> tensor<2x3x9xui8>""",
    "int_softmax_requant": f"""%x: tensor<4x9xui8>, %m: tensor<9xsi32>
        %0 = graph.int_softmax %x mul %m : tensor<9xsi32>
            {{a = 2, b = 9, c = 1, log2 = 5, requant = {REQUANT}}}
            : tensor<4x9xui8> -> tensor<4x9xsi8>""",
    "ita_max": """%x: tensor<2x5x9xsi8>
        %0 = graph.ita_max %x {levels = 256} : tensor<2x5x9xsi8> -> tensor<2x5x9xui8>""",
    "ita_partial_max": f"""%x: tensor<2x5x9xsi8>
        %0 = graph.ita_partial_max %x {{group = 4, levels = 256, requant = {REQUANT}}}
            : tensor<2x5x9xsi8> -> tensor<2x5x9xsi8>""",
    "int_rms_norm": """%x: tensor<2x3x9xsi8>, %w: tensor<9xsi32>
        %0 = graph.int_rms_norm %x, %w {shift = 16}
            : tensor<2x3x9xsi8>, tensor<9xsi32> -> tensor<2x3x9xsi8>""",
    "int_layer_norm": """%x: tensor<2x3x9xsi8>, %w: tensor<9xsi32>, %b: tensor<9xsi32>
        %0 = graph.int_layer_norm %x, %w, %b {shift = 16}
            : tensor<2x3x9xsi8>, tensor<9xsi32>, tensor<9xsi32> -> tensor<2x3x9xsi8>""",
    "softmax_float": """%x: tensor<2x3x9xf32>
        %0 = graph.softmax %x : tensor<2x3x9xf32> -> tensor<2x3x9xf32>""",
    "rms_norm_float": """%x: tensor<2x3x9xf32>, %w: tensor<9xf32>
        %0 = graph.rms_norm %x, %w {epsilon = 1.0e-05 : f64}
            : tensor<2x3x9xf32>, tensor<9xf32> -> tensor<2x3x9xf32>""",
    "layer_norm_float": """%x: tensor<2x3x9xf32>, %w: tensor<9xf32>
        %0 = graph.layer_norm %x, %w {epsilon = 1.0e-05 : f64}
            : tensor<2x3x9xf32>, tensor<9xf32> -> tensor<2x3x9xf32>""",
    "layer_norm_float_bias": """%x: tensor<6x9xf32>, %w: tensor<9xf32>, %b: tensor<9xf32>
        %0 = graph.layer_norm %x, %w, %b : tensor<9xf32> {epsilon = 1.0e-05 : f64}
            : tensor<6x9xf32>, tensor<9xf32> -> tensor<6x9xf32>""",
}
"""Ops that need whole rows: they have no meaning element by element."""

FUNCTIONS_OF_ELEMENTS = {
    "int_hardswish": """%x: tensor<3x40xsi8>
        %0 = graph.int_hardswish %x {one_over_six = 42, three = 122, six = 244}
            : tensor<3x40xsi8> -> tensor<3x40xsi32>""",
    "int_hardswish_requant": f"""%x: tensor<3x40xsi8>, %a: tensor<40xsi32>
        %0 = graph.int_hardswish %x add %a : tensor<40xsi32>
            {{one_over_six = 42, three = 122, six = 244, requant = {REQUANT}}}
            : tensor<3x40xsi8> -> tensor<3x40xsi8>""",
    "lookup": """%x: tensor<30x40xsi8>, %t: tensor<256xui8>
        %0 = graph.lookup %x in %t : tensor<30x40xsi8> in tensor<256xui8> -> tensor<30x40xui8>""",
    "int_gelu": """%x: tensor<3x40xsi8>
        %0 = graph.int_gelu %x {b = -40, one = 1743} : tensor<3x40xsi8> -> tensor<3x40xsi32>""",
    "unary_float": """%x: tensor<3x4xf32>
        %0 = graph.unary "gelu" %x : tensor<3x4xf32> -> tensor<3x4xf32>""",
    "unary_float_clip": """%x: tensor<3x4xf32>
        %0 = graph.unary "clip" %x {alpha = -0.5 : f64, beta = 0.25 : f64}
            : tensor<3x4xf32> -> tensor<3x4xf32>""",
    "cast_to_float": """%x: tensor<3x4xui8>
        %0 = graph.cast %x : tensor<3x4xui8> -> tensor<3x4xf32>""",
    "cast_from_float": """%x: tensor<30x4xf32>
        %0 = graph.cast %x : tensor<30x4xf32> -> tensor<30x4xui8>""",
    "quantize_float": """%x: tensor<30x4xf32>
        %0 = graph.quantize %x {scale = 31.5 : f64, zero_point = 2.0 : f64, min = -50, max = 60}
            : tensor<30x4xf32> -> tensor<30x4xsi8>""",
    "quantize_half_even": """%x: tensor<30x4xf32>
        %0 = graph.quantize %x {scale = 31.5 : f64, zero_point = 3.0 : f64, min = 0, max = 255,
            half_even} : tensor<30x4xf32> -> tensor<30x4xui8>""",
    "dequantize_float": """%x: tensor<3x4xsi8>
        %0 = graph.dequantize %x {scale = 0.3 : f64, zero_point = 2.0 : f64}
            : tensor<3x4xsi8> -> tensor<3x4xf32>""",
    "reduce_sum": """%x: tensor<3x4x5xsi8>
        %0 = graph.reduce "sum" %x {axes = array<i64: 1>}
            : tensor<3x4x5xsi8> -> tensor<3x1x5xsi32>""",
    "reduce_mean": """%x: tensor<3x4x5xsi8>
        %0 = graph.reduce "mean" %x {axes = array<i64: 0, 2>}
            : tensor<3x4x5xsi8> -> tensor<1x4x1xsi8>""",
    "reduce_max": """%x: tensor<3x4x5xui8>
        %0 = graph.reduce "max" %x {axes = array<i64: 2>}
            : tensor<3x4x5xui8> -> tensor<3x4x1xui8>""",
    "reduce_min": """%x: tensor<3x4xsi32>
        %0 = graph.reduce "min" %x {axes = array<i64: 0>} : tensor<3x4xsi32> -> tensor<1x4xsi32>""",
    "reduce_mean_float": """%x: tensor<3x4x5xf32>
        %0 = graph.reduce "mean" %x {axes = array<i64: 0, 1>}
            : tensor<3x4x5xf32> -> tensor<1x1x5xf32>""",
    "compare": """%x: tensor<2x1x4xsi8>, %y: tensor<3x1xsi32>
        %0 = graph.compare "less" %x, %y
            : tensor<2x1x4xsi8>, tensor<3x1xsi32> -> tensor<2x3x4xui8>""",
    "compare_float": """%x: tensor<3x4xf32>, %y: tensor<f32>
        %0 = graph.compare "greater_equal" %x, %y
            : tensor<3x4xf32>, tensor<f32> -> tensor<3x4xui8>""",
    "select": """%c: tensor<3x1xui8>, %x: tensor<3x4xsi32>, %y: tensor<2x1x1xsi32>
        %0 = graph.select %c, %x, %y
            : tensor<3x1xui8>, tensor<3x4xsi32>, tensor<2x1x1xsi32> -> tensor<2x3x4xsi32>""",
    "select_float": """%c: tensor<4xui8>, %x: tensor<3x4xf32>, %y: tensor<f32>
        %0 = graph.select %c, %x, %y
            : tensor<4xui8>, tensor<3x4xf32>, tensor<f32> -> tensor<3x4xf32>""",
    "gather": """%x: tensor<3x7x4xsi8>, %i: tensor<5xsi32>
        %0 = graph.gather %x at %i
            : tensor<3x7x4xsi8> at tensor<5xsi32> -> tensor<3x5x4xsi8>""",
    "arg_max": """%x: tensor<3x4x5xsi8>
        %0 = graph.arg_reduce "max" %x {axis = 1} : tensor<3x4x5xsi8> -> tensor<3x1x5xsi32>""",
    "arg_min_float": """%x: tensor<3x4xf32>
        %0 = graph.arg_reduce "min" %x {axis = 1, last} : tensor<3x4xf32> -> tensor<3x1xsi32>""",
}
