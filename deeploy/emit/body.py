"""Prints the body of a lowered function as C: all cores run it, core 0 drives the DMA."""

from __future__ import annotations

import operator
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from xdsl.dialects import arith, func, memref, scf
from xdsl.dialects.builtin import DYNAMIC_INDEX, IntegerAttr
from xdsl.ir import Attribute, Block, Operation, SSAValue

from deeploy.diagnostics import fail, node_name
from deeploy.dialects import cluster, dma, mem, npu
from deeploy.dialects.mem import OFFSET, element_bytes, level_of, memref_of, strides_of
from deeploy.emit.names import Names, comment
from deeploy.engines import Fields, Instance, Kernel, KernelCall, View, find_engine
from deeploy.functions import argument_attributes, position_of, tensor_arguments
from deeploy.interfaces.tiling import shape_of

Number: TypeAlias = int | str
"""A literal, or a C expression of type int32_t."""

OPERATORS: dict[type[Operation], tuple[str, Callable[[int, int], int]]] = {
    arith.AddiOp: ("{} + {}", lambda a, b: a + b),
    arith.SubiOp: ("{} - {}", lambda a, b: a - b),
    arith.MuliOp: ("{} * {}", lambda a, b: a * b),
    arith.DivUIOp: ("{} / {}", lambda a, b: a // b),
    arith.RemUIOp: ("{} % {}", lambda a, b: a % b),
    arith.MinSIOp: ("dpl_min({}, {})", min),
    arith.MaxSIOp: ("dpl_max({}, {})", max),
}
DECLARATION = re.compile(r"\s*(?:const int32_t|uint8_t \*const) (\w+) = ")
CALL = re.compile(r"dpl_\w+\((?:[^()]|\([^()]*\))*\)")
"""A call, and nothing beside it."""
COMPARISONS: dict[int, tuple[str, Callable[[int, int], bool]]] = {
    0: ("==", operator.eq),
    1: ("!=", operator.ne),
    2: ("<", operator.lt),
    3: ("<=", operator.le),
    4: (">", operator.gt),
    5: (">=", operator.ge),
}
"""Signed predicates of arith.cmpi."""


@dataclass(frozen=True)
class Pointer:
    """The first element of a buffer: an arena and a byte offset."""

    arena: str
    offset: Number

    def plus(self, offset: Number) -> Pointer:
        """Some bytes further."""
        return Pointer(self.arena, add(self.offset, offset))

    def __str__(self) -> str:
        return self.arena if self.offset == 0 else f"{self.arena} + {self.offset}"


def add(a: Number, b: Number) -> Number:
    """`a + b`, folded where possible."""
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    if a == 0 or b == 0:
        return b if a == 0 else a
    return f"{a} + {b}"


def times(a: Number, b: Number) -> Number:
    """`a * b`, folded where possible."""
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    if a == 1 or b == 1:
        return b if a == 1 else a
    return f"{parenthesised(a)} * {parenthesised(b)}"


def parenthesised(a: Number) -> str:
    """An expression that can stand next to any operator."""
    text = str(a)
    simple = text.isidentifier() or text.isdecimal() or CALL.fullmatch(text)
    return text if simple else f"({text})"


@dataclass
class BodyPrinter:
    """Prints one function; collects the kernel instances that it calls."""

    cores: int
    instances: dict[str, Instance] = field(default_factory=dict[str, Instance])
    lines: list[str] = field(default_factory=list[str])
    names: Names = field(default_factory=Names)
    numbers: dict[SSAValue, Number] = field(default_factory=dict[SSAValue, Number])
    pointers: dict[SSAValue, Pointer] = field(default_factory=dict[SSAValue, Pointer])
    shapes: dict[SSAValue, tuple[Number, ...]] = field(
        default_factory=dict[SSAValue, tuple[Number, ...]]
    )
    guarded: list[str] = field(default_factory=list[str])
    declared: list[str] = field(default_factory=list[str])
    depth: int = 1
    node: str | None = None
    channels: int = 0

    # lines

    def line(self, text: str) -> None:
        """Print a line at the present depth."""
        self.lines.append("  " * self.depth + text)

    def flush(self) -> None:
        """Print what only core 0 does."""
        guarded, self.guarded = self.guarded, []
        if not guarded:
            return
        self.line("if (core == 0) {")
        self.lines += ["  " * (self.depth + 1) + text for text in guarded]
        self.line("}")

    def function(self, function: func.FuncOp) -> None:
        """Print all ops of a function."""
        position = position_of(function)
        if position is not None:
            self.numbers[position] = self.declare("const int32_t", "position", "network_position")
        for arg in tensor_arguments(function):
            self.place(arg, argument_attributes(function, arg.index).get(OFFSET), function)
        self.block(function.body.block)
        self.flush()
        self.drop_unused()

    def drop_unused(self) -> None:
        """Remove variables that no line reads: sizes that no kernel or transfer asked for."""
        words = Counter(word for line in self.lines for word in re.findall(r"\w+", line))
        while unused := {name for name in self.declared if words[name] == 1}:
            for i, line in reversed(list(enumerate(self.lines))):
                name = DECLARATION.match(line)
                if name and name[1] in unused:
                    words.subtract(re.findall(r"\w+", line))
                    del self.lines[i]

    def block(self, block: Block) -> None:
        """Print the ops of a block."""
        for op in block.ops:
            self.announce(op)
            self.op(op)

    def announce(self, op: Operation) -> None:
        """A comment with the ONNX node where a new one begins."""
        name = node_name(op)
        hidden = (mem.ConstantOp, mem.BufferOp, mem.ReshapeOp, mem.ViewOp, npu.QueueOp)
        placed = isinstance(op, hidden)
        if name is None or name == self.node or placed or self.depth > 1:
            return
        self.flush()
        self.node = name
        self.lines.append("")
        self.line(f"// {comment(name)}")

    def op(self, op: Operation) -> None:
        """Print one op."""
        match op:
            case arith.ConstantOp():
                assert isinstance(op.value, IntegerAttr)
                self.numbers[op.result] = op.value.value.data
            case arith.CmpiOp():
                self.compare(op)
            case mem.BufferOp() | mem.ConstantOp():
                self.place(op.result, op.offset, op)
            case mem.ReshapeOp():
                self.alias(op)
            case mem.ViewOp():
                self.restride(op)
            case memref.SubviewOp():
                self.subview(op)
            case dma.ChannelOp():
                hint = op.channel.name_hint or "channel"
                self.numbers[op.channel] = self.declare("const int32_t", hint, str(self.channels))
                self.channels += 1
            case dma.StartOp():
                self.guarded += self.transfer(op)
            case dma.MarkOp():
                self.mark(op.mark, f"dpl_dma_mark({self.numbers[op.channel]})")
            case npu.MarkOp():
                self.mark(op.mark, "dpl_npu_mark()")
            case dma.WaitOp() if op.mark is not None:
                arguments = f"{self.numbers[op.channel]}, {self.numbers[op.mark]}"
                self.guarded.append(f"dpl_dma_wait_until({arguments});")
            case dma.WaitOp():
                self.guarded.append(f"dpl_dma_wait({self.numbers[op.channel]});")
            case npu.WaitOp() if op.mark is not None:
                self.guarded.append(f"dpl_npu_wait_until({self.numbers[op.mark]});")
            case npu.QueueOp():
                pass
            case npu.AddressOp():
                self.numbers[op.address] = f"dpl_npu_address({self.pointers[op.buffer]})"
            case npu.AcquireOp() | npu.WriteOp() | npu.TriggerOp() | npu.WaitOp():
                self.guarded.append(self.drive(op))
            case cluster.BarrierOp():
                self.flush()
                self.line("dpl_barrier();")
            case cluster.CallOp():
                self.call(op)
            case scf.ForOp():
                self.loop(op)
            case scf.IfOp():
                self.condition(op)
            case func.ReturnOp() | scf.YieldOp():
                pass
            case _:
                self.arithmetic(op)

    # numbers

    def number(self, value: SSAValue) -> Number:
        """The C expression of an index."""
        return self.numbers[value]

    def arithmetic(self, op: Operation) -> None:
        """Index arithmetic: named or shared values become variables, others are inlined."""
        if type(op) not in OPERATORS:
            fail(op, "the op has no C form", "run the passes of the standard pipeline first")
        form, compute = OPERATORS[type(op)]
        result = op.results[0]
        a, b = (self.number(v) for v in op.operands)
        if isinstance(op, arith.AddiOp) and isinstance(b, int) and b < 0:
            form, compute, b = "{} - {}", OPERATORS[arith.SubiOp][1], -b
        if isinstance(a, int) and isinstance(b, int):
            self.numbers[result] = compute(a, b)
            return
        if not list(result.uses):
            return
        is_call = form.startswith("dpl_")
        text = form.format(a if is_call else parenthesised(a), b if is_call else parenthesised(b))
        self.numbers[result] = text
        if result.name_hint is not None or len(list(result.uses)) > 1:
            self.numbers[result] = self.declare("const int32_t", result.name_hint or "i", text)

    def declare(self, type: str, hint: str, text: str) -> str:
        """A variable with a new name."""
        name = self.names.fresh(hint)
        self.declared.append(name)
        self.line(f"{type} {name} = {text};")
        return name

    def compare(self, op: arith.CmpiOp) -> None:
        """A comparison, for a condition."""
        symbol, compute = COMPARISONS[op.predicate.value.data]
        a, b = (self.number(v) for v in op.operands)
        if isinstance(a, int) and isinstance(b, int):
            self.numbers[op.result] = int(compute(a, b))
        else:
            self.numbers[op.result] = f"{parenthesised(a)} {symbol} {parenthesised(b)}"

    # buffers

    def place(self, value: SSAValue, offset: Attribute | None, op: Operation) -> None:
        """A buffer at an address."""
        level = level_of(value)
        if not isinstance(offset, IntegerAttr) or level is None:
            fail(op, "a buffer has no address", "run 'assign-addresses' first")
        self.pointers[value] = Pointer(f"network_{level}", offset.value.data)
        self.shapes[value] = shape_of(value)

    def alias(self, op: mem.ReshapeOp) -> None:
        """Another shape of the same buffer."""
        self.pointers[op.result] = self.pointers[op.input]
        self.shapes[op.result] = shape_of(op.result)

    def restride(self, op: mem.ViewOp) -> None:
        """The same pointer; the strides are those of the type."""
        self.pointers[op.result] = self.pointers[op.input]
        self.shapes[op.result] = tuple(self.mixed(shape_of(op.result), op.sizes))

    def subview(self, op: memref.SubviewOp) -> None:
        """Part of a buffer: a pointer further on."""
        source = memref_of(op.source)
        offsets = self.mixed(op.static_offsets.get_values(), op.offsets)
        sizes = self.mixed(op.static_sizes.get_values(), op.sizes)
        offset: Number = 0
        size = element_bytes(source.element_type)
        for start, stride in zip(offsets, strides_of(source), strict=True):
            offset = add(offset, times(start, stride * size))
        pointer = self.pointers[op.source].plus(offset)
        if not isinstance(pointer.offset, int) and len(list(op.result.uses)) > 1:
            hint = op.result.name_hint or "tile"
            pointer = Pointer(self.declare("uint8_t *const", hint, str(pointer)), 0)
        self.pointers[op.result] = pointer
        rank = len(shape_of(op.result))
        self.shapes[op.result] = tuple(sizes[len(sizes) - rank :])

    def mixed(self, static: Sequence[int], dynamic: Sequence[SSAValue]) -> list[Number]:
        """A list of literals and values."""
        values = iter(dynamic)
        return [self.number(next(values)) if s == DYNAMIC_INDEX else s for s in static]

    def view(self, value: SSAValue) -> View:
        """A buffer as a kernel sees it."""
        type, pointer = memref_of(value), self.pointers[value]
        text = str(pointer) if pointer.offset == 0 else f"({pointer})"
        return View(text, self.shapes[value], tuple(strides_of(type)), type.element_type)

    # transfers

    def mark(self, mark: SSAValue, text: str) -> None:
        """A variable of all cores that core 0 sets where the mark is made."""
        self.numbers[mark] = name = self.declare("uint32_t", mark.name_hint or "mark", "0")
        self.guarded.append(f"{name} = {text};")

    def transfer(self, op: dma.StartOp) -> list[str]:
        """One or more transfers of up to two dimensions; loops around them for the rest."""
        run, outer = self.collapse(op)
        channel = self.number(op.channel)
        destination, source = self.pointers[op.destination], self.pointers[op.source]
        lines: list[str] = []
        loops = outer[1:]
        for depth, (extent, to, of) in enumerate(reversed(loops)):
            i = f"i{depth}"
            lines.append("  " * depth + f"for (int32_t {i} = 0; {i} < {extent}; {i}++)")
            destination, source = destination.plus(times(i, to)), source.plus(times(i, of))
        indent = "  " * len(loops)
        if not outer:
            return [f"dpl_dma_start({channel}, {destination}, {source}, {run});"]
        rows, to, of = outer[0]
        arguments = f"{channel}, {destination}, {source}, {run}, {rows}, {to}, {of}"
        return [*lines, f"{indent}dpl_dma_start_2d({arguments});"]

    def collapse(self, op: dma.StartOp) -> tuple[Number, list[tuple[Number, int, int]]]:
        """The contiguous bytes at the inside, and (extent, strides in bytes) of what is around,
        from the inside out."""
        source, destination = memref_of(op.source), memref_of(op.destination)
        size = element_bytes(source.element_type)
        run: Number = size
        outer: list[tuple[Number, int, int]] = []
        dimensions = zip(
            self.shapes[op.source], strides_of(destination), strides_of(source), strict=True
        )
        for extent, to, of in reversed(list(dimensions)):
            if extent == 1:
                continue
            if not outer and to * size == of * size == run:
                run = times(extent, run)
            elif (
                outer
                and to * size == times(*outer[-1][:2])
                and of * size == times(outer[-1][0], outer[-1][2])
            ):
                last = outer.pop()
                outer.append((times(extent, last[0]), last[1], last[2]))
            else:
                outer.append((extent, to * size, of * size))
        return run, outer

    def drive(self, op: npu.AcquireOp | npu.WriteOp | npu.TriggerOp | npu.WaitOp) -> str:
        """What the accelerator's driver calls."""
        if isinstance(op, npu.WriteOp):
            register = f"DPL_NPU_{op.register.data.upper()}"
            return f"dpl_npu_write({register}, {self.number(op.value)});"
        return f"dpl_{op.name.replace('.', '_')}();"

    # control

    def loop(self, op: scf.ForOp) -> None:
        """A loop with literal bounds."""
        self.flush()
        tile = op.body.block.args[0]
        name = self.names.fresh(tile.name_hint or "tile")
        self.numbers[tile] = name
        low, high, step = (self.number(v) for v in (op.lb, op.ub, op.step))
        self.line(f"for (int32_t {name} = {low}; {name} < {high}; {name} += {step}) {{")
        self.depth += 1
        self.block(op.body.block)
        self.flush()
        self.depth -= 1
        self.line("}")

    def condition(self, op: scf.IfOp) -> None:
        """A condition around transfers: for core 0 alone, with all that it computes."""
        if op.results or any(not isinstance(o, scf.YieldOp) for o in op.false_region.walk()):
            fail(op, "a condition with results or an else has no C form", "use two conditions")
        for inner in op.true_region.walk():
            if isinstance(inner, cluster.CallOp | cluster.BarrierOp):
                fail(inner, "only transfers may stand in a condition", "one core evaluates it")
        inner = BodyPrinter(
            self.cores, self.instances, [], self.names, self.numbers, self.pointers, self.shapes
        )
        inner.node, inner.declared = self.node, self.declared
        inner.block(op.true_region.block)
        # everything in the condition is for core 0, so it needs no guard of its own
        body = [*inner.lines, *("  " + text for text in inner.guarded)]
        condition = self.number(op.cond)
        if isinstance(condition, int):
            self.guarded += [text.removeprefix("  ") for text in body] if condition else []
            return
        self.guarded += [f"if ({condition}) {{", *body, "}"]

    # kernels

    def call(self, op: cluster.CallOp) -> None:
        """A kernel call with its arguments by name."""
        self.flush()
        kernel = find_engine(op.engine.data).kernel(op.op)
        assert isinstance(kernel, Kernel), "others do not make calls"
        call = self.kernel_call(op)
        instance = kernel.variant(call)
        self.instances[instance.symbol] = instance
        for fields in kernel.arguments(call):
            self.line(f"{instance.symbol}(&({instance.struct}){{")
            self.fields(fields)
            self.line("}, core, NETWORK_CORES);")

    def kernel_call(self, op: cluster.CallOp) -> KernelCall:
        """What the kernel makes its arguments from."""
        sides = [v if isinstance(v, int) else self.number(v) for v in op.overhangs()]
        inputs = tuple(self.view(v) for v in op.inputs)
        overhang = tuple(zip(sides[::2], sides[1::2], strict=True))
        if not overhang:
            overhang = ((0, 0),) * len(inputs[0].shape)
        scratch = None
        if op.scratch is not None:
            size = self.shapes[op.scratch][0]
            assert isinstance(size, int)
            scratch = (self.view(op.scratch).pointer, size)
        return KernelCall(op.op, inputs, self.view(op.output), scratch, overhang, self.cores)

    def fields(self, fields: Fields) -> None:
        """Designated initialisers, several to a line."""
        self.depth += 2
        row: list[str] = []
        for name, value in fields.items():
            text = f".{name} = {initialiser(value)},"
            if row and len(" ".join([*row, text])) + 2 * self.depth > 100:
                self.line(" ".join(row))
                row = []
            row.append(text)
        self.line(" ".join(row))
        self.depth -= 2


def initialiser(value: str | int | Fields) -> str:
    """A value in a designated initialiser."""
    if isinstance(value, str | int):
        return str(value)
    return "{" + ", ".join(f".{k} = {initialiser(v)}" for k, v in value.items()) + "}"
