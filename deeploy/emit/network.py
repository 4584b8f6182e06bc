"""Prints a lowered module as C: `network.h`, `network.c`, `network_kernels.c`, `weights.c`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files

import jinja2
import numpy as np
from xdsl.context import Context
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, ModuleOp, StringAttr
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import PassFailedException

from deeploy.dialects import mem, npu
from deeploy.dialects.graph import State
from deeploy.dialects.mem import byte_size, element_bytes, memref_of
from deeploy.emit.body import BodyPrinter, Pointer
from deeploy.emit.names import Names, string
from deeploy.engines import Instance, c_type
from deeploy.functions import (
    argument_states,
    position_of,
    positions_in,
    result_states,
    returned_values,
    tensor_arguments,
)
from deeploy.resources import Array, array_of
from deeploy.targets import target_of


@dataclass(frozen=True)
class NetworkSources:
    """The text of the generated files."""

    header: str
    source: str
    kernels: str
    weights: str


@dataclass(frozen=True)
class Tensor:
    """An input or output in the C interface."""

    name: str
    pointer: str
    elements: int
    element_bytes: int
    type: str
    shape: tuple[int, ...]
    blocks: int
    """Contiguous pieces in which the elements lie: more than one for a cache with room to grow."""
    stride: int
    """Bytes from one piece to the next."""
    row_bytes: int = 0
    """Bytes of one row in each piece, for a cache that grows."""
    rows: int = 0
    """Rows at position 0, for a cache that grows."""


@dataclass(frozen=True)
class Constant:
    """A constant: its C array, and where it is copied to."""

    name: str
    pointer: str
    type: str
    values: Array
    bytes: int

    @property
    def is_finite(self) -> bool:
        """Whether all elements are numbers."""
        return bool(np.isfinite(self.values).all())


def emit_network(ctx: Context, module: ModuleOp) -> NetworkSources:
    """The C of a module after the standard pipeline.

    Raises:
        PassFailedException: if something in it has no C form yet, naming the pass that is missing.
    """
    target = target_of(module)
    function = network_function(module)
    printer = BodyPrinter(target.cores)
    printer.function(function)
    arguments, results = tensor_arguments(function), returned_values(function)
    values = {
        "target": target,
        "memories": target.memories,
        "positions": 0 if position_of(function) is None else positions_in(function),
        "inputs": [
            given(tensor(printer, arg, name_of(function.arg_attrs, i, "input")), state)
            for i, (arg, state) in enumerate(
                zip(arguments, argument_states(function), strict=False)
            )
        ],
        "outputs": [
            returned(tensor(printer, value, name_of(function.res_attrs, i, "output")), state)
            for i, (value, state) in enumerate(zip(results, result_states(function), strict=True))
        ],
        "constants": constants(ctx, function, printer, (m.name for m in target.memories)),
        "instances": list(printer.instances.values()),
        "headers": headers(function, printer.instances.values()),
        "body": "\n".join(printer.lines).strip("\n") or "  (void)core;",
    }
    return NetworkSources(
        *(
            render(name, values)
            for name in ("network.h", "network.c", "network_kernels.c", "weights.c")
        )
    )


def network_function(module: ModuleOp) -> func.FuncOp:
    """The function that is the network: the first one with a body."""
    for op in module.body.block.ops:
        if isinstance(op, func.FuncOp) and not op.is_declaration:
            return op
    raise PassFailedException("the module has no function to print as C")


def render(name: str, values: Mapping[str, object]) -> str:
    """Fill in a template."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(load_template),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["rows"] = rows
    environment.filters["c_string"] = string
    return environment.get_template(f"{name}.j2").render(values)


def load_template(name: str) -> str:
    """The text of a template of this package."""
    return files("deeploy.emit").joinpath("templates", name).read_text(encoding="utf-8")


def rows(values: Array) -> str:
    """Numbers in lines of at most about 100 characters."""
    lines: list[str] = []
    line = " "
    for number in values.ravel().tolist():
        text = f" {literal(number)},"
        if len(line) + len(text) > 100:
            lines.append(line)
            line = " "
        line += text
    return "\n".join([*lines, line])


def literal(number: float) -> str:
    """A number in C, with what `math.h` has for those that are none."""
    if math.isfinite(number):
        return str(number)
    return "NAN" if math.isnan(number) else "INFINITY" if number > 0 else "-INFINITY"


def name_of(attributes: ArrayAttr[DictionaryAttr] | None, index: int, kind: str) -> str:
    """The ONNX name of an input or output."""
    name = attributes.data[index].data.get("graph.name") if attributes else None
    return name.data if isinstance(name, StringAttr) else f"{kind}{index}"


def tensor(printer: BodyPrinter, value: SSAValue, name: str) -> Tensor:
    """An input or output."""
    type = memref_of(value)
    size = element_bytes(type.element_type)
    return Tensor(
        name,
        base(printer.pointers[value]),
        byte_size(type) // size,
        size,
        c_type(type.element_type),
        type.get_shape(),
        blocks=1,
        stride=byte_size(type),
    )


def given(whole: Tensor, state: State | None) -> Tensor:
    """What the caller gives of an input: all of it, or the first rows of a cache."""
    if state is None or state.grows:
        return returned(whole, state)
    shape = (*whole.shape[: state.axis], state.rows, *whole.shape[state.axis + 1 :])
    blocks = math.prod(shape[: state.axis])
    return replace(
        whole,
        shape=shape,
        elements=math.prod(shape),
        blocks=blocks,
        stride=whole.stride // blocks,
    )


def returned(whole: Tensor, state: State | None) -> Tensor:
    """What there is of an output: all of it, or of a cache that grows a number of rows."""
    if state is None or not state.grows:
        return whole
    blocks = math.prod(whole.shape[: state.axis])
    row = math.prod(whole.shape[state.axis + 1 :]) * whole.element_bytes
    return replace(
        whole, blocks=blocks, stride=whole.stride // blocks, row_bytes=row, rows=state.rows
    )


def base(pointer: Pointer) -> str:
    """A pointer as a constant initialiser."""
    return f"DPL_ARENA_BASE({pointer.arena}) + {pointer.offset}"


def constants(
    ctx: Context, function: func.FuncOp, printer: BodyPrinter, memories: Iterable[str]
) -> list[Constant]:
    """The constants in order of their addresses."""
    names = Names("inputs", "outputs", "arenas", "tensor", "load", "cluster", *memories)
    found: list[tuple[int, Constant]] = []
    for op in function.body.block.ops:
        if not isinstance(op, mem.ConstantOp):
            continue
        pointer = printer.pointers[op.result]
        name = f"network_{names.fresh(op.result.name_hint or 'constant')}"
        values = array_of(ctx, op.value)
        type = c_type(op.result.type.element_type)
        assert isinstance(pointer.offset, int)
        found.append(
            (pointer.offset, Constant(name, str(pointer), type, values, byte_size(op.result.type)))
        )
    return [constant for _, constant in sorted(found, key=lambda pair: pair[0])]


def headers(function: func.FuncOp, instances: Iterable[Instance]) -> list[str]:
    """The headers with the argument structs of kernels, once each, and of the accelerator."""
    structs = {
        i.struct.removeprefix("dpl_").removesuffix("_args").removesuffix("_nd") for i in instances
    }
    driver = ["npu.h"] if any(isinstance(op, npu.TriggerOp) for op in function.walk()) else []
    return [*driver, *sorted(f"kernels/{name}.h" for name in structs)]
