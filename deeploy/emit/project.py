"""Writes a project: the network's C files, test vectors, a main program and a Makefile."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from xdsl.context import Context
from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    MemRefType,
    ModuleOp,
    StringAttr,
    TensorType,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute
from xdsl.utils.hints import isa

from deeploy import registry
from deeploy.diagnostics import DeeployError
from deeploy.dialects.graph import state_of
from deeploy.functions import argument_attributes
from deeploy.instrumentation.semantics import entry_function
from deeploy.interpreters import argument_array
from deeploy.resources import Array, ConstantType, numpy_dtype

NAME = "graph.name"
"""Attribute of arguments and results with their ONNX name."""

_PER_LINE = 16
_KINDS = {"b": "u", "i": "i", "u": "u", "f": "f"}


@dataclass(frozen=True)
class Vector:
    """A tensor in `test_vectors.h`. `values` is empty where only its name and type matter."""

    json: str
    symbol: str
    c_type: str
    kind: str
    elements: int
    values: str


def write_project(
    ctx: Context,
    module: ModuleOp,
    folder: Path,
    inputs: Sequence[Array] | None,
    expected: Sequence[Array] | None,
    platform: str,
    atol: float,
) -> None:
    """Write a program that runs the network once and compares what it computes.

    The same module and arrays always give the same bytes. Files of an earlier project in `folder`
    are replaced; other files stay.

    Args:
        ctx: the context that holds the resources of `module`.
        module: fully lowered.
        folder: where to write; made if it is not there.
        inputs: one array for each input; None leaves the inputs as they are in fresh memory.
        expected: one array for each output; None compares nothing.
        platform: a folder of `runtime/platforms`.
        atol: absolute tolerance on floats; integers must be equal.

    Raises:
        DeeployError: an array does not fit, or there is no such platform.
        PassFailedException: the module is not fully lowered.
        OSError: a file cannot be written.
    """
    from deeploy.emit.network import emit_network

    runtime = registry.runtime_dir()
    _check_platform(runtime, platform)
    function = entry_function(module)
    vectors = {
        "inputs": [] if inputs is None else _vectors("input", *_inputs(function), inputs),
        "outputs": _vectors("output", *_outputs(function), expected),
        "compares": int(expected is not None),
        "tolerance": float(atol).hex(),
    }
    sources = emit_network(ctx, module)
    texts = {
        "network.h": sources.header,
        "network.c": sources.source,
        "network_kernels.c": sources.kernels,
        "weights.c": sources.weights,
        "test_vectors.h": _render("test_vectors.h.j2", **vectors),
        "main.c": _render("main.c.j2"),
        "Makefile": _render("Makefile.j2", runtime=_make_text(str(runtime)), platform=platform),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        _write(folder / name, text)


def argument_names(function: FuncOp) -> list[str]:
    """The ONNX names of the inputs; `input_0` and so on where they are not known."""
    return _inputs(function)[0]


def result_names(function: FuncOp) -> list[str]:
    """The ONNX names of the outputs; `output_0` and so on where they are not known."""
    return _outputs(function)[0]


def _inputs(function: FuncOp) -> tuple[list[str], Sequence[Attribute]]:
    types = list(function.function_type.inputs.data)
    for i, type in enumerate(types):
        state = state_of(argument_attributes(function, i))
        if state is not None and isa(type, TensorType | MemRefType):  # only its rows are given
            shape = list(type.get_shape())
            shape[state.axis] = state.rows
            types[i] = TensorType(type.element_type, shape)
    return _names("input", function.arg_attrs, len(types)), types


def _outputs(function: FuncOp) -> tuple[list[str], Sequence[Attribute]]:
    types = function.function_type.outputs.data
    return _names("output", function.res_attrs, len(types)), types


def _names(stem: str, attributes: ArrayAttr[DictionaryAttr] | None, count: int) -> list[str]:
    known = attributes.data if attributes is not None else (DictionaryAttr({}),) * count
    names = [entry.data.get(NAME) for entry in known]
    return [n.data if isinstance(n, StringAttr) else f"{stem}_{i}" for i, n in enumerate(names)]


def _check_platform(runtime: Path, platform: str) -> None:
    if not (runtime / "platforms" / platform / "platform.c").is_file():
        known = sorted(p.parent.name for p in (runtime / "platforms").glob("*/platform.c"))
        raise DeeployError(f"there is no platform '{platform}'", f"known: {', '.join(known)}")


def _vectors(
    stem: str, names: Sequence[str], types: Sequence[Attribute], arrays: Sequence[Array] | None
) -> list[Vector]:
    """One vector for each type, with the values of `arrays` if there are any.

    Raises:
        DeeployError: an array does not fit its type.
    """
    if arrays is not None and len(arrays) != len(types):
        raise DeeployError(f"the network has {len(types)} {stem}s, not {len(arrays)}")
    checked = [
        None if arrays is None else argument_array(f"{stem} '{name}'", arrays[i], types[i])
        for i, name in enumerate(names)
    ]
    return [
        _vector(f"{stem}_{i}", name, type, array)
        for i, (name, type, array) in enumerate(zip(names, types, checked, strict=True))
    ]


def _vector(symbol: str, name: str, type: Attribute, array: Array | None) -> Vector:
    assert isinstance(type, TensorType | MemRefType)
    dtype = numpy_dtype(cast(ConstantType, type).element_type)
    return Vector(
        json=c_string(json.dumps(name)),
        symbol=symbol,
        c_type=_c_type(dtype),
        kind=_KINDS[dtype.kind],
        elements=int(np.prod(type.get_shape(), dtype=np.int64)),
        values="" if array is None else _values(array),
    )


def _c_type(dtype: np.dtype[np.generic]) -> str:
    if dtype.kind == "f":
        return "float" if dtype.itemsize == 4 else "double"
    return f"{'int' if dtype.kind == 'i' else 'uint'}{8 * dtype.itemsize}_t"


def _values(array: Array) -> str:
    """The elements in C, several on a line; floats in hexadecimal, which is exact."""
    if array.dtype.kind == "f":
        numbers = [_float(value) for value in array.ravel().tolist()]
    else:
        numbers = [str(int(value)) for value in array.ravel().tolist()]
    rows = (numbers[i : i + _PER_LINE] for i in range(0, len(numbers), _PER_LINE))
    return "\n".join(f"    {', '.join(row)}," for row in rows)


def _float(value: float) -> str:
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    return f"{value.hex()}f"


def c_string(text: str) -> str:
    """ASCII text as a C string literal, without trigraphs."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    return f'"{escaped}"'


def _make_text(text: str) -> str:
    """Text as the value of a variable of make."""
    return text.replace("$", "$$").replace("#", "\\#")


def _render(template: str, **values: object) -> str:
    environment = Environment(
        loader=PackageLoader("deeploy.emit"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(template).render(**values)


def _write(path: Path, text: str) -> None:
    """Write a file unless it has this content, so that make rebuilds only what has changed."""
    data = text.encode()
    if not path.is_file() or path.read_bytes() != data:
        path.write_bytes(data)
