"""Constants in the IR: `dense<...>` when small, else `dense_resource<key>` with a blob.

A blob is what MLIR writes at the end of a file: "0x", the alignment as four little-endian bytes,
then the elements in row-major order, little-endian. Every element takes whole bytes, `i1` one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any, TypeAlias

import numpy as np
from xdsl.context import Context
from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects.builtin import (
    AnyFloat,
    BytesAttr,
    ContainerType,
    DenseIntOrFPElementsAttr,
    DenseResourceAttr,
    Float16Type,
    Float32Type,
    Float64Type,
    IndexType,
    IntegerType,
    MemRefType,
    ShapedType,
    Signedness,
    StringAttr,
    TensorType,
)
from xdsl.ir import Attribute
from xdsl.utils.exceptions import PassFailedException

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
ConstantAttr: TypeAlias = DenseResourceAttr | DenseIntOrFPElementsAttr[Any]
ConstantType: TypeAlias = TensorType[Any] | MemRefType[Any]

SMALL = 16
"""Up to this many elements a constant is printed in place."""

_ALIGNMENT_BYTES = 4
_FLOATS: dict[type[AnyFloat], type[np.floating[Any]]] = {
    Float16Type: np.float16,
    Float32Type: np.float32,
    Float64Type: np.float64,
}


def numpy_dtype(element_type: Attribute) -> np.dtype[Any]:
    """The numpy type that holds values of `element_type`: the narrowest one that is wide enough.

    Signless integers are held signed, `i1` as bool, `index` as int64.

    Raises:
        PassFailedException: numpy has no such type.
    """
    match element_type:
        case IndexType():
            return np.dtype(np.int64)
        case IntegerType(width=width, signedness=signedness):
            bits, unsigned = width.data, signedness.data is Signedness.UNSIGNED
            if bits == 1 and signedness.data is Signedness.SIGNLESS:
                return np.dtype(np.bool_)
            for size in (8, 16, 32, 64):
                if bits <= size:
                    return np.dtype(f"{'u' if unsigned else ''}int{size}")
        case Float16Type() | Float32Type() | Float64Type():
            return np.dtype(_FLOATS[type(element_type)])
        case _:
            pass
    raise PassFailedException(f"element type {element_type} has no numpy counterpart")


def element_type(dtype: np.dtype[Any]) -> AnyFloat | IntegerType:
    """The IR type of numpy's `dtype`: `si8`, `ui8`, ..., `si64`, `ui64`, `i1`, `f16`, `f32`, `f64`.

    Raises:
        PassFailedException: there is none.
    """
    if dtype.kind == "b":
        return IntegerType(1)
    if dtype.kind in "iu":
        signedness = Signedness.SIGNED if dtype.kind == "i" else Signedness.UNSIGNED
        return IntegerType(dtype.itemsize * 8, signedness)
    for ir_type, numpy_type in _FLOATS.items():
        if dtype == numpy_type:
            return ir_type()
    raise PassFailedException(f"numpy type {dtype} has no element type in the IR")


def _store(ctx: Context) -> OpAsmDialectInterface:
    store = ctx.get_dialect("builtin").get_interface(OpAsmDialectInterface)
    assert store is not None, "the builtin dialect always has a resource store"
    return store


def _as_bytes(array: Array, elements: Attribute) -> bytes:
    """The values of `array` as `elements`, row-major and little-endian."""
    dtype = numpy_dtype(elements)
    values = array.astype(dtype.newbyteorder("<"), order="C")
    if dtype.kind != "f" and not np.array_equal(values, array):
        raise PassFailedException(f"constant does not fit its element type {elements}")
    if isinstance(elements, IntegerType) and values.size and values.dtype.kind != "b":
        low, high = elements.value_range()
        if int(values.min()) < low or int(values.max()) >= high:
            raise PassFailedException(f"constant does not fit its element type {elements}")
    return values.tobytes()


def _keys(hint: str) -> Iterator[str]:
    """`hint` as an MLIR identifier, then the same with `_1`, `_2`, ..."""
    key = re.sub(r"[^A-Za-z0-9_.$]", "_", hint) or "constant"
    if not (key[0].isalpha() or key[0] == "_"):
        key = "_" + key
    yield key
    for suffix in count(1):
        yield f"{key}_{suffix}"


def _store_blob(store: OpAsmDialectInterface, hint: str, blob: str) -> str:
    """Put `blob` into `store`, or find it there under a key made from `hint`; returns the key."""
    for key in _keys(hint):
        known = store.lookup(key)
        if known == blob:
            return key
        if known is None:
            store.declare_resource(key)
            store.parse_resource(key, blob)
            return key
    raise AssertionError("unreachable: the keys do not end")


def constant_attr(ctx: Context, hint: str, array: Array, type: ConstantType) -> ConstantAttr:
    """The values of `array` as an attribute of type `type`.

    Up to `SMALL` elements become `dense<...>`. More become `dense_resource<key>`, with the blob in
    the resource store of `ctx`; so do infinities and NaN, which xDSL prints but does not read. The
    key is `hint` made an identifier; with `_1`, `_2`, ... if that is taken with other content.
    Equal content under the same hint shares a key.

    Raises:
        PassFailedException: shape or values of `array` do not fit `type`.
    """
    if array.shape != type.get_shape():
        raise PassFailedException(
            f"constant '{hint}' has shape {array.shape}, but its type is {type}"
        )
    data, dtype = _as_bytes(array, type.element_type), numpy_dtype(type.element_type)
    if array.size <= SMALL and (dtype.kind != "f" or np.isfinite(array).all()):
        if dtype.kind == "b":
            # xDSL packs a true `i1` as -1, as it does when it parses `dense<true>`.
            data = bytes(0xFF * byte for byte in data)
        return DenseIntOrFPElementsAttr(type, BytesAttr(data))
    alignment = dtype.itemsize.to_bytes(_ALIGNMENT_BYTES, "little")
    blob = "0x" + (alignment + data).hex().upper()
    return DenseResourceAttr(StringAttr(_store_blob(_store(ctx), hint, blob)), type)


def _resource_bytes(ctx: Context, attr: DenseResourceAttr) -> bytes:
    key = attr.resource_handle.data
    blob = _store(ctx).lookup(key)
    if not blob:
        raise PassFailedException(
            f"resource '{key}' has no data; the IR was printed with elided resources"
        )
    try:
        return bytes.fromhex(blob[2 + 2 * _ALIGNMENT_BYTES :])
    except ValueError:
        raise PassFailedException(f"resource '{key}' is not hexadecimal") from None


def array_of(ctx: Context, attr: Attribute) -> Array:
    """The values of the constant `attr` (read-only), with numpy's counterpart of its element type.

    Raises:
        PassFailedException: `attr` is no constant, or its blob is missing or has the wrong size.
    """
    match attr:
        case DenseResourceAttr(type=type):
            data = _resource_bytes(ctx, attr)
        case DenseIntOrFPElementsAttr(type=type):
            data = attr.data.data
        case _:
            raise PassFailedException(f"{attr} is not a constant tensor")
    assert isinstance(type, ShapedType) and isinstance(type, ContainerType)
    shape, dtype = type.get_shape(), numpy_dtype(type.get_element_type())
    expected = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if len(data) != expected:
        raise PassFailedException(f"constant of type {type} has {len(data)} bytes, not {expected}")
    if dtype.kind == "b":
        return np.frombuffer(data, np.uint8).reshape(shape) != 0
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)
