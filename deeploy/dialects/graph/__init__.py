"""The graph dialect: networks as ops on tensors by value, one op for each meaning.

Element types are explicit (`si8`, `ui8`, `si32`), shapes static. Each op implements the tiling
interface, so that tiles, halos and borders of all ops are derived in one place.
"""

from xdsl.ir import Dialect

from deeploy.dialects.graph.attributes import RequantAttr, integer_range, si8, si32, ui8
from deeploy.dialects.graph.base import GraphOp, Requantised, element_type, ints, tuple_of
from deeploy.dialects.graph.contraction import MatmulOp
from deeploy.dialects.graph.elementwise import AddOp, BinaryOp, ClipOp, MulOp, RequantOp, SubOp
from deeploy.dialects.graph.movement import (
    ConcatOp,
    ConstantOp,
    CopyOp,
    PadOp,
    ReshapeOp,
    SliceOp,
    TransposeOp,
)
from deeploy.dialects.graph.window import (
    AveragePoolOp,
    ConvOp,
    DepthwiseConvOp,
    MaxPoolOp,
    PoolOp,
    WindowOp,
)

Graph = Dialect(
    "graph",
    [
        ConstantOp,
        ConvOp,
        DepthwiseConvOp,
        MatmulOp,
        MaxPoolOp,
        AveragePoolOp,
        AddOp,
        SubOp,
        MulOp,
        RequantOp,
        ClipOp,
        ReshapeOp,
        TransposeOp,
        SliceOp,
        PadOp,
        CopyOp,
        ConcatOp,
    ],
    [RequantAttr],
)

__all__ = [
    "AddOp",
    "AveragePoolOp",
    "BinaryOp",
    "ClipOp",
    "ConcatOp",
    "ConstantOp",
    "ConvOp",
    "CopyOp",
    "DepthwiseConvOp",
    "Graph",
    "GraphOp",
    "MatmulOp",
    "MaxPoolOp",
    "MulOp",
    "PadOp",
    "PoolOp",
    "RequantAttr",
    "RequantOp",
    "Requantised",
    "ReshapeOp",
    "SliceOp",
    "SubOp",
    "TransposeOp",
    "WindowOp",
    "element_type",
    "integer_range",
    "ints",
    "si8",
    "si32",
    "tuple_of",
    "ui8",
]
