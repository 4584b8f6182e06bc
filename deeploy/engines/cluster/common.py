"""What the kernels of the cluster share: types, requantisation, loops over up to six dimensions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from xdsl.dialects.builtin import AnyFloat, f32
from xdsl.ir import Attribute, SSAValue
from xdsl.utils.hints import isa

from deeploy.dialects.graph import GraphOp, RequantAttr, Requantised, element_type, si8, si32, ui8
from deeploy.engines import (
    Fields,
    Instance,
    Kernel,
    KernelCall,
    Sizes,
    View,
    c_type,
    short_name,
)
from deeploy.engines.cluster.cost import is_short
from deeploy.engines.cluster.walk import DIMENSIONS, braces, strides_of
from deeploy.interfaces.bounds import Bounds
from deeploy.interfaces.tiling import shape_of

BYTES = (si8, ui8)
INTEGERS = (si8, ui8, si32)
FLOATS = (f32,)
INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


def decline_types(op: GraphOp, allowed: Mapping[str, tuple[Attribute, ...]]) -> str | None:
    """The reason against an op with an operand or result of a type that the kernel lacks."""
    for name, types in allowed.items():
        value = getattr(op, name)
        if isa(value, SSAValue) and element_type(value) not in types:
            names = ", ".join(str(t) for t in types)
            return f"{name} is {element_type(value)}, the kernel takes {names}"
    return None


def instance(family: str, stem: str, struct: str = "", **types: Attribute) -> Instance:
    """A template instance named after the types: `dpl_conv2d_u8_s8`."""
    suffix = "_".join(short_name(t) for t in types.values())
    symbol = f"dpl_{stem}_{suffix}"
    macros = tuple((f"DPL_{name.upper()}_T", c_type(t)) for name, t in types.items())
    return Instance(family, symbol, (("DPL_NAME", symbol), *macros), f"dpl_{struct or family}_args")


def with_macros(made: Instance, **macros: str) -> Instance:
    """An instance with some macros more, or others; `DPL_NAME` is its symbol."""
    values = {**dict(made.macros), **macros}
    return replace(made, symbol=values["DPL_NAME"], macros=tuple(values.items()))


def literal(value: int) -> str | int:
    """A 32-bit integer in C."""
    return "INT32_MIN" if value == INT32_MIN else value


def wrapped(value: int) -> str | int:
    """The low 32 bits of an integer in C."""
    return literal((value - INT32_MIN) % (1 << 32) + INT32_MIN)


def float_literal(value: float) -> str:
    """A 32-bit float in C."""
    if math.isinf(value):
        return "-DPL_INFINITY" if value < 0 else "DPL_INFINITY"
    return "DPL_NAN" if math.isnan(value) else f"{np.float32(value)}f"


def requant_fields(call: KernelCall) -> Fields:
    """The `dpl_requant` of an op with an epilogue: its own, or one that changes nothing."""
    op = call.op
    assert isinstance(op, Requantised)
    names = iter(call.inputs[len(call.inputs) - (op.mul is not None) - (op.add is not None) :])
    fields: dict[str, str | int | Fields] = {}
    for name, operand in (("mul", op.mul), ("add", op.add)):
        if operand is not None:
            fields[name] = f"(const int32_t *){next(names).pointer}"
    return fields | scalar_requant(op.requant)


def scalar_requant(requant: RequantAttr | None) -> dict[str, str | int | Fields]:
    """The numbers of a `dpl_requant`."""
    if requant is None:
        requant = RequantAttr.of(min=INT32_MIN, max=INT32_MAX)
    mul, add, shift, low, high = (literal(v) for v in requant.values())
    return {"mul0": mul, "add0": add, "shift": shift, "lo": low, "hi": high}


def scale_fields(requant: RequantAttr | None) -> Fields:
    """The numbers of a `dpl_factors`."""
    numbers = (1, 0, 0) if requant is None else requant.values()[:3]
    return dict(zip(("mul", "add", "shift"), map(literal, numbers), strict=True))


def is_scaled(requant: RequantAttr) -> bool:
    """Whether a requantisation does more than clamp."""
    return requant.values()[:3] != (1, 0, 0)


def rescaled(
    requant: RequantAttr | None,
    scale: str,
    mul: str = "",
    add: str = "",
    *,
    bounds: Bounds | None = None,
) -> str:
    """The C expression of `v` requantised with a field of the arguments `p`; `mul` and `add` are
    what stands for its numbers, if anything does. `v` lies within `bounds`, if they are known."""
    if requant is None:
        return "(v)"
    text = f"dpl_scaled(v, &(p)->{scale})" if is_scaled(requant) else "(v)"
    if mul or add:
        factors = f"{mul or f'(p)->{scale}.mul'}, {add or f'(p)->{scale}.add'}"
        text = f"(dpl_mul_add(v, {factors}) >> (p)->{scale}.shift)"
    elif is_scaled(requant) and is_short(requant, bounds):
        text = f"dpl_scaled_short(v, &(p)->{scale}, {requant.add.data}, {requant.shift.data})"
    low, high = requant.min.data, requant.max.data
    if (low, high) == (INT32_MIN, INT32_MAX):
        return text
    return f"dpl_clamp({text}, {literal(low)}, {literal(high)})"


def requant_suffix(letter: str, requant: RequantAttr | None, bounds: Bounds | None = None) -> str:
    """What tells instances apart that requantise: whether they scale, with what shift where that is
    a constant, and limits."""
    if requant is None:
        return ""
    limits = f"{requant.min.data}_{requant.max.data}".replace("-", "m")
    scaled = "_scaled" if is_scaled(requant) else ""
    if scaled and is_short(requant, bounds):
        scaled = f"_{'rounded' if requant.add.data else 'shifted'}{requant.shift.data}"
    return f"_{letter}{scaled}_{limits}"


def dimensions(view: View) -> str:
    """The extents of a tile as six dimensions."""
    return braces([1] * (DIMENSIONS - len(view.shape)) + list(view.shape))


def strides(view: View) -> str:
    """The strides of a tile as six dimensions; 0 where it broadcasts."""
    return braces(strides_of(view, DIMENSIONS))


def decline_rank(op: GraphOp) -> str | None:
    """The reason against a tensor of more than six dimensions."""
    if len(op.iterators()) > DIMENSIONS:
        return f"{len(op.iterators())} dimensions, the kernel takes up to {DIMENSIONS}"
    return None


def has_whole_rows(value: SSAValue, strides: Sequence[int]) -> bool:
    """Whether elements of the last dimension lie next to each other."""
    return strides[-1] == 1 or shape_of(value)[-1] == 1


class ByElementType(Kernel):
    """One kernel for integers and one for floats; the type of the result tells."""

    def __init__(self, integers: Kernel, floats: Kernel) -> None:
        self.integers = integers
        self.floats = floats
        self.family = f"{integers.family}, {floats.family}"

    def chosen(self, op: GraphOp) -> Kernel:
        """The kernel for the element type of an op."""
        is_float = isinstance(element_type(op.results[0]), AnyFloat)
        return self.floats if is_float else self.integers

    def declines(self, op: GraphOp) -> str | None:
        return self.chosen(op).declines(op)

    def instance(self, op: GraphOp) -> Instance:
        return self.chosen(op).instance(op)

    def variant(self, call: KernelCall) -> Instance:
        return self.chosen(call.op).variant(call)

    def arguments(self, call: KernelCall) -> Sequence[Fields]:
        return self.chosen(call.op).arguments(call)

    def cycles(self, op: GraphOp, sizes: Sequence[Sizes], cores: int) -> Sizes:
        return self.chosen(op).cycles(op, sizes, cores)

    def tile_limits(self, op: GraphOp) -> Mapping[str, int]:
        return self.chosen(op).tile_limits(op)

    def scratch_bytes(self, op: GraphOp, cores: int, memory: int) -> int:
        return self.chosen(op).scratch_bytes(op, cores, memory)

    def takes_strides(self, op: GraphOp, value: SSAValue, strides: Sequence[int]) -> bool:
        return self.chosen(op).takes_strides(op, value, strides)


def float_instance(family: str, stem: str = "", struct: str = "") -> Instance:
    """An instance of a template that only knows floats."""
    symbol = f"dpl_{stem or family}"
    return Instance(family, symbol, (("DPL_NAME", symbol),), f"dpl_{struct or family}_args")


def bias_field(call: KernelCall) -> Mapping[str, str]:
    """The argument `add` of a kernel on floats, if the op has a bias."""
    assert isinstance(call.op, Requantised)
    return {} if call.op.add is None else {"add": f"(const float *){call.inputs[-1].pointer}"}
