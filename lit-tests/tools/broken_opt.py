"""deeploy-opt with passes that misbehave, to test how it copes."""

from dataclasses import dataclass

from xdsl.dialects.builtin import UnitAttr
from xdsl.dialects.func import ReturnOp
from xdsl.passes import ModulePass

from deeploy.diagnostics import fail, run_main
from deeploy.opt import DeeployOptMain
from deeploy.passes.approximation import ApproximatePass


@dataclass(frozen=True)
class FailPass(ModulePass):
    """Renames all functions, then fails on the first op called `op`."""

    name = "test-fail"

    op: str = "func.return"

    def apply(self, ctx, op):
        for inner in op.walk():
            inner.attributes["half_done"] = UnitAttr()
            if inner.name == self.op:
                fail(inner, "cannot be tested", "try another one")


@dataclass(frozen=True)
class CrashPass(ModulePass):
    """Raises an exception that is no diagnostic."""

    name = "test-crash"

    def apply(self, ctx, op):
        raise KeyError("nobody")


@dataclass(frozen=True)
class BreakIRPass(ModulePass):
    """Drops the operands of every return, so that the module does not verify."""

    name = "test-break-ir"

    def apply(self, ctx, op):
        for inner in op.walk():
            if isinstance(inner, ReturnOp):
                inner.operands = ()


@dataclass(frozen=True)
class BreakOrderPass(ModulePass):
    """Moves the first op of every function behind all others, also the uses of its result."""

    name = "test-break-order"

    def apply(self, ctx, op):
        for inner in list(op.walk()):
            if isinstance(inner, ReturnOp):
                first = inner.parent.first_op
                first.detach()
                inner.parent.insert_op_before(first, inner)


@dataclass(frozen=True)
class BreakResultPass(ModulePass):
    """Returns the operands in reverse order: valid IR with another meaning."""

    name = "test-break-result"

    def apply(self, ctx, op):
        for inner in op.walk():
            if isinstance(inner, ReturnOp):
                inner.operands = tuple(reversed(inner.operands))


@dataclass(frozen=True)
class ApproximateBreakPass(ApproximatePass):
    """The same, and says that results are near enough."""

    name = "test-break-slightly"
    tolerance = 0.01

    def apply(self, ctx, op):
        BreakResultPass().apply(ctx, op)


PASSES = (
    ApproximateBreakPass,
    BreakIRPass,
    BreakOrderPass,
    BreakResultPass,
    CrashPass,
    FailPass,
)


class BrokenOpt(DeeployOptMain):
    def register_all_passes(self):
        super().register_all_passes()
        for pass_ in PASSES:
            self.register_pass(pass_.name, lambda pass_=pass_: pass_)


raise SystemExit(run_main(lambda argv: BrokenOpt(argv).run()))
