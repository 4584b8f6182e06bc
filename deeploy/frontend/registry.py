"""The operators that the frontend knows. One decorator adds an operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeAlias

from deeploy.diagnostics import DeeployError, did_you_mean
from deeploy.frontend.builder import Builder
from deeploy.frontend.folding import FOLDED
from deeploy.frontend.nodes import Node
from deeploy.frontend.values import Value

Converter: TypeAlias = Callable[[Node, Builder], Value | Sequence[Value]]

ONNX = ""
"""The default domain, as ONNX spells it."""

CUSTOM = ("", "PACTOps", "ai.onnx.contrib", "com.microsoft")
"""Where exporters put the operators of quantised networks."""

INTEGERS = ("si8", "ui8", "si32")
FLOATS = ("f32",)
NUMBERS = INTEGERS + FLOATS


@dataclass(frozen=True)
class OperatorInfo:
    """What the user may know of an operator.

    Attributes:
        onnx_name: the operator's type in ONNX.
        domains: the domains in which it is recognised.
        summary: what is supported, one line.
        types: the element types that it takes; none if all of its inputs must be constant.
    """

    onnx_name: str
    domains: tuple[str, ...]
    summary: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Operator:
    """An operator and how it is converted.

    Attributes:
        schema: whether nodes must keep to ONNX's schema. Some exporters write newer opsets with
            the attributes of older ones; a converter that takes both is registered without.
    """

    info: OperatorInfo
    convert: Converter
    schema: bool


_operators: dict[str, Operator] = {}


def converter(
    name: str,
    summary: str,
    *,
    domains: tuple[str, ...] = (ONNX,),
    types: tuple[str, ...] = INTEGERS,
    schema: bool = True,
) -> Callable[[Converter], Converter]:
    """Register the decorated function as the converter of the ONNX operator `name`.

    It gets the node and the builder, and returns the node's output or outputs. User errors are
    `DeeployError`s without the node's name, which the importer adds.
    """

    def register(convert: Converter) -> Converter:
        assert name not in _operators, f"operator {name} is registered twice"
        info = OperatorInfo(name, domains, summary, types)
        _operators[name] = Operator(info, convert, schema and domains == (ONNX,))
        return convert

    return register


def _load_families() -> None:
    """Import every module of `deeploy.frontend.operators`: they register what they convert."""
    package = import_module("deeploy.frontend.operators")
    for module in iter_modules(package.__path__):
        import_module(f"{package.__name__}.{module.name}")


def supported_operators() -> list[OperatorInfo]:
    """All operators that can be imported, sorted by name."""
    _load_families()
    infos = [operator.info for operator in _operators.values()]
    infos += [
        OperatorInfo(name, (ONNX,), "evaluated when the model is read; constant inputs", ())
        for name in FOLDED - set(_operators)
    ]
    return sorted(infos, key=lambda info: info.onnx_name.lower())


def is_known(op_type: str) -> bool:
    """Whether there is a converter for an operator."""
    _load_families()
    return op_type in _operators


def find_operator(op_type: str, domain: str) -> Operator:
    """The operator of a node.

    Raises:
        DeeployError: it is not supported; names that look alike are given.
    """
    _load_families()
    operator = _operators.get(op_type)
    if operator is None and op_type in FOLDED and domain == ONNX:
        raise DeeployError(f"operator '{op_type}' is only supported on constants")
    if operator is None:
        raise DeeployError(f"unsupported operator '{op_type}'", _hint(op_type))
    if domain not in operator.info.domains:
        known = ", ".join(repr(d) for d in operator.info.domains)
        raise DeeployError(
            f"operator '{op_type}' is not known in the domain '{domain}'",
            f"it is supported in: {known}",
        )
    return operator


def _hint(op_type: str) -> str:
    near = did_you_mean(op_type, _operators)
    listed = "`deeploy ops` lists what is supported"
    return f"{near} {listed}" if near else listed
