"""What the user reads when something is wrong, and the node names that it refers to.

A user error is one line on stderr, `error: ...`, and an exit status: 1 for bad input, 2 for bad
usage. Anything else that escapes is a bug in Deeploy and keeps its traceback.
"""

from __future__ import annotations

import difflib
import gc
import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import NoReturn

from xdsl.dialects.builtin import (
    ArrayAttr,
    FusedLoc,
    LocationAttr,
    NameLoc,
    NoneAttr,
    StringAttr,
    UnknownLoc,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.utils.exceptions import (
    ArgSpecParseError,
    DiagnosticException,
    ParseError,
    PassFailedException,
)
from xdsl.utils.hints import isa

BAD_INPUT = 1
BAD_USAGE = 2
COLLECT = (50_000, 20, 20)
"""When Python looks for cycles of objects. IR is cycles that live on: looking as often as Python
does by itself takes a fifth of the time of a large network."""
INTERRUPTED = 130


class DeeployError(DiagnosticException):
    """An error that the user can mend.

    Attributes:
        message: what is wrong, one line, without a final full stop.
        hint: what would help, or None.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(DeeployError):
    """A wrong command line (exit status 2) rather than wrong input."""


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint with the known names nearest to `name`; all of them when they are few; else None."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"known: {', '.join(known)}" if 0 < len(known) <= 12 else None


@contextmanager
def parsing(name: str) -> Generator[None]:
    """Around the parser of IR: turns what it raises about the text `name` into diagnostics.

    Raises:
        DeeployError: it is no text, or has a constant that its type does not hold.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise DeeployError(f"{name}: not a text file") from error
    except ValueError as error:
        raise DeeployError(f"{name}: {error}") from error


# --- ONNX node names ------------------------------------------------------------------------------


def _parts(location: Attribute) -> list[NameLoc]:
    """The named locations that `location` consists of, in order."""
    if isinstance(location, NameLoc):
        return [location]
    if isinstance(location, FusedLoc) and isa(location.locations, ArrayAttr[Attribute]):
        return [part for inner in location.locations for part in _parts(inner)]
    return []


def node_name(op: Operation) -> str | None:
    """The name of the ONNX node that `op` came from, or None.

    An op that came from several nodes (a fused location) has their names joined with `+`.
    """
    return "+".join(part.desc.data for part in _parts(op.location)) or None


def set_node_name(op: Operation, name: str) -> None:
    """Note that `op` came from the ONNX node `name`, as the location `loc("name")`."""
    op.location = NameLoc(StringAttr(name), NoneAttr())


def fused_location(ops: Sequence[Operation]) -> LocationAttr:
    """The location of an op in place of `ops`: `loc(fused["a", "b"])`, flat, in their order."""
    # A dictionary removes repetitions and keeps the order.
    parts = tuple(dict.fromkeys(part for op in ops for part in _parts(op.location)))
    if not parts:
        return UnknownLoc()
    return parts[0] if len(parts) == 1 else FusedLoc(parts, NoneAttr())


def replace_op(
    rewriter: PatternRewriter,
    op: Operation,
    new_ops: Operation | Sequence[Operation],
    new_results: Sequence[SSAValue | None] | None = None,
    *,
    absorbed: Sequence[Operation] = (),
) -> None:
    """Replace `op` as `rewriter.replace` does, but keep its location too.

    Every new op (and op inside a new op's regions) that has no location yet gets the one of `op`,
    fused with those of the `absorbed` ops, which come first. Erasing these is left to the caller.
    """
    new_ops = (new_ops,) if isinstance(new_ops, Operation) else new_ops
    location = fused_location([*absorbed, op]) if absorbed else op.location
    for new_op in new_ops:
        for inner in new_op.walk():
            if isinstance(inner.location, UnknownLoc):
                inner.location = location
    rewriter.replace(op, new_ops, new_results)


# --- Raising and reporting ------------------------------------------------------------------------


def describe(op: Operation) -> str:
    """`op` in an error message: its kind, and its ONNX node if known."""
    name = node_name(op)
    return f"{op.name} '{name}'" if name else op.name


def fail(op: Operation, message: str, help: str | None = None) -> NoReturn:
    """Stop the running pass because of `op`.

    Args:
        op: the op that cannot be handled; the message names it and its ONNX node.
        message: what is wrong, one line, without a final full stop.
        help: what would help, for instance the pass that is missing.

    Raises:
        PassFailedException: always.
    """
    raise PassFailedException(f"{describe(op)}: {message}" + (f"; {help}" if help else ""))


def summary(error: BaseException) -> str:
    """`error` in one line, as shown after `error: `."""
    match error:
        case ParseError():
            return f"{error.span.get_location()}: {error.msg.splitlines()[0]}"
        case OSError() if error.filename is not None:
            return f"{error.filename}: {error.strerror}"
        case ArgSpecParseError():
            lines = str(error).splitlines()
            return f"{lines[1]}: {lines[-1].strip()}"
        case _:
            text = str(error).strip() or type(error).__name__
            return " ".join(text.split("\n", 1)[0].split())


def exit_status(error: BaseException) -> int:
    """2 if the command line is to blame for `error`, else 1."""
    return BAD_USAGE if isinstance(error, UsageError | ArgSpecParseError) else BAD_INPUT


def _close_stdout() -> None:
    """Let the interpreter exit quietly after the reader of our output has gone (`| head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run_main(main: Callable[[Sequence[str]], int | None], argv: Sequence[str] | None = None) -> int:
    """Run the command-line program `main` and turn user errors into diagnostics.

    Args:
        main: the program; gets the arguments and returns its exit status (None is 0).
        argv: the arguments without the program's name; those of the process by default.
            `--debug` anywhere among them shows tracebacks.

    Returns:
        The exit status: that of `main`, or 1 (bad input) or 2 (bad usage) after a diagnostic.
    """
    argv = sys.argv[1:] if argv is None else argv
    gc.set_threshold(*COLLECT)
    try:
        status = main(argv) or 0
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        _close_stdout()
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    except (DiagnosticException, ParseError, ArgSpecParseError, OSError) as error:
        if "--debug" in argv:
            raise
        print(f"error: {summary(error)}", file=sys.stderr)
        return exit_status(error)
