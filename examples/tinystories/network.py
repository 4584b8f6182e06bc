"""Builds the decode network of a checkpoint as an ONNX file: one token in, logits out.

    python examples/tinystories/network.py stories260K.bin network.onnx

Inputs:
    x [1, 1, dim]: the row of the embedding for the token.
    rotation [head_dim, head_dim]: the rotary embedding of the position, see `llama.rotation`.
    past_k_i, past_v_i [1, n_kv_heads, past, head_dim]: keys and values of layer i so far. The
        number of positions `past` is symbolic, or fixed with `--past`.
Outputs:
    logits [1, 1, vocab_size].
    present_k_i, present_v_i [1, n_kv_heads, past + 1, head_dim]: the same with a row more.

The query heads that share keys and values are rows of one product, so nothing is repeated for
them, and the factor on the scores is in the weights of the queries.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from checkpoint import Array, Checkpoint, Config, read_checkpoint
from deeploy.diagnostics import run_main
from llama import EPSILON

OPSET = 23  # the first with RMSNormalization
IR_VERSION = 11


@dataclass
class Builder:
    """Appends nodes. The output of a node has the node's name."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, onnx.TensorProto] = field(default_factory=dict)

    def node(self, op: str, name: str, *inputs: str, **attributes: object) -> str:
        """Append a node; returns its output."""
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def constant(self, name: str, array: Array) -> str:
        """A constant; the same name is stored once."""
        self.constants.setdefault(name, numpy_helper.from_array(array, name))
        return name

    def linear(self, name: str, x: str, weight: Array) -> str:
        """`x @ weight.T`, with a weight [output, input]."""
        return self.node("MatMul", name, x, self.constant(f"{name}.weight", weight.T.copy()))

    def norm(self, name: str, x: str, weight: Array) -> str:
        """Root-mean-square normalisation of rows."""
        factor = self.constant(f"{name}.weight", weight.copy())
        return self.node("RMSNormalization", name, x, factor, axis=-1, epsilon=EPSILON)

    def reshape(self, name: str, x: str, shape: tuple[int, ...]) -> str:
        """The same values in another shape."""
        known = self.constant(f"shape_{'x'.join(map(str, shape))}", np.array(shape, np.int64))
        return self.node("Reshape", name, x, known)


def decode_network(checkpoint: Checkpoint, past: int | None = None) -> onnx.ModelProto:
    """The network of a checkpoint, with a symbolic or a given number of positions before."""
    config = checkpoint.config
    b = Builder()
    x = "x"
    for layer in range(config.n_layers):
        weights = {k: v[layer] for k, v in checkpoint.tensors.items() if v.ndim == 3}
        norms = {k: checkpoint.tensors[k][layer] for k in ("attention_norm", "ffn_norm")}
        stem = f"layer{layer}"
        y = b.norm(f"{stem}.attention_norm", x, norms["attention_norm"])
        x = b.node("Add", f"{stem}.x1", x, attention(b, config, layer, y, weights))
        y = b.norm(f"{stem}.ffn_norm", x, norms["ffn_norm"])
        x = b.node("Add", f"{stem}.x2", x, feed_forward(b, stem, y, weights))
    y = b.norm("final_norm", x, checkpoint.tensors["final_norm"])
    b.linear("logits", y, checkpoint.classifier)
    return _model(b, config, past)


def attention(b: Builder, config: Config, layer: int, x: str, weights: dict[str, Array]) -> str:
    """Grouped-query attention of one token to all before it and to itself."""
    heads, head_dim = config.n_kv_heads, config.head_dim
    stem = f"layer{layer}"
    scale = np.float32(1 / np.sqrt(head_dim))
    q = b.linear(f"{stem}.q", x, weights["wq"] * scale)
    k = b.linear(f"{stem}.k", x, weights["wk"])
    v = b.linear(f"{stem}.v", x, weights["wv"])
    q = b.reshape(f"{stem}.q_heads", q, (1, heads, config.group, head_dim))
    k = b.reshape(f"{stem}.k_heads", k, (1, heads, 1, head_dim))
    v = b.reshape(f"{stem}.v_heads", v, (1, heads, 1, head_dim))
    q = b.node("MatMul", f"{stem}.q_turned", q, "rotation")
    k = b.node("MatMul", f"{stem}.k_turned", k, "rotation")
    keys = b.node("Concat", f"present_k_{layer}", f"past_k_{layer}", k, axis=2)
    values = b.node("Concat", f"present_v_{layer}", f"past_v_{layer}", v, axis=2)
    columns = b.node("Transpose", f"{stem}.k_columns", keys, perm=[0, 1, 3, 2])
    scores = b.node("MatMul", f"{stem}.scores", q, columns)
    shares = b.node("Softmax", f"{stem}.shares", scores, axis=-1)
    mixed = b.node("MatMul", f"{stem}.mixed", shares, values)
    mixed = b.reshape(f"{stem}.mixed_row", mixed, (1, 1, config.dim))
    return b.linear(f"{stem}.attention", mixed, weights["wo"])


def feed_forward(b: Builder, stem: str, x: str, weights: dict[str, Array]) -> str:
    """`w2 @ (silu(w1 @ x) * (w3 @ x))`."""
    gate = b.linear(f"{stem}.gate", x, weights["w1"])
    silu = b.node("Mul", f"{stem}.silu", gate, b.node("Sigmoid", f"{stem}.sigmoid", gate))
    up = b.linear(f"{stem}.up", x, weights["w3"])
    return b.linear(f"{stem}.down", b.node("Mul", f"{stem}.gated", silu, up), weights["w2"])


def _model(b: Builder, config: Config, past: int | None) -> onnx.ModelProto:
    def info(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    before, after = ("past", "past + 1") if past is None else (past, past + 1)
    heads, head_dim = config.n_kv_heads, config.head_dim
    caches = [f"{kind}_{layer}" for layer in range(config.n_layers) for kind in "kv"]
    inputs = [
        info("x", 1, 1, config.dim),
        info("rotation", head_dim, head_dim),
        *(info(f"past_{name}", 1, heads, before, head_dim) for name in caches),
    ]
    outputs = [
        info("logits", 1, 1, config.vocab_size),
        *(info(f"present_{name}", 1, heads, after, head_dim) for name in caches),
    ]
    graph = helper.make_graph(b.nodes, "decode", inputs, outputs, list(b.constants.values()))
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model


def main(argv: Sequence[str]) -> None:
    """Read a checkpoint, write a network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("network", type=Path)
    parser.add_argument("--past", type=int, help="a fixed number of positions before this one")
    args = parser.parse_args(argv)
    model = decode_network(read_checkpoint(args.checkpoint), args.past)
    args.network.write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    raise SystemExit(run_main(main))
