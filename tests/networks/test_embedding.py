"""From a token to the next one: an embedding, a layer of a Llama, logits and ArgMax."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

TOKENS, VOCABULARY, SIZE = 6, 512, 64


def decoder() -> onnx.ModelProto:
    """Causal attention with one head, and a feed-forward layer; the table is 128 kB."""
    rng = np.random.default_rng(0)

    def weights(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)

    constants = {
        "table": weights(VOCABULARY, SIZE),
        **{n: weights(SIZE, SIZE) for n in ("wq", "wk", "wv", "wo")},
        "up": weights(SIZE, 2 * SIZE),
        "down": weights(2 * SIZE, SIZE),
        "head": weights(SIZE, VOCABULARY),
        "gain": np.ones(SIZE, np.float32),
        "axes": np.array([1], np.int64),
        "all": np.arange(TOKENS, dtype=np.int64),
        "scale": np.float32(SIZE**-0.5),
        "never": np.float32(-np.inf),
    }
    text = """Gather: table token > x
        Unsqueeze: position axes > rows
        LessOrEqual: all rows > mask
        RMSNormalization: x gain > n
        MatMul: n wq > q
        MatMul: n wk > k
        MatMul: n wv > v
        Transpose: k > kt
        MatMul: q kt > products
        Mul: products scale > scores
        Where: mask scores never > masked
        Softmax: masked > weights
        MatMul: weights v > seen
        MatMul: seen wo > attention
        Add: x attention > z
        RMSNormalization: z gain > m
        MatMul: m up > wide
        Relu: wide > gate
        MatMul: gate down > narrow
        Add: z narrow > last
        MatMul: last head > logits
        ArgMax: logits > next"""
    attributes = {"ArgMax": {"axis": 1, "keepdims": 0}, "Softmax": {"axis": -1}}
    nodes = []
    for line in text.splitlines():
        op, _, names = line.strip().partition(": ")
        inputs, _, output = names.partition(" > ")
        nodes.append(
            helper.make_node(op, inputs.split(), [output], output, **attributes.get(op, {}))
        )
    graph = helper.make_graph(
        nodes,
        "decoder",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, (TOKENS,))
            for name in ("token", "position")
        ],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, None),
            helper.make_tensor_value_info("next", TensorProto.INT64, None),
        ],
        [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)


@pytest.mark.parametrize("l1", [212_000, 20_000])
def test_tokens_become_tokens(matching, l1: int) -> None:
    """The table has no place in L1: its rows are read from L2."""
    data = {"token": np.array([3, 500, -1, 77, 3, 256]), "position": np.arange(TOKENS)}
    report = matching(decoder(), data, "--l1", l1)
    ops = [op for nest in report["nests"] for op in nest["ops"]]
    assert {"gather", "select", "compare", "arg_reduce"} <= set(ops)
