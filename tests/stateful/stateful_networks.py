"""Attention of one layer with caches whose length has a name, in the forms that exporters use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]


@dataclass
class Graph:
    """Collects nodes, constants, inputs and outputs; a node's output has the node's name."""

    opset: int = 17
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    inputs: dict[str, Shape] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def node(self, op: str, name: str, *inputs: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def constant(self, name: str, array: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def input(self, name: str, *shape: int | str) -> str:
        self.inputs[name] = shape
        return name

    def linear(self, name: str, x: str, width: int, out: int) -> str:
        weight = self.rng.standard_normal((width, out)).astype(np.float32) / np.sqrt(width)
        return self.node("MatMul", name, x, self.constant(f"{name}.w", weight.astype(np.float32)))

    def reshape(self, name: str, x: str, *shape: int) -> str:
        return self.node("Reshape", name, x, self.constant(f"{name}.s", np.array(shape, np.int64)))

    def transpose(self, name: str, x: str, *permutation: int) -> str:
        return self.node("Transpose", name, x, perm=permutation)

    def grow(self, name: str, rows: str, axis: int, *shape: int | str) -> str:
        """A cache: what there is, with rows behind it."""
        past = self.input(f"past_{name}", *shape)
        self.outputs.append(f"present_{name}")
        return self.node("Concat", f"present_{name}", past, rows, axis=axis)

    def model(self) -> onnx.ModelProto:
        """The network, with the node `y` as its first output, if there is one."""
        names = [node.name for node in self.nodes if node.name == "y"] + self.outputs
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "decode",
            [info(name, TensorProto.FLOAT, shape) for name, shape in self.inputs.items()],
            [info(name, TensorProto.FLOAT, None) for name in names],
            self.constants,
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8
        )


HEADS, DEPTH = 4, 4
WIDTH = HEADS * DEPTH


def grouped(kv: int = 2, rows: int = 1) -> Graph:
    """Query heads that share keys and values are rows of one product."""
    g = Graph()
    x = g.input("x", 1, rows, WIDTH)
    group = HEADS // kv
    q = g.reshape("q_r", g.linear("q", x, WIDTH, WIDTH), 1, rows, kv, group * DEPTH)
    q = g.reshape("q_heads", g.transpose("q_t", q, 0, 2, 1, 3), 1, kv, rows * group, DEPTH)
    k, v = heads_of(g, x, kv, rows)
    keys = g.grow("k", k, 2, 1, kv, "past", DEPTH)
    values = g.grow("v", v, 2, 1, kv, "past", DEPTH)
    attend(g, q, g.transpose("k_t", keys, 0, 1, 3, 2), values, (1, rows, WIDTH))
    return g


def heads_of(g: Graph, x: str, kv: int, rows: int = 1) -> tuple[str, str]:
    """New rows of keys and values, `[1, kv, rows, DEPTH]`."""
    made = []
    for name in "kv":
        flat = g.linear(name, x, WIDTH, kv * DEPTH)
        heads = g.reshape(f"{name}_r", flat, 1, rows, kv, DEPTH)
        made.append(g.transpose(f"{name}_heads", heads, 0, 2, 1, 3))
    return made[0], made[1]


def attend(g: Graph, q: str, keys: str, values: str, shape: Shape, mask: str = "") -> None:
    """`softmax(q @ keys / sqrt(DEPTH) + mask) @ values`, through a linear layer."""
    scale = g.constant("scale", np.float32(DEPTH**-0.5))
    scores = g.node("Mul", "scaled", g.node("MatMul", "scores", q, keys), scale)
    if mask:
        scores = g.node("Add", "masked", scores, mask)
    shares = g.node("Softmax", "shares", scores, axis=-1)
    mixed = g.reshape("mixed_r", g.node("MatMul", "mixed", shares, values), *shape)
    g.linear("y", mixed, WIDTH, WIDTH)


def multi_head() -> Graph:
    return grouped(kv=HEADS)


def two_rows() -> Graph:
    return grouped(rows=2)


def repeated() -> Graph:
    """Keys and values are repeated for the query heads that share them."""
    g = Graph()
    x, kv = g.input("x", 1, 1, WIDTH), 2
    q = g.reshape("q_heads", g.linear("q", x, WIDTH, WIDTH), 1, HEADS, 1, DEPTH)
    caches = []
    for name, row in zip("kv", heads_of(g, x, kv), strict=True):
        cache = g.grow(name, row, 2, 1, kv, "past", DEPTH)
        g.node("Split", f"{name}_0", cache, axis=1)
        g.nodes[-1].output.append(f"{name}_1")
        parts = [f"{name}_{head // 2}" for head in range(HEADS)]
        caches.append(g.node("Concat", f"{name}_all", *parts, axis=1))
    attend(g, q, g.transpose("k_t", caches[0], 0, 1, 3, 2), caches[1], (1, 1, WIDTH))
    return g


def expanded() -> Graph:
    """They are repeated with shapes that are computed from those of the caches."""
    g = Graph()
    x, kv = g.input("x", 1, 1, WIDTH), 2
    q = g.reshape("q_heads", g.linear("q", x, WIDTH, WIDTH), 1, HEADS, 1, DEPTH)
    numbers = {"b": [1], "kv": [kv], "group": [HEADS // kv], "heads": [HEADS], "depth": [DEPTH]}
    for name, values in {**numbers, "two": [2]}.items():
        g.constant(name, np.array(values, np.int64))
    caches = []
    for name, row in zip("kv", heads_of(g, x, kv), strict=True):
        cache = g.grow(name, row, 2, 1, kv, "past", DEPTH)
        length = g.node("Gather", f"{name}_n", g.node("Shape", f"{name}_s", cache), "two", axis=0)
        five = g.node("Concat", f"{name}_to", "b", "kv", "group", length, "depth", axis=0)
        four = g.node("Concat", f"{name}_as", "b", "heads", length, "depth", axis=0)
        cache = g.node("Unsqueeze", f"{name}_5", cache, "two")
        cache = g.node("Expand", f"{name}_all", cache, five)
        caches.append(g.node("Reshape", f"{name}_4", cache, four))
    attend(g, q, g.transpose("k_t", caches[0], 0, 1, 3, 2), caches[1], (1, 1, WIDTH))
    return g


def broadcast() -> Graph:
    """Five dimensions: the one of the group is 1 in keys and values."""
    g = Graph()
    x, kv = g.input("x", 1, 1, WIDTH), 2
    q = g.reshape("q_heads", g.linear("q", x, WIDTH, WIDTH), 1, kv, HEADS // kv, 1, DEPTH)
    axes = g.constant("axes", np.array([2], np.int64))
    caches = [
        g.node("Unsqueeze", f"{name}_5", g.grow(name, row, 2, 1, kv, "past", DEPTH), axes)
        for name, row in zip("kv", heads_of(g, x, kv), strict=True)
    ]
    attend(g, q, g.transpose("k_t", caches[0], 0, 1, 2, 4, 3), caches[1], (1, 1, WIDTH))
    return g


def attention() -> Graph:
    """ONNX's own operator, which has caches as inputs and outputs."""
    g = Graph(opset=23)
    x, kv = g.input("x", 1, 1, WIDTH), 2
    q = g.reshape("q_heads", g.linear("q", x, WIDTH, WIDTH), 1, HEADS, 1, DEPTH)
    past = [g.input(f"past_{name}", 1, kv, "past", DEPTH) for name in "kv"]
    g.node("Attention", "mixed", q, *heads_of(g, x, kv), "", *past)
    g.nodes[-1].output.extend(["present_k", "present_v"])
    g.outputs += ["present_k", "present_v"]
    g.linear("y", g.reshape("mixed_r", "mixed", 1, 1, WIDTH), WIDTH, WIDTH)
    return g


