"""Inputs and expected outputs: read from `.npz` files, or made up."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
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
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else "it is empty"
        raise DeeployError(f"{path}: not an .npz file of arrays: {reason}") from None


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


def input_arrays(path: Path, arrays: Mapping[str, Array], function: FuncOp) -> list[Array]:
    """The arrays of a file as arguments of the network.

    They are found by the names of the inputs if all are there, else taken in order.

    Raises:
        DeeployError: number, shape, type or range does not fit; the message names the input.
    """
    types = function.function_type.inputs.data
    return _assign(path, "input", argument_names(function), types, arrays)


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
        missing = next((name for name in names[len(arrays) :]), None)
        what = (
            f"none for {kind} '{missing}'" if missing else f"the network has {len(names)} {kind}s"
        )
        raise DeeployError(f"{path}: there are {len(arrays)} arrays, {what}")
    checked: list[Array] = []
    for name, array, type in zip(names, chosen, types, strict=True):
        try:
            checked.append(argument_array(f"{kind} '{name}'", array, type))
        except DeeployError as error:
            raise DeeployError(f"{path}: {error.message}", error.hint) from None
    return checked
