"""Reads ONNX files: checks their structure and brings nodes into an order that can be executed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import checker, inliner

from deeploy.diagnostics import DeeployError

OLDEST_OPSET = 9
_CHECKED_DOMAIN = "deeploy.checked"


def load_model(source: str | Path | bytes) -> tuple[onnx.ModelProto, str]:
    """Read and check a model.

    Returns:
        The model, its nodes sorted and all named, functions inlined; and what to call it.

    Raises:
        DeeployError: the file is no ONNX model or is damaged.
    """
    title = "ONNX model" if isinstance(source, bytes) else str(source)
    model = _parse(source, title)
    try:
        if model.functions:
            model = inliner.inline_local_functions(model)
        _check_texts(model.graph)
        for node in model.graph.node:
            node.domain = plain_domain(node.domain)
        _check_opsets(model)
        _name_nodes(model.graph)
        _sort_nodes(model.graph)
        _check_structure(model)
    except DeeployError as error:
        raise DeeployError(f"{title}: {error.message}", error.hint) from None
    except UnicodeDecodeError:
        raise DeeployError(f"{title}: not an ONNX model", "a text in it is damaged") from None
    return model, title


def opset_of(model: onnx.ModelProto, domain: str) -> int:
    """The version of an operator set: the newest where it is given several times."""
    versions = [e.version for e in model.opset_import if plain_domain(e.domain) == domain]
    return max(versions, default=1)


def plain_domain(domain: str) -> str:
    """The domain with one spelling of the default one."""
    return "" if domain == "ai.onnx" else domain


def node_label(node: onnx.NodeProto) -> str:
    """A node in an error message."""
    return f"{node.op_type} '{node.name}'"


def _parse(source: str | Path | bytes, title: str) -> onnx.ModelProto:
    try:
        if isinstance(source, bytes):
            return onnx.load_model_from_string(source)
        if not Path(source).is_file():
            raise DeeployError(f"{title}: no such file")
        return onnx.load_model(source, format="protobuf")  # pyright: ignore[reportUnknownMemberType]
    except DecodeError:
        raise DeeployError(
            f"{title}: not an ONNX model", "the file is truncated or of another kind"
        ) from None
    except (OSError, ValueError, checker.ValidationError) as error:
        raise DeeployError(f"{title}: {first_line(error)}") from None


def first_line(error: BaseException) -> str:
    """The first line of an error of onnx, without a full stop."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")


def _check_opsets(model: onnx.ModelProto) -> None:
    if not model.graph.node and not model.graph.output:
        raise DeeployError("there is no network in it", "the file is empty or of another kind")
    version = opset_of(model, "")
    if any(not node.domain for node in model.graph.node) and version < OLDEST_OPSET:
        raise DeeployError(
            f"opset {version} is too old",
            f"convert it to {OLDEST_OPSET} or newer with onnx.version_converter",
        )


def _check_texts(graph: onnx.GraphProto) -> None:
    """protobuf hands out bytes where a text is no UTF-8."""
    texts: list[object] = [v.name for v in (*graph.input, *graph.output, *graph.initializer)]
    for node in graph.node:
        texts += (node.name, node.op_type, node.domain, *node.input, *node.output)
    if not all(isinstance(text, str) for text in texts):
        raise DeeployError("a name in it is damaged", "the file is damaged or of another kind")


def _name_nodes(graph: onnx.GraphProto) -> None:
    """Give unnamed nodes their op type and a running number, and make all names differ."""
    taken = Counter(node.name for node in graph.node)
    numbers: Counter[str] = Counter()
    for node in graph.node:
        if node.name and taken[node.name] == 1:
            continue
        base = node.name or node.op_type
        while taken[name := f"{base}_{numbers[base]}"]:
            numbers[base] += 1
        taken[name] = 1
        node.name = name


