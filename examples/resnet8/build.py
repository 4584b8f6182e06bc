"""Builds a quantised ResNet-8 as an ONNX file, with made-up weights.

The network has the shape of MLPerf Tiny's image classification: 32x32x3 pixels to ten classes,
three residual stacks of 16, 32 and 64 channels. As exporters of quantised networks do, all values
are integers carried in float32, and `RequantShift` nodes bring them back to eight bits. Their
factors are measured on random images, so that activations use their range.

    python examples/resnet8/build.py resnet8.onnx
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = 10
IMAGE = (3, 32, 32)
SEED = 8
CALIBRATION_IMAGES = 8
WEIGHT_LIMIT = 12
SHIFT = 16
OPSET = 13
DOMAIN = "PACTOps"

Array = np.ndarray


@dataclass
class Builder:
    """Appends nodes and computes, for the calibration images, what they give.

    Attributes:
        values: integers by name of the tensor, with one image in each row.
    """

    rng: np.random.Generator
    values: dict[str, Array]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def node(self, op: str, inputs: list[str], value: Array, **attributes: object) -> str:
        """Append a node; its output is named after its number, as exporters do."""
        index = len(self.nodes)
        domain = DOMAIN if op == "RequantShift" else ""
        output = f"x.{index}"
        self.nodes.append(
            helper.make_node(op, inputs, [output], f"{op}_{index}", domain=domain, **attributes)
        )
        self.values[output] = value
        return output

    def constant(self, name: str, array: Array) -> str:
        """Append a constant of the node that comes next."""
        full = f"{name}_{len(self.nodes)}"
        dtype = np.int64 if name == "shape" else np.float32
        self.constants.append(numpy_helper.from_array(array.astype(dtype), full))
        return full

    def weights(self, *shape: int) -> Array:
        """Random weights of a few bits."""
        return self.rng.integers(-WEIGHT_LIMIT, WEIGHT_LIMIT, shape, endpoint=True)

    def conv(self, x: str, channels: int, kernel: int, stride: int = 1) -> str:
        """A convolution without bias, padded so that stride 1 keeps the size."""
        weight = self.weights(channels, self.values[x].shape[1], kernel, kernel)
        pad = kernel // 2
        return self.node(
            "Conv",
            [x, self.constant("weight", weight)],
            convolve(self.values[x], weight, stride, pad),
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[pad] * 4,
            dilations=[1, 1],
            group=1,
        )

    def requant(self, x: str, *, signed: bool) -> str:
        """Back to eight bits, with factors for each channel from the values at hand.

        A signed result is centred. An unsigned one is cut at the mean, as after batch
        normalisation and ReLU.
        """
        value = self.values[x]
        axes = (0, *range(2, value.ndim))
        mean = value.mean(axes, keepdims=True)
        spread = np.maximum(1.0, np.abs(value - mean).max(axes, keepdims=True))
        low, high = (-128, 127) if signed else (0, 255)
        mul = np.maximum(1, np.rint(high / spread * (1 << SHIFT))).astype(np.int64)
        add = np.rint(-mean * mul).astype(np.int64)
        exact = (value * mul + add + (1 << (SHIFT - 1))) >> SHIFT
        shape = mul.shape[1:]
        return self.node(
            "RequantShift",
            [x, self.constant("mul", mul.reshape(shape)), self.constant("add", add.reshape(shape))],
            np.clip(exact, low, high),
            div=numpy_helper.from_array(np.array(float(1 << SHIFT), np.float32)),
            n_levels_out=numpy_helper.from_array(np.array([256.0], np.float32)),
            signed=numpy_helper.from_array(np.array([float(signed)], np.float32)),
        )

    def stack(self, x: str, channels: int, stride: int) -> str:
        """Two convolutions and a residual connection around them."""
        y = self.requant(self.conv(x, channels, 3, stride), signed=False)
        y = self.requant(self.conv(y, channels, 3), signed=True)
        if self.values[x].shape == self.values[y].shape:
            skip = self.requant(x, signed=True)
        else:
            skip = self.requant(self.conv(x, channels, 1, stride), signed=True)
        total = self.node("Add", [skip, y], self.values[skip] + self.values[y])
        return self.requant(total, signed=False)

    def head(self, x: str) -> str:
        """Average over the image, then ten scores."""
        size = self.values[x].shape[2]
        total = self.values[x].sum((2, 3), keepdims=True)
        mean = np.floor(total / size**2 + 0.5).astype(np.int64)
        x = self.node("AveragePool", [x], mean, kernel_shape=[size, size], strides=[size, size])
        flat = self.values[x].reshape(len(self.values[x]), -1)
        shape = self.constant("shape", np.array([1, flat.shape[1]]))
        x = self.node("Reshape", [x, shape], flat)
        weight, bias = self.weights(CLASSES, flat.shape[1]), self.rng.integers(-999, 999, CLASSES)
        x = self.node(
            "Gemm",
            [x, self.constant("weight", weight), self.constant("bias", bias)],
            flat @ weight.T + bias,
            alpha=1.0,
            beta=1.0,
            transA=0,
            transB=1,
        )
        return self.requant(x, signed=True)


def convolve(x: Array, weight: Array, stride: int, pad: int) -> Array:
    """A two-dimensional convolution of integers."""
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[2:], axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    return np.tensordot(windows, weight, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)


def build_network(seed: int = SEED) -> Builder:
    """The nodes of a ResNet-8, and their values on calibration images."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 255, (CALIBRATION_IMAGES, *IMAGE), endpoint=True)
    b = Builder(rng, {"input": images})
    x = b.requant(b.conv("input", 16, 3), signed=False)
    for channels, stride in ((16, 1), (32, 2), (64, 2)):
        x = b.stack(x, channels, stride)
    b.head(x)
    return b


def build_model(seed: int = SEED) -> onnx.ModelProto:
    """A ResNet-8 with the input `input` (8 bits, unsigned) and the output `output`."""
    b = build_network(seed)
    b.nodes[-1].output[0] = "output"
    graph = helper.make_graph(
        b.nodes,
        "resnet8",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, (1, *IMAGE))],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, (1, CLASSES))],
        b.constants,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def main() -> None:
    """Write the model to the file that the command line names."""
    if len(sys.argv) != 2:
        print(f"usage: {sys.argv[0]} OUT.onnx", file=sys.stderr)
        raise SystemExit(2)
    Path(sys.argv[1]).write_bytes(build_model().SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
