"""Runs a decode network, float or quantised, with onnxruntime."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime

from checkpoint import Array, Checkpoint
from llama import rotation


class OnnxLlama:
    """Has the interface of `llama.Llama`; the caches are inputs and outputs of the network.

    Attributes:
        feeds: the inputs of the last step; what a calibration collects.
    """

    def __init__(self, checkpoint: Checkpoint, model: onnx.ModelProto) -> None:
        config = checkpoint.config
        self.checkpoint = checkpoint
        self.session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        self.outputs = [output.name for output in self.session.get_outputs()]
        quantised = any(value.type == "tensor(int8)" for value in self.session.get_inputs())
        shape = (1, config.n_kv_heads, 0, config.head_dim)
        self.empty = np.zeros(shape, np.int8 if quantised else np.float32)
        self.restarted()

    def restarted(self) -> OnnxLlama:
        """Itself, with empty caches."""
        self.position = 0
        self.feeds: dict[str, Array] = {}
        names = [name for name in self.outputs if name != "logits"]
        self.caches = {name.replace("present", "past"): self.empty for name in names}
        return self

    def step(self, token: int) -> Array:
        """Logits [vocab_size] of what follows `token`."""
        self.feeds = {
            "x": self.checkpoint.tensors["embedding"][token][None, None],
            "rotation": rotation(self.position, self.checkpoint.config.head_dim),
            **self.caches,
        }
        results = dict(zip(self.outputs, self.session.run(None, self.feeds), strict=True))
        logits = results.pop("logits")
        self.caches = {name.replace("present", "past"): x for name, x in results.items()}
        self.position += 1
        return logits.reshape(-1)