def _sort_nodes(graph: onnx.GraphProto) -> None:
    """Put nodes behind those whose outputs they read, otherwise as they stand in the file."""
    nodes = list(graph.node)
    producers = _producers(graph)
    waiting = [{producers[v] for v in _reads(n) if v in producers} for n in nodes]
    readers: dict[int, list[int]] = {}
    for index, sources in enumerate(waiting):
        for source in sources:
            readers.setdefault(source, []).append(index)
    missing = [len(sources) for sources in waiting]
    ready = deque(i for i, count in enumerate(missing) if not count)
    order: list[int] = []
    while ready:
        index = ready.popleft()
        order.append(index)
        for reader in readers.get(index, ()):
            missing[reader] -= 1
            if not missing[reader]:
                ready.append(reader)
    if len(order) < len(nodes):
        raise DeeployError(f"nodes form a cycle: {_cycle(nodes, waiting, order)}")
    if not _is_sorted(waiting):
        del graph.node[:]
        graph.node.extend(nodes[i] for i in order)


def _is_sorted(sources: list[set[int]]) -> bool:
    return all(source < index for index, before in enumerate(sources) for source in before)


def _reads(node: onnx.NodeProto) -> Iterator[str]:
    return (name for name in node.input if name)


def _producers(graph: onnx.GraphProto) -> dict[str, int]:
    """The index of the node that computes each value; also checks that each is computed once."""
    known = {v.name for v in graph.input} | {t.name for t in graph.initializer}
    producers: dict[str, int] = {}
    for index, node in enumerate(graph.node):
        for name in filter(None, node.output):
            if name in producers or name in known:
                raise DeeployError(f"{node_label(node)} computes '{name}', which is there already")
            producers[name] = index
    for node in graph.node:
        for name in _reads(node):
            if name not in producers and name not in known:
                raise DeeployError(
                    f"{node_label(node)} reads '{name}', "
                    "which no node, input or initializer provides"
                )
    for output in graph.output:
        if output.name not in producers and output.name not in known:
            raise DeeployError(f"the output '{output.name}' is computed by no node")
    return producers


def _cycle(nodes: list[onnx.NodeProto], sources: list[set[int]], order: list[int]) -> str:
    """The names of the nodes of one cycle among those that could not be ordered."""
    done = set(order)
    index = next(i for i in range(len(nodes)) if i not in done)
    path: list[int] = []
    while index not in path:
        path.append(index)
        index = min(source for source in sources[index] if source not in done)
    cycle = [*path[path.index(index) :], index]
    return " → ".join(repr(nodes[i].name) for i in reversed(cycle))


def _check_structure(model: onnx.ModelProto) -> None:
    """Run onnx's checker on everything but operators.

    Those are checked one by one when they are converted: the checker would stop at custom ones in
    the default domain, and at exporters that mix the spellings of several opsets.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.opset_import[:]
    copy.opset_import.add(domain=_CHECKED_DOMAIN, version=1)
    copy.opset_import.add(
        domain="", version=min(opset_of(model, ""), onnx.defs.onnx_opset_version())
    )
    for node in copy.graph.node:
        node.domain = _CHECKED_DOMAIN
    for value in (*copy.graph.input, *copy.graph.output):
        # shapes of inputs are looked at later, with a better message; others are inferred
        value.type.tensor_type.shape.SetInParent()
    try:
        checker.check_model(copy)  # pyright: ignore[reportUnknownMemberType]
    except (checker.ValidationError, ValueError) as error:
        raise DeeployError(f"onnx's checker rejects it: {first_line(error)}") from None


def check_node(model: onnx.ModelProto, node: onnx.NodeProto) -> None:
    """Check a node of the default domain against the schema of its operator.

    Raises:
        DeeployError: an input or attribute is missing, unknown or of the wrong type.
    """
    context = checker.C.CheckerContext()
    context.ir_version = model.ir_version
    context.opset_imports = {"": min(opset_of(model, ""), onnx.defs.onnx_opset_version())}
    try:
        checker.check_node(node, context)
    except (checker.ValidationError, UnicodeDecodeError) as error:
        raise DeeployError(first_line(error)) from None