def columns() -> Graph:
    """Keys are kept as columns: the cache grows along its last dimension."""
    g = Graph()
    x = g.input("x", 1, 1, WIDTH)
    q = g.reshape("q_heads", g.linear("q", x, WIDTH, WIDTH), 1, HEADS, 1, DEPTH)
    k, v = heads_of(g, x, HEADS)
    keys = g.grow("k", g.transpose("k_c", k, 0, 1, 3, 2), 3, 1, HEADS, DEPTH, "past")
    values = g.grow("v", v, 2, 1, HEADS, "past", DEPTH)
    attend(g, q, keys, values, (1, 1, WIDTH))
    return g


def tokens_first() -> Graph:
    """Caches of whole rows `[past, heads, depth]`, which are transposed for the products."""
    g = Graph()
    x = g.input("x", 1, WIDTH)
    q = g.reshape("q_heads", g.linear("q", x, WIDTH, WIDTH), HEADS, 1, DEPTH)
    caches = []
    for name in "kv":
        row = g.reshape(f"{name}_r", g.linear(name, x, WIDTH, WIDTH), 1, HEADS, DEPTH)
        caches.append(g.grow(name, row, 0, "past", HEADS, DEPTH))
    keys = g.transpose("k_t", caches[0], 1, 2, 0)
    attend(g, q, keys, g.transpose("v_t", caches[1], 1, 0, 2), (1, WIDTH))
    return g


