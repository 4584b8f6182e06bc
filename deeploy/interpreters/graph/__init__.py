"""The meaning of the graph dialect in numpy, for whole tensors and for tiles of them.

`evaluate` takes what a tile reads: arrays already cut to the tensor, and how far each footprint
reaches over the tensor's borders. Every extent comes from these two, never from the op's types or
pads, which describe the whole tensor. The whole op is the tile of `op.full_box()`.

Integers are computed modulo 2^32, as the generated code does: additions and products of wider
numbers are exact until they are cut to 32 bits, so the order of accumulation does not matter.
"""

from deeploy.interpreters.graph import (
    activation,
    elementwise,
    indexing,
    movement,
    npu,
    reduction,
    rows,
    selection,
    window,
)
from deeploy.interpreters.graph.arithmetic import exact_product, requantise, wrap
from deeploy.interpreters.graph.evaluation import (
    can_evaluate,
    channel_axis,
    evaluate,
    evaluate_whole,
)
from deeploy.interpreters.graph.functions import GraphFunctions
from deeploy.interpreters.graph.registry import Meaning, Overhangs, meaning, numpy_meaning

# importing these registers the meanings
FAMILIES = (activation, elementwise, indexing, movement, npu, reduction, rows, selection, window)

__all__ = [
    "GraphFunctions",
    "Meaning",
    "Overhangs",
    "can_evaluate",
    "channel_axis",
    "evaluate",
    "evaluate_whole",
    "exact_product",
    "meaning",
    "numpy_meaning",
    "requantise",
    "wrap",
]
