"""The decode network in 8 bits."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from xdsl.context import Context

from checkpoint import Checkpoint, read_checkpoint
from deeploy.frontend import import_model
from deeploy.instrumentation.pipeline import parse_passes, run_pipeline
from deeploy.passes import get_all_passes
from deeploy.pipelines import GRAPH
from llama import Llama
from perplexity import draw_texts, score, score_program
from program import build_programs
from quantise import quantised_network
from session import OnnxLlama


def quantised(checkpoint: Checkpoint, length: int) -> onnx.ModelProto:
    texts = draw_texts(lambda: Llama(checkpoint), 3, length, seed=1000)
    return quantised_network(checkpoint, texts)


def test_small_network(ctx: Context, small: Checkpoint) -> None:
    """Caches are int8, products are of integers but for the rotations, and logits are near those
    of the float network."""
    model = quantised(small, small.config.seq_len)
    caches = [
        v for v in (*model.graph.input, *model.graph.output) if v.name[:4] in ("past", "pres")
    ]
    assert len(caches) == 4 * small.config.n_layers
    assert {v.type.tensor_type.elem_type for v in caches} == {onnx.TensorProto.INT8}
    module = import_model(model.SerializeToString(), ctx, length=5)
    run_pipeline(ctx, module, parse_passes(get_all_passes(), ",".join(GRAPH)))
    types = [str(op.results[0].type) for op in module.walk() if op.name == "graph.matmul"]
    assert sum("f32" in type for type in types) == 2 * small.config.n_layers
    (text,) = draw_texts(lambda: Llama(small), 1, small.config.seq_len, seed=7)
    floats, ours = Llama(small), OnnxLlama(small, model)
    expected, actual = (np.array([llama.step(t) for t in text[:-1]]) for llama in (floats, ours))
    assert np.std(actual - expected) < 0.1 * np.std(expected)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_perplexity(tmp_path: Path, tinystories: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiled network in 8 bits has a perplexity at most 5 % above the float model's."""
    monkeypatch.setenv("CFLAGS", "-O1 -std=c99 -Wall -Wextra -Werror")
    checkpoint = read_checkpoint(tinystories / "stories260K.bin")
    tokenizer = (tinystories / "tok512.bin").read_bytes()
    texts = draw_texts(lambda: Llama(checkpoint), 4, 100, seed=3)
    reference = score(lambda: Llama(checkpoint), texts)
    folder = build_programs(checkpoint, tokenizer, quantised(checkpoint, 100), tmp_path)
    ours = score_program(folder / "score", texts)
    assert ours.perplexity <= 1.05 * reference.perplexity
    assert ours.agreement(reference) > 0.85
    assert not np.allclose(ours.log_probabilities, reference.log_probabilities, atol=1e-3)