def masked() -> Graph:
    """An additive mask with one number for each row, the new one included, is an input; the softmax
    is an output."""
    g = Graph()
    x = g.input("x", 1, 1, WIDTH)
    mask = g.input("mask", 1, 1, 1, "past + 1")
    q = g.reshape("q_heads", g.linear("q", x, WIDTH, WIDTH), 1, HEADS, 1, DEPTH)
    k, v = heads_of(g, x, HEADS)
    keys = g.grow("k", k, 2, 1, HEADS, "past", DEPTH)
    values = g.grow("v", v, 2, 1, HEADS, "past", DEPTH)
    attend(g, q, g.transpose("k_t", keys, 0, 1, 3, 2), values, (1, 1, WIDTH), mask)
    g.outputs.append("shares")
    return g


def integers() -> Graph:
    """Eight bits, with the operators of QuantLib."""
    g = Graph()
    x = g.input("x", 1, 1, WIDTH)
    made = {}
    for name in "qkv":
        weight = g.rng.integers(-128, 128, (WIDTH, WIDTH)).astype(np.float32)
        product = g.node("MatMul", f"{name}_p", x, g.constant(f"{name}.w", weight))
        flat = requantised(g, f"{name}_8", product, 3, 1024)
        heads = g.reshape(f"{name}_r", flat, 1, 1, HEADS, DEPTH)
        made[name] = g.transpose(f"{name}_heads", heads, 0, 2, 1, 3)
    keys = g.grow("k", made["k"], 2, 1, HEADS, "past", DEPTH)
    values = g.grow("v", made["v"], 2, 1, HEADS, "past", DEPTH)
    columns = g.transpose("k_t", keys, 0, 1, 3, 2)
    scores = requantised(g, "scores_8", g.node("MatMul", "scores", made["q"], columns), 1, 64)
    numbers = {"coeffA": 43.0, "coeffB": 47.0, "coeffC": 44000.0, "log2": 24.0, "n_levels": 256.0}
    shares = g.node("iSoftmax", "shares", scores, **numbers)
    mixed = requantised(g, "mixed_8", g.node("MatMul", "mixed", shares, values), 1, 128)
    g.reshape("y", mixed, 1, 1, WIDTH)
    return g


def latent() -> Graph:
    """One cache of bytes, of which a layer with constant weights makes the keys."""
    g = Graph()
    row = g.input("x", 1, 1, WIDTH)
    cache = g.grow("x", row, 1, 1, "past", WIDTH)
    weight = g.rng.integers(-128, 128, (WIDTH, WIDTH)).astype(np.float32)
    keys = g.node("MatMul", "keys", cache, g.constant("keys.w", weight))
    keys = g.transpose("k_t", requantised(g, "keys_8", keys, 3, 1024), 0, 2, 1)
    g.outputs.append(requantised(g, "scores", g.node("MatMul", "s", row, keys), 1, 64))
    return g


def requantised(g: Graph, name: str, x: str, mul: int, div: int) -> str:
    """`(x * mul + div / 2) / div`, to signed bytes."""
    factors = [
        g.constant(f"{name}.{kind}", np.full((1,), value, np.float32))
        for kind, value in (("mul", mul), ("add", div // 2))
    ]
    return g.node("RequantShift", name, x, *factors, div=div, n_levels=256, signed=1)


FLOATS = {
    make.__name__: make
    for make in (
        multi_head, grouped, two_rows, repeated, expanded, broadcast, attention, columns,
        tokens_first, masked,
    )
}  # fmt: skip
INTEGERS = {make.__name__: make for make in (integers, latent)}
NETWORKS = {**FLOATS, **INTEGERS}


def inputs_at(g: Graph, position: int, seed: int) -> Mapping[str, np.ndarray]:
    """Random inputs, with so many rows in the caches."""
    rng = np.random.default_rng(seed)
    lengths: dict[int | str, int] = {"past": position, "past + 1": position + 1}
    shapes = {n: tuple(lengths.get(e, e) for e in s) for n, s in g.inputs.items()}
    if any(node.op_type == "RequantShift" for node in g.nodes):
        return {n: rng.integers(-128, 128, s).astype(np.float32) for n, s in shapes.items()}
    return {n: rng.standard_normal(s).astype(np.float32) for n, s in shapes.items()}
