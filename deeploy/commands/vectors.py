"""Inputs and expected outputs: read from `.npz` files, or made up."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from xdsl.dialects.func import FuncOp

from deeploy.diagnostics import DeeployError
from deeploy.emit.project import argument_names, result_names
from deeploy.interpreters import argument_array
from deeploy.resources import Array

_DAMAGED = (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError)


def load_arrays(path: Path) -> dict[str, Array]:
    """The arrays of an `.npz` file, in its order. (An `.npy` file is taken as a single array.)

    Raises:
        DeeployError: the file is damaged, of another kind, or has something that is no number.
        OSError: it cannot be read.
    """
    if path.is_dir():
        raise DeeployError(f"{path}: is a folder, not an .npz file")
    try:
        return _checked(path, _read(path))
    except _DAMAGED as error:
        raise DeeployError(f"{path}: not an .npz file of arrays: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    text = str(error)
    if "Object arrays" in text:
        return "arrays of Python objects are not supported"
    if "pickle" in text or not text:
        return "the file is of another kind"
    return text.splitlines()[0].rstrip(".")


def _read(path: Path) -> dict[str, Array]:
    content: Any = np.load(path, allow_pickle=False)
    if isinstance(content, np.ndarray):
        return {path.stem: content}
    with content:
        # A member that is no array comes as bytes, which become an array of them.
        return {name: np.asarray(content[name]) for name in content.files}


def _checked(path: Path, arrays: Mapping[str, Array]) -> dict[str, Array]:
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            raise DeeployError(f"{path}: array '{name}' is of type {array.dtype}, not of numbers")
    return dict(arrays)


def input_arrays(
    path: Path, arrays: Mapping[str, Array], function: FuncOp, model: Path
) -> list[Array]:
    """The arrays of a file as arguments of the network.

    They are found by the names of the inputs if all are there, else taken in order. Some exporters
    write the constants of the network behind its inputs; these are left out.

    Args:
        path: the file, for messages.
        arrays: its content.
        function: the network as it was imported.
        model: the ONNX file that it was imported from.

    Raises:
        DeeployError: number, shape, type or range does not fit; the message names the input.
    """
    names = argument_names(function)
    if len(arrays) > len(names) and not set(names) <= set(arrays):
        values = list(arrays.values())
        if _are_constants(values[len(names) :], model):
            arrays = dict(zip(names, values, strict=False))
    return _assign(path, "input", names, function.function_type.inputs.data, arrays)


def _are_constants(arrays: Sequence[Array], model: Path) -> bool:
    """Whether each array is a constant of an ONNX file."""
    graph = onnx.load_model(model).graph  # pyright: ignore[reportUnknownMemberType]
    values = [a for node in graph.node if node.op_type == "Constant" for a in node.attribute]
    tensors = [*graph.initializer, *(a.t for a in values if a.name == "value")]
    known = {_content(numpy_helper.to_array(tensor)) for tensor in tensors}
    return all(_content(array) in known for array in arrays)


def _content(array: Array) -> tuple[tuple[int, ...], bytes]:
    return array.shape, array.astype(np.float64).tobytes()


def output_arrays(path: Path, arrays: Mapping[str, Array], function: FuncOp) -> list[Array]:
    """The arrays of a file as results of the network; see `input_arrays`."""
    types = function.function_type.outputs.data
    return _assign(path, "output", result_names(function), types, arrays)


def _assign(
    path: Path, kind: str, names: Sequence[str], types: Sequence[Any], arrays: Mapping[str, Array]
) -> list[Array]:
    if set(names) <= set(arrays):
        chosen = [arrays[name] for name in names]
    elif len(arrays) == len(names):
        chosen = list(arrays.values())
    else:
        missing = names[len(arrays) :]
        hint = f"none is for {kind} '{missing[0]}'" if missing else f"{kind}s: {', '.join(names)}"
        raise DeeployError(
            f"{path}: wrong number of {kind}s: {len(arrays)} arrays for {len(names)}", hint
        )
    checked: list[Array] = []
    for name, array, type in zip(names, chosen, types, strict=True):
        try:
            checked.append(argument_array(f"{kind} '{name}'", array, type))
        except DeeployError as error:
            raise DeeployError(f"{path}: {error.message}", error.hint) from None
    return checked
