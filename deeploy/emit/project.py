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
from deeploy.dialects.cluster import CallOp
from deeploy.dialects.graph import State
from deeploy.engines import find_engine
from deeploy.functions import argument_states, position_of, result_states, tensor_arguments
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


@dataclass(frozen=True)
class Inference:
    """One run of the network.

    Attributes:
        inputs: one array for each input, of a cache that grows the rows in use; None for one that
            stays as the last run left it. None for all leaves everything as it is in fresh memory.
        expected: one array for each output; None compares nothing.
        position: the rows in the caches, of a network that has such.
    """

    inputs: Sequence[Array | None] | None
    expected: Sequence[Array] | None
    position: int = 0


@dataclass(frozen=True)
class Run:
    """An inference in `test_vectors.h`."""

    position: int
    inputs: list[Vector]
    outputs: list[Vector]


def write_project(
    ctx: Context,
    module: ModuleOp,
    folder: Path,
    inferences: Sequence[Inference],
    platform: str,
    atol: float,
) -> None:
    """Write a program that runs the network and compares what it computes.

    The same module and arrays always give the same bytes. Files of an earlier project in `folder`
    are replaced; other files stay.

    Args:
        ctx: the context that holds the resources of `module`.
        module: fully lowered.
        folder: where to write; made if it is not there.
        inferences: the runs, one after the other: a single one unless caches grow.
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
    grows = position_of(function) is not None
    runs = [
        _run(function, inference, f"_{i}" if grows else "")
        for i, inference in enumerate(inferences)
    ]
    vectors = {
        "runs": runs,
        "grows": grows,
        "compares": int(any(inference.expected is not None for inference in inferences)),
        "tolerance": float(atol).hex(),
    }
    sources = emit_network(ctx, module)
    texts = {
        "network.h": sources.header,
        "network.c": sources.source,
        "network_kernels.c": sources.kernels,
        "weights.c": sources.weights,
        "test_vectors.h": _render("test_vectors.h.j2", **vectors),
        "main.c": _render("main.c.j2", grows=grows),
        "Makefile": _render(
            "Makefile.j2",
            runtime=_make_text(str(runtime)),
            platform=platform,
            includes=[_make_text(str(folder)) for folder in _include_dirs(module)],
        ),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        _write(folder / name, text)


def _run(function: FuncOp, inference: Inference, suffix: str) -> Run:
    """The vectors of one inference; `suffix` tells their symbols from those of others."""
    inputs, expected, position = inference.inputs, inference.expected, inference.position
    given = (
        [] if inputs is None else _vectors(f"input{suffix}", *_inputs(function, position), inputs)
    )
    nothing = [None] * len(function.function_type.outputs)
    outputs = _vectors(
        f"output{suffix}", *_outputs(function, position), nothing if expected is None else expected
    )
    return Run(position, given, outputs)


def argument_names(function: FuncOp) -> list[str]:
    """The ONNX names of the inputs; `input_0` and so on where they are not known."""
    return _inputs(function, 0)[0]


def result_names(function: FuncOp) -> list[str]:
    """The ONNX names of the outputs; `output_0` and so on where they are not known."""
    return _outputs(function, 0)[0]


def _inputs(function: FuncOp, position: int) -> tuple[list[str], Sequence[Attribute]]:
    types = [arg.type for arg in tensor_arguments(function)]
    return _names("input", function.arg_attrs, len(types)), _in_use(
        types, argument_states(function), position
    )


def _outputs(function: FuncOp, position: int) -> tuple[list[str], Sequence[Attribute]]:
    types = function.function_type.outputs.data
    return _names("output", function.res_attrs, len(types)), _in_use(
        types, result_states(function), position
    )


def _in_use(
    types: Sequence[Attribute], states: Sequence[State | None], position: int
) -> list[Attribute]:
    """The types, with the rows of caches that are in use."""
    return [
        TensorType(type.element_type, state.shape(type.get_shape(), position))
        if state is not None and isa(type, TensorType | MemRefType)
        else type
        for type, state in zip(types, states, strict=False)
    ]


def _names(stem: str, attributes: ArrayAttr[DictionaryAttr] | None, count: int) -> list[str]:
    known = attributes.data if attributes is not None else (DictionaryAttr({}),) * count
    names = [entry.data.get(NAME) for entry in known]
    found = [n.data if isinstance(n, StringAttr) else f"{stem}_{i}" for i, n in enumerate(names)]
    return found[:count]


def _check_platform(runtime: Path, platform: str) -> None:
    if not (runtime / "platforms" / platform / "platform.c").is_file():
        known = sorted(p.parent.name for p in (runtime / "platforms").glob("*/platform.c"))
        raise DeeployError(f"there is no platform '{platform}'", f"known: {', '.join(known)}")


def _include_dirs(module: ModuleOp) -> list[Path]:
    """Where the engines that the program uses keep their C, besides the runtime."""
    calls = (op for op in module.walk() if isinstance(op, CallOp))
    engines = dict.fromkeys(find_engine(call.engine.data) for call in calls)
    return [folder for engine in engines for folder in engine.include_dirs]


def _vectors(
    stem: str, names: Sequence[str], types: Sequence[Attribute], arrays: Sequence[Array | None]
) -> list[Vector]:
    """One vector for each type, with the values of `arrays` that there are.

    Raises:
        DeeployError: an array does not fit its type.
    """
    kind = stem.partition("_")[0]
    if len(arrays) != len(types):
        raise DeeployError(f"the network has {len(types)} {kind}s, not {len(arrays)}")
    checked = [
        None if array is None else argument_array(f"{kind} '{name}'", array, type)
        for name, type, array in zip(names, types, arrays, strict=True)
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
        values="" if array is None or array.size == 0 else _values(array),
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
