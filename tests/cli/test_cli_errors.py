"""User errors: one line on stderr, status 1 for bad input and 2 for bad usage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from cli_networks import conv, model, node, two_inputs
from onnx import helper

BAD_INPUT, BAD_USAGE = 1, 2


def check(done, status: int, *texts: str) -> None:
    assert done.err.startswith("error: "), done.err
    assert done.err.count("\n") == 1
    assert done.status == status
    assert done.out == ""
    for text in texts:
        assert text in done.err


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        ([], ["COMMAND"]),
        (["complie"], ["invalid choice: 'complie'"]),
        (["compile", "--target", "host", "-o", "out"], ["MODEL.onnx is missing"]),
        (["compile", "network.onnx", "-o", "out"], ["--target is missing", "siracusa"]),
        (["compile", "network.onnx", "--target", "host"], ["-o OUT is missing"]),
        (["targets", "extra"], ["unrecognized arguments: extra"]),
    ],
)
def test_command_lines(deeploy, arguments: list[str], texts: list[str]) -> None:
    check(deeploy(*arguments), BAD_USAGE, *texts)


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--target", "sircusa"], ["unknown target 'sircusa'", "did you mean siracusa?"]),
        (["--l1", "-1"], ["--l1", "> 0, not -1"]),
        (["--l1", "0"], ["--l1", "> 0, not 0"]),
        (["--l1", "lots"], ["'lots' is not a number of bytes"]),
        (["--l1", "1.5"], ["'1.5' is not a number of bytes"]),
        (["--l2", ""], ["'' is not a number of bytes"]),
        (["--memory", "L1"], ["'L1' is not of the form NAME=BYTES"]),
        (["--memory", "L1=x"], ["'x' is not a number of bytes"]),
        (["--engines", "tpu"], ["siracusa has no engine 'tpu'", "cluster, neureka"]),
        (["--memory", "L9=5"], ["has no memory 'L9'", "L1, L2"]),
        (["--memory", "L1=5", "--l1", "5"], ["twice for 'L1'"]),
        (["--cores", "0"], ["--cores", "> 0"]),
        (["--cores", "99"], ["1 to 16, not 99"]),
        (["--buffers", "3"], ["--buffers", "invalid choice: '3'"]),
        (["--objective", "speed"], ["invalid choice: 'speed'"]),
        (["--solver", "gurobi"], ["invalid choice: 'gurobi'"]),
        (["--max-seconds", "0"], ["> 0, not 0"]),
        (["--max-seconds", "nan"], ["> 0, not nan"]),
        (["--input-type", "x"], ["not of the form NAME=TYPE"]),
        (["--input-type", "z=ui8"], ["no input 'z'", "x"]),
        (["--input-type", "x=ui9"], ["unknown element type 'ui9'", "ui8"]),
        (["--input-type", "x=ui8", "--input-type", "x=si8"], ["twice for 'x'"]),
        (["-p", "plam"], ["unknown pass 'plam'", "plan"]),
        (["-p", "plan{sovler=cbc}"], ["no option 'sovler'", "solver"]),
        (["-p", "plan{"], ["pass-pipeline:1:"]),
        (["--expect", "out.npz"], ["--expect needs --inputs"]),
        (["--sanitize", "memory"], ["unknown sanitizer 'memory'"]),
        (["--sanitize", "address,thread"], ["'thread' goes with no other"]),
        (["--atol", "-1"], ["≥ 0, not -1"]),
        (["--seed", "-1"], ["≥ 0, not -1"]),
        (["--dma", "never"], ["invalid choice: 'never'"]),
        (["--timeout", "x"], ["'x' is not a number of seconds"]),
        (["-o", "network.onnx"], ["is no folder"]),
        (["--lone"], ["unrecognized arguments: --lone"]),
    ],
    ids=lambda value: " ".join(value) if value and value[0].startswith("-") else "",
)
def test_options(deeploy, save, options: list[str], texts: list[str]) -> None:
    save(conv())
    check(deeploy("run", "network.onnx", "--target", "siracusa", *options), BAD_USAGE, *texts)


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--l1", "200"], ["does not fit", "Conv_a", "bytes of L1"]),
        (["--l2", "500"], ["does not fit", "L2", "4528 bytes"]),
        (["--l2", "500", "--engines", "cluster"], ["does not fit", "L2", "4528 bytes"]),
        # weights too must then be in L2
        (["--l2", "500", "--engines", "cluster", "--no-residents"], ["does not fit", "5168 bytes"]),
        (["-p", "plan"], ["pass 'plan'", "run 'set-target"]),
        (["-p", "set-target{target=siracusa},place"], ["convert-to-channels-last"]),
    ],
)
def test_what_cannot_be_compiled(deeploy, save, options: list[str], texts: list[str]) -> None:
    save(conv())
    done = deeploy("compile", "network.onnx", "--target", "siracusa", "-o", "out", *options)
    check(done, BAD_INPUT, *texts)
    assert not Path("out").exists()


# --- Models ---------------------------------------------------------------------------------------


def without_weight() -> onnx.ModelProto:
    network = conv()
    del network.graph.initializer[:]
    return network


def float_weight() -> onnx.ModelProto:
    weight = np.full((14, 5, 3, 3), 0.5, np.float32)
    nodes = [
        node("Conv", "x w", "a", kernel_shape=[3, 3]),
        node("RequantShift", "a mul add", "y", div=16.0, n_levels=256.0, signed=1.0),
    ]
    factors = {"mul": np.ones(1, np.float32), "add": np.zeros(1, np.float32)}
    return model(nodes, {"x": (1, 5, 9, 9)}, constants={"w": weight, **factors})


def cycle() -> onnx.ModelProto:
    return model([node("Relu", "b", "y"), node("Relu", "y", "b")], {"x": (1, 2)})


MODELS = {
    "text": (b"this is no model", ["not an ONNX model"]),
    "empty": (b"", ["no network in it"]),
    "truncated": (conv().SerializeToString()[:-200], ["not an ONNX model", "truncated"]),
    "operator": (
        model([node("Rellu", "x", "y")], {"x": (1, 4)}),
        ["Rellu 'Rellu_y'", "unsupported operator 'Rellu'", "did you mean Relu"],
    ),
    "dynamic": (
        model([node("Relu", "x", "y")], {"x": ("batch", 4)}),
        ["dimension 0 'batch' of input 'x' is dynamic"],
    ),
    "floats": (float_weight(), ["Conv 'Conv_a'", "'w'", "not integers"]),
    "initialiser": (without_weight(), ["Conv 'Conv_a' reads 'w'"]),
    "cycle": (cycle(), ["cycle"]),
    "output": (
        model([node("Relu", "x", "z")], {"x": (1, 4)}),
        ["output 'y' is computed by no node"],
    ),
    "opset": (
        helper.make_model(conv().graph, opset_imports=[helper.make_opsetid("", 4)]),
        ["opset 4 is too old"],
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(deeploy, name: str) -> None:
    content, texts = MODELS[name]
    data = content if isinstance(content, bytes) else content.SerializeToString()
    Path("network.onnx").write_bytes(data)
    done = deeploy("compile", "network.onnx", "--target", "siracusa", "-o", "out")
    check(done, BAD_INPUT, *texts)
    assert not Path("out").exists()


def test_no_file(deeploy, tmp_path: Path) -> None:
    arguments = ["--target", "siracusa", "-o", "out"]
    check(deeploy("compile", "none.onnx", *arguments), BAD_INPUT, "none.onnx")
    check(deeploy("compile", tmp_path, *arguments), BAD_INPUT, str(tmp_path))


# --- Data -----------------------------------------------------------------------------------------

SHAPE = (3, 40, 9)
ZEROS = np.zeros(SHAPE, np.int64)


@pytest.mark.parametrize(
    ("arrays", "texts"),
    [
        ([ZEROS], ["1 of 2 inputs"]),
        ([], ["0 of 2 inputs"]),
        ([ZEROS, ZEROS, ZEROS], ["in.npz", "3 arrays for 2", "p, q"]),
        ([ZEROS, ZEROS[0]], ["input 'q'", "(40, 9)", "(3, 40, 9)"]),
        ([ZEROS + 0.5, ZEROS], ["input 'p'", "not integers"]),
        ([ZEROS + np.nan, ZEROS], ["input 'p'", "not integers"]),
        ([ZEROS + 300, ZEROS], ["input 'p'", "300", "ui8"]),
        ([ZEROS, ZEROS + 1e12], ["input 'q'", "1e+12"]),
        ([ZEROS, ZEROS.astype(str)], ["in.npz", "'arr_1'", "not of numbers"]),
        ([ZEROS, ZEROS.astype(complex)], ["in.npz", "'arr_1'", "complex128"]),
        ([ZEROS, np.array([{}])], ["in.npz", "Python objects"]),
    ],
    ids=range(11),
)
def test_inputs(deeploy, save, arrays: list[np.ndarray], texts: list[str]) -> None:
    np.savez("in.npz", *arrays)
    options = ["--input-type", "p=ui8", "--inputs", "in.npz"]
    check(deeploy("run", save(two_inputs()), "--target", "host", *options), BAD_INPUT, *texts)


@pytest.mark.parametrize(
    ("arrays", "texts"),
    [
        ([ZEROS], ["out.npz", "1 arrays for 2", "output 'difference'"]),
        ([ZEROS, ZEROS[:1]], ["out.npz", "output 'difference'", "(1, 40, 9)"]),
        ([ZEROS + 1e12, ZEROS], ["out.npz", "output 'sum'", "range"]),
        ([ZEROS, ZEROS + 0.5], ["out.npz", "output 'difference'", "not integers"]),
    ],
    ids=range(4),
)
def test_expected(deeploy, save, arrays: list[np.ndarray], texts: list[str]) -> None:
    np.savez("in.npz", ZEROS, ZEROS)
    np.savez("out.npz", *arrays)
    options = ["--inputs", "in.npz", "--expect", "out.npz"]
    check(deeploy("run", save(two_inputs()), "--target", "host", *options), BAD_INPUT, *texts)


def damaged(kind: str, data: bytes) -> bytes:
    return {"text": b"hello", "empty": b"", "cut": data[: len(data) // 2]}[kind]


@pytest.mark.parametrize("kind", ["text", "empty", "cut"])
def test_damaged_data(deeploy, save, kind: str) -> None:
    path = Path("in.npz")
    np.savez(path, ZEROS, ZEROS)
    path.write_bytes(damaged(kind, path.read_bytes()))
    options = ["--target", "host", "--inputs", path]
    check(deeploy("run", save(two_inputs()), *options), BAD_INPUT, "in.npz: not an .npz file")


def test_no_data(deeploy, save, tmp_path: Path) -> None:
    path = save(two_inputs())
    for name in ("none.npz", tmp_path):
        options = ["--target", "host", "--inputs", name]
        check(deeploy("run", path, *options), BAD_INPUT, str(name))
