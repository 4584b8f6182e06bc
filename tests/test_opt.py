"""Diagnostics and instruments, as Python code uses them. Command lines are in lit-tests/opt."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects import test
from xdsl.dialects.builtin import ModuleOp, UnknownLoc
from xdsl.parser import Parser
from xdsl.passes import ModulePass
from xdsl.pattern_rewriter import PatternRewriter
from xdsl.rewriter import Rewriter
from xdsl.utils.exceptions import PassFailedException

from deeploy import diagnostics, registry
from deeploy.diagnostics import DeeployError, UsageError, did_you_mean, node_name, run_main
from deeploy.engines import Engine
from deeploy.instrumentation.pipeline import Instrument, parse_passes, run_pipeline, spec_of
from deeploy.instrumentation.printing import print_module
from deeploy.instrumentation.semantics import first_difference, random_inputs
from deeploy.opt import DeeployOptMain
from deeploy.targets import Target

# --- Locations ------------------------------------------------------------------------------------


def test_node_names_survive_printing(ctx: Context) -> None:
    inner, unnamed = test.TestOp(), test.TestOp()
    diagnostics.set_node_name(inner, 'Conv "18"')
    stream = StringIO()
    print_module(ctx, ModuleOp([inner, unnamed]), stream)
    assert "unknown" not in stream.getvalue()
    parsed = Parser(ctx, stream.getvalue()).parse_module()
    assert [node_name(op) for op in parsed.ops] == ['Conv "18"', None]


def test_replace_op_keeps_locations(ctx: Context) -> None:
    module = Parser(
        ctx,
        """builtin.module {
             %a = "test.op"() : () -> i32 loc("Conv_1")
             %name = "test.op"(%a) : (i32) -> i32 loc("Requant_2")
           }""",
    ).parse_module()
    conv, requant = module.ops
    named, fused = test.TestOp(), test.TestOp(result_types=[conv.results[0].type])
    diagnostics.set_node_name(named, "Kept_3")
    rewriter = PatternRewriter(requant)
    diagnostics.replace_op(rewriter, requant, [named, fused], absorbed=[conv])
    assert node_name(named) == "Kept_3"
    assert node_name(fused) == "Conv_1+Requant_2"
    assert fused.results[0].name_hint == "name"
    # Once more: fused locations stay flat and without repetitions.
    again = test.TestOp(result_types=[conv.results[0].type])
    diagnostics.replace_op(rewriter, fused, again, absorbed=[conv])
    assert node_name(again) == "Conv_1+Requant_2"


def test_fused_location_of_unknown_is_unknown() -> None:
    assert diagnostics.fused_location([test.TestOp(), test.TestOp()]) == UnknownLoc()


# --- Diagnostics ----------------------------------------------------------------------------------


def test_fail_names_op_and_node() -> None:
    op = test.TestOp()
    with pytest.raises(PassFailedException, match=r"^test.op: no$"):
        diagnostics.fail(op, "no")
    diagnostics.set_node_name(op, "Conv_18")
    with pytest.raises(PassFailedException, match=r"^test.op 'Conv_18': no; run place$"):
        diagnostics.fail(op, "no", help="run place")


@pytest.mark.parametrize(
    ("argv", "status", "message"),
    [
        (["none.mlir"], 1, "error: none.mlir: No such file or directory"),
        (["bad.mlir"], 1, "error: bad.mlir:2:2: "),
        (
            ["bad.txt"],
            2,
            "error: Unrecognized file extension 'txt'; choose one with -f: mlir, onnx",
        ),
        (["-p", "cze"], 2, "error: unknown pass 'cze'; did you mean "),
        (["-p", "cse{"], 2, "error: pass-pipeline:1:5: Expected argument name here"),
        (["-p", "cse{x=1}"], 2, "error: pass 'cse' has no option 'x'; it takes none"),
        (["-p", "convert-scf-to-openmp{chunk=x}"], 2, "error: pass 'convert-scf-to-openmp': "),
        (["-t", "d"], 2, "error: argument -t/--target: invalid choice: 'd'"),
        (["binary.mlir"], 1, "error: binary.mlir: not a text file"),
        (["large.mlir"], 1, "error: large.mlir: Integer value 300 is out of range for type si8"),
        (
            ["--input-type", "x"],
            2,
            "error: argument --input-type: 'x' is not of the form NAME=TYPE",
        ),
        (["--nonsense"], 2, "error: unrecognized arguments: --nonsense; see --help"),
    ],
)
def test_user_errors_are_one_line(
    argv: list[str],
    status: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.mlir").write_text("// a comment\n %")
    Path("bad.txt").touch()
    Path("binary.mlir").write_bytes(b"\xff\xfe")
    Path("large.mlir").write_text("%0 = graph.constant dense<[300]> : tensor<1xsi8>")
    assert run_main(lambda args: DeeployOptMain(args).run(), argv) == status
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(message)
    assert output.err.count("\n") == 1


def test_debug_shows_the_traceback() -> None:
    def main(argv: object) -> None:
        raise DeeployError("no")

    assert run_main(main, []) == 1
    with pytest.raises(DeeployError):
        run_main(main, ["--debug"])


def test_bugs_keep_their_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_main(lambda argv: 1 // 0, [])


def test_did_you_mean() -> None:
    assert did_you_mean("plam", ["plan", "tile"]) == "did you mean plan?"
    assert did_you_mean("xyz", ["b", "a"]) == "known: a, b"
    assert did_you_mean("xyz", []) is None


# --- Registry -------------------------------------------------------------------------------------


def test_unknown_target() -> None:
    assert "siracusa" in registry.names(registry.TARGETS)
    with pytest.raises(DeeployError, match=r"'siracuse'; did you mean siracusa\?"):
        registry.load(registry.TARGETS, "siracuse", Target)


def test_entry_point_of_another_type() -> None:
    with pytest.raises(DeeployError, match="target 'siracusa' is no Engine"):
        registry.load(registry.TARGETS, "siracusa", Engine)


def test_runtime_is_found() -> None:
    assert (registry.runtime_dir() / "include" / "deeploy").is_dir()


# --- Pipelines ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OptionsPass(ModulePass):
    """Has an option of each kind."""

    name = "options"

    number: int = 1
    ratio: float = 0.5
    tiles: tuple[int, ...] = ()
    path: str = ""
    fast: bool = False

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        pass


@pytest.mark.parametrize(
    "spec",
    ["options", 'options{number=2 ratio=1.0 tiles=1,2 path="a/b c" fast=true},options{number=3}'],
)
def test_spec_round_trip(spec: str) -> None:
    passes = parse_passes({"options": lambda: OptionsPass}, spec)
    assert spec_of(passes) == spec


def test_unknown_option_has_a_hint() -> None:
    with pytest.raises(UsageError, match=r"no option 'numbr'; did you mean number\?"):
        parse_passes({"options": lambda: OptionsPass}, "options{numbr=1}")


def test_instruments_see_every_pass(ctx: Context) -> None:
    events: list[str] = []

    class Recorder(Instrument):
        def begin(self, ctx, module, passes):
            events.append(f"begin {len(passes)}")

        def before_pass(self, step):
            events.append(f"before {step.current.number}")

        def after_pass(self, step, cost):
            events.append(f"after {step.current.number} ({len(step.rest)} left)")

        def end(self, ctx, module):
            events.append("end")

    passes = [OptionsPass(number=n) for n in (1, 2)]
    run_pipeline(ctx, ModuleOp([]), passes, [Recorder()])
    assert events == [
        "begin 2",
        "before 1",
        "after 1 (1 left)",
        "before 2",
        "after 2 (0 left)",
        "end",
    ]


def test_erased_values_are_diagnosed(ctx: Context) -> None:
    @dataclass(frozen=True)
    class ErasePass(ModulePass):
        name = "erase"

        def apply(self, ctx: Context, op: ModuleOp) -> None:
            Rewriter.erase_op(op.body.block.first_op, safe_erase=False)

    text = '%a = "test.op"() : () -> i32\n "test.op"(%a) : (i32) -> () loc("Add_2")'
    module = Parser(ctx, text).parse_module()
    with pytest.raises(PassFailedException, match=r"pass 'erase': test.op 'Add_2': Erased"):
        run_pipeline(ctx, module, [ErasePass()])


@dataclass(frozen=True)
class DropUsePass(ModulePass):
    """Leaves a use before its definition."""

    name = "drop"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        first = op.body.block.first_op
        first.detach()
        op.body.block.add_op(first)


@dataclass(frozen=True)
class NothingPass(ModulePass):
    name = "nothing"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        pass


@pytest.mark.parametrize(
    ("verification", "message"),
    [
        ("each", "^pass 'drop': test.op 'Add_2': operand 0 is used before it is defined$"),
        ("ends", "^pass 'nothing': test.op 'Add_2': operand 0 .*; --verify-each looks for it"),
    ],
)
def test_verification(ctx: Context, verification: str, message: str) -> None:
    text = '%a = "test.op"() : () -> i32\n "test.op"(%a) : (i32) -> () loc("Add_2")'
    module = Parser(ctx, text).parse_module()
    with pytest.raises(PassFailedException, match=message):
        run_pipeline(ctx, module, [DropUsePass(), NothingPass()], verification=verification)


def test_no_verification(ctx: Context) -> None:
    module = Parser(
        ctx, '%a = "test.op"() : () -> i32\n "test.op"(%a) : (i32) -> ()'
    ).parse_module()
    run_pipeline(ctx, module, [DropUsePass(), NothingPass()], verification="none")
    assert not module.body.block.first_op.results


# --- Semantics ------------------------------------------------------------------------------------


def test_random_inputs_keep_to_types_and_ranges(ctx: Context) -> None:
    module = Parser(
        ctx,
        """func.func private @helper()
           func.func @network(%a: tensor<1000xsi8>, %b: tensor<1000xui4>, %c: tensor<9xf32>,
               %d: tensor<1000xsi32> {deeploy.min = -3, deeploy.max = 3}, %e: memref<9xi1>,
               %f: tensor<9xf32> {deeploy.min = 1.0 : f32, deeploy.max = 2.0 : f32}) {
             func.return
           }""",
    ).parse_module()
    a, b, c, d, e, f = random_inputs(module)
    assert (a.dtype, a.min(), a.max()) == (np.int8, -128, 127)
    assert (b.dtype, b.min(), b.max()) == (np.uint8, 0, 15)
    assert (c.dtype, c.shape) == (np.float32, (9,))
    assert (d.dtype, d.min(), d.max()) == (np.int32, -3, 3)
    assert e.dtype == np.bool_
    assert f.min() >= 1.0 and f.max() <= 2.0
    np.testing.assert_array_equal(a, random_inputs(module)[0])
    assert (a != random_inputs(module, seed=1)[0]).any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("func.func private @f()", "no public function"),
        ("func.func @f(%a: i32) { func.return }", "cannot make up an input of type i32"),
        ("func.func @f(%a: tensor<?xi32>) { func.return }", "dynamic type"),
    ],
)
def test_no_inputs(ctx: Context, text: str, message: str) -> None:
    with pytest.raises(DeeployError, match=message):
        random_inputs(Parser(ctx, text).parse_module())


def test_first_difference() -> None:
    ints = np.array([[1, 2], [3, 4]], np.int8)
    changed = ints.copy()
    changed[1, 0] = 9
    assert first_difference([ints], [ints]) is None
    assert first_difference([ints, ints], [ints, changed]) == (
        "output 1 differs at [1, 0]: 9 instead of 3 (1 of 4 elements differ)"
    )
    assert first_difference([ints], []) == "0 outputs instead of 1"
    assert "int16" in first_difference([ints], [ints.astype(np.int16)])
    assert "shape (4,)" in first_difference([ints], [ints.reshape(4)])
    floats = np.array([1.0, np.nan, np.inf], np.float32)
    assert first_difference([floats], [floats * np.float32(1.00001)]) is None
    assert "[0]" in first_difference([floats], [floats * np.float32(1.01)])
