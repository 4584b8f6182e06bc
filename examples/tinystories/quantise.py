"""Quantises the decode network of a checkpoint to 8 bits.

    python examples/tinystories/quantise.py stories260K.bin quantised.onnx

onnxruntime's static quantisation puts QuantizeLinear and DequantizeLinear in front of the matrix
products. Scales come from stories that the float network tells: weights have one for each output
channel, activations one each. Queries, keys and values are symmetric, and the caches hold them as
int8. Normalisation, softmax, the rotary embedding and the residual stream stay on floats.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from checkpoint import Array, Checkpoint, Config, read_checkpoint
from deeploy.diagnostics import run_main
from llama import Llama
from network import decode_network
from perplexity import Text, draw_texts
from session import OnnxLlama

SEED = 1000
"""Of the stories for calibration; others than those that measure perplexity."""


def quantised_network(checkpoint: Checkpoint, texts: Sequence[Text]) -> onnx.ModelProto:
    """The network of a checkpoint in 8 bits.

    Args:
        texts: on which the ranges of activations are measured.
    """
    network = decode_network(checkpoint)
    turned = [node.name for node in network.graph.node if node.name.endswith("_turned")]
    with tempfile.TemporaryDirectory(prefix="deeploy-") as folder:
        before, after = Path(folder, "float.onnx"), Path(folder, "quantised.onnx")
        onnx.save(network, before)
        quantize_static(
            before,
            after,
            Feeds(checkpoint, network, texts),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=turned,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={
                # accumulators are dequantised where floats follow
                "OpTypesToExcludeOutputQuantization": ["MatMul"],
                "TensorQuantOverrides": {n: [{"symmetric": True}] for n in symmetric(checkpoint)},
            },
        )
        model = onnx.load(after)
    for layer in range(checkpoint.config.n_layers):
        for kind in "kv":
            quantise_cache(model, checkpoint.config, f"{kind}_{layer}")
    return model


def symmetric(checkpoint: Checkpoint) -> list[str]:
    """The operands of products of two activations, of which zero points would make three."""
    layers = range(checkpoint.config.n_layers)
    names = ("layer{}.q_turned", "layer{}.k_columns", "present_v_{}")
    return [name.format(layer) for layer in layers for name in names]


class Feeds(CalibrationDataReader):
    """The inputs of all steps of a network through some texts."""

    def __init__(
        self, checkpoint: Checkpoint, network: onnx.ModelProto, texts: Sequence[Text]
    ) -> None:
        self.feeds = self._steps(OnnxLlama(checkpoint, network), texts)

    def _steps(self, llama: OnnxLlama, texts: Sequence[Text]) -> Iterator[Mapping[str, Array]]:
        for text in texts:
            llama.restarted()
            for token in text[:-1]:
                llama.step(token)
                yield llama.feeds

    def get_next(self) -> Mapping[str, Array] | None:
        return next(self.feeds, None)


def quantise_cache(model: onnx.ModelProto, config: Config, name: str) -> None:
    """Make `past_<name>` and `present_<name>` int8: rows are quantised as they are added, with the
    scale that the whole cache is quantised with after it, and dequantised as they are read."""
    graph, present = model.graph, f"present_{name}"
    concat = next(node for node in graph.node if f"past_{name}" in node.input)
    scale = _scale_behind(graph, concat.output[0])
    whole, values = concat.output[0], f"{present}.values"
    if whole != present:
        # the quantised cache was an output as floats: it is read inside only
        _rename(graph, present, f"{present}.requantised")
    _rename(graph, whole, values)
    rows = f"{present}.rows"
    numbers = [f"{present}.scale", f"{present}.zero_point"]
    constants = (scale, np.int8(0))
    graph.initializer.extend(
        numpy_helper.from_array(np.asarray(array), n)
        for n, array in zip(numbers, constants, strict=True)
    )
    quantise = helper.make_node("QuantizeLinear", [concat.input[1], *numbers], [rows], rows)
    dequantise = helper.make_node("DequantizeLinear", [present, *numbers], [values], values)
    concat.input[1], concat.output[0] = rows, present
    at = list(graph.node).index(concat)
    graph.node.insert(at, quantise)
    graph.node.insert(at + 2, dequantise)
    for value in (*graph.input, *graph.output):
        if value.name in (f"past_{name}", present):
            value.type.tensor_type.elem_type = TensorProto.INT8


def _scale_behind(graph: onnx.GraphProto, name: str) -> Array:
    """The scale with which a value, or its transpose, is quantised."""
    reader = next(node for node in graph.node if name in node.input)
    if reader.op_type != "QuantizeLinear":
        return _scale_behind(graph, reader.output[0])
    return numpy_helper.to_array(next(t for t in graph.initializer if t.name == reader.input[1]))


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    """Give a value another name inside the graph."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]


def main(argv: Sequence[str]) -> None:
    """Read a checkpoint, write a network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("network", type=Path)
    parser.add_argument("--texts", type=int, default=4, help="stories (default 4)")
    parser.add_argument("--length", type=int, default=200, help="tokens of each (default 200)")
    args = parser.parse_args(argv)
    checkpoint = read_checkpoint(args.checkpoint)
    texts = draw_texts(lambda: Llama(checkpoint), args.texts, args.length, SEED)
    model = quantised_network(checkpoint, texts)
    args.network.write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    raise SystemExit(run_main(main))
