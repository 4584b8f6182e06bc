"""The models of the accelerator, in numpy and in C: they compute what the registers say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from npu_helpers import RANGES, Case, convolve, draw_case, random_operands
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import InterpretationError

from deeploy.dialects.mem import TARGET
from deeploy.dialects.npu import DEPTHWISE, POINTWISE, REGISTERS
from deeploy.engines.neureka.packing import pack
from deeploy.engines.neureka.registers import Addresses, Job, register_values
from deeploy.interfaces.index import Index, IndexBuilder
from deeploy.interpreters.memory import Memories
from deeploy.interpreters.npu_device import AddressSpace, Device
from deeploy.registry import runtime_dir
from deeploy.resources import Array
from deeploy.targets import Link, Memory, Target, target_attr

SIZE = 1 << 18
L1 = 0x10000000
TARGET_WITH_NPU = Target(
    name="test",
    cores=1,
    compute="L1",
    io="L1",
    memories=(
        Memory("L1", size=SIZE, address=L1),
        Memory("WMEM", size=SIZE, engine="neureka", activations=False),
    ),
    links=(Link("L1", "WMEM", bytes_per_cycle=8.0, setup_cycles=17),),
)


@dataclass
class Setting:
    """A job with its memories, and the part of L1 that it has to change to `expected`."""

    registers: dict[str, int]
    l1: Array
    weights: Array
    output: int
    strides: tuple[int, int]
    expected: Array

    def result(self, l1: Array) -> Array:
        """The output in a memory."""
        row, pixel = self.strides
        shape = self.expected.shape
        flat = l1[self.output :]
        span = (shape[0] - 1) * row + (shape[1] - 1) * pixel + shape[2] * self.expected.itemsize
        data = flat[:span].tobytes()
        found = np.zeros_like(self.expected)
        for r, c in np.ndindex(*shape[:2]):
            at = r * row + c * pixel
            found[r, c] = np.frombuffer(data, self.expected.dtype, shape[2], at)
        return found


def put(memory: Array, at: int, values: Array) -> int:
    """Write values and return where the next ones may lie."""
    data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    memory[at : at + data.size] = data
    return at + -(-data.size // 4) * 4


def pad(case: Case, x: Array, value: int) -> Array:
    top, left, bottom, right = case.pads
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=value)


def draw_setting(data: st.DataObject) -> Setting:
    case = replace(draw_case(data.draw, largest=8), strides=(1, 1))
    pad_value = 0
    if case.mode is not POINTWISE:
        low, high = RANGES[case.input]
        pad_value = data.draw(st.sampled_from([0, 7, low, high]))
        pads = data.draw(st.tuples(*[st.integers(0, 2)] * 4))
        wider = replace(case, pads=pads)
        _, rows, columns, _ = wider.result_shape
        # two pixels behind a subtile of one are not padding, see MAX_PAD
        beyond = (pads[2] == 2 and rows % 6 == 1) or (pads[3] == 2 and columns % 6 == 1)
        if min(rows, columns) > 0 and not beyond:
            case = wider
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    operands = random_operands(case, rng)
    padded = {**operands, "x": pad(case, operands["x"], pad_value)}
    inside = replace(case, pads=(0, 0, 0, 0), image=padded["x"].shape)
    stream_in = case.scale is None and data.draw(st.booleans())
    gaps = [data.draw(st.integers(0, 5)) for _ in range(4)]
    near = data.draw(st.booleans())
    return make_setting(inside, case, padded, operands, pad_value, stream_in, gaps, near)


def make_setting(
    inside: Case,
    case: Case,
    padded: dict[str, Array],
    operands: dict[str, Array],
    pad_value: int,
    stream_in: bool,
    gaps: list[int],
    near: bool,
) -> Setting:
    """Lay out a job, with gaps between pixels and rows."""
    rng = np.random.default_rng(1)
    l1, weights = (rng.integers(0, 256, SIZE).astype(np.uint8) for _ in range(2))
    _, height, width, channels = case.image
    expected = convolve(inside, padded)[0]
    rows, columns, outputs = expected.shape
    packed = pack(operands["weights"], case.mode, case.bits)
    scale = put(l1, 64, operands.get("m", np.zeros(0, np.uint8)))
    bias = put(l1, scale, operands.get("a", np.zeros(0, np.int32)))
    at_weights = bias if near else 32
    at_input = put(l1 if near else weights, at_weights, packed) if near else bias
    if not near:
        put(weights, at_weights, packed)
    pixel = channels + gaps[0]
    row = width * pixel + gaps[1]
    for r, c in np.ndindex(height, width):
        put(l1, at_input + r * row + c * pixel, operands["x"][0, r, c])
    output = -(-(at_input + height * row + 8) // 4) * 4
    size = expected.itemsize
    out_pixel = outputs * size + gaps[2] * size
    out_row = columns * out_pixel + gaps[3] * size
    if stream_in:
        partial = rng.integers(-(1 << 31), 1 << 31, expected.shape).astype(np.int32)
        expected = (expected.astype(np.int64) + partial).astype(np.int32)
        for r, c in np.ndindex(rows, columns):
            put(l1, output + r * out_row + c * out_pixel, partial[r, c])
    job = Job(
        mode=case.mode,
        inputs=Index.of(channels),
        outputs=Index.of(outputs),
        rows=Index.of(rows),
        columns=Index.of(columns),
        pads=tuple(Index.of(p) for p in case.pads),  # type: ignore[arg-type]
        input_strides=(row, pixel),
        output_strides=(out_row, out_pixel),
        weight_bits=case.bits,
        weight_offset=case.offset,
        weights_in_l1=near,
        signed_input=case.input == "si8",
        signed_output=case.result != "ui8",
        output_bits=8 * size,
        scale_bits=None if case.scale is None else int(case.scale[2:]),
        shift=case.shift,
        weight_stride=0 if case.mode is DEPTHWISE else case.packed_shape[1],
        stream_in=stream_in,
        pad_value=pad_value,
    )
    at = Addresses(
        weights=Index.of(at_weights + (L1 if near else 0)),
        input=Index.of(at_input + L1),
        output=Index.of(output + L1),
        scale=Index.of(64 + L1),
        bias=Index.of(scale + L1),
    )
    values = register_values(job, at, IndexBuilder())
    registers = {name: index.constant & 0xFFFFFFFF for name, index in values.items()}  # type: ignore[operator]
    return Setting(registers, l1, weights, output, (out_row, out_pixel), expected)


def run_numpy(setting: Setting) -> Array:
    """L1 after a job.

    Raises:
        InterpretationError: the job is refused.
    """
    module = ModuleOp([], {TARGET: target_attr(TARGET_WITH_NPU)})
    memories = Memories(Context(), module, {"L1": setting.l1.copy(), "WMEM": setting.weights})
    device = Device(AddressSpace(memories))
    device.acquire()
    for name, value in setting.registers.items():
        device.write(name, value)
    device.trigger()
    device.wait(device.jobs)
    return memories.bytes["L1"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("device") / "device"
    host = runtime_dir() / "platforms" / "host"
    flags = ["-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-fsanitize=undefined"]
    command = ["gcc", *flags, f"-I{runtime_dir() / 'include'}", f"-I{host}", "-pthread"]
    sources = [Path(__file__).parent / "device_program.c", *sorted(host.glob("*.c"))]
    subprocess.run([*command, *sources, "-o", target], check=True)
    return target


def run_host(program: Path, settings: list[Setting]) -> tuple[list[Array | None], str]:
    """L1 after each of several jobs that share their memories, None for those refused; and what
    was said."""
    first = settings[0]
    parts = [np.array([SIZE, SIZE, len(settings)], np.uint32), first.l1, first.weights]
    parts += [np.array(list(s.registers.values()), np.uint32) for s in settings]
    data = b"".join(part.tobytes() for part in parts)
    done = subprocess.run([program], input=data, capture_output=True, check=True)
    message = done.stderr.decode()
    assert "runtime error" not in message
    records = np.frombuffer(done.stdout, np.uint8).reshape(len(settings), SIZE + 1)
    return [record[1:] if record[0] else None for record in records], message


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_jobs(program: Path, data: st.DataObject) -> None:
    setting = draw_setting(data)
    after = run_numpy(setting)
    np.testing.assert_array_equal(setting.result(after), setting.expected)
    # nothing between pixels and rows has changed
    (host,), _ = run_host(program, [setting])
    np.testing.assert_array_equal(host, after)


def wrong(setting: Setting, register: str, value: int) -> Setting:
    return replace(setting, registers={**setting.registers, register: value & 0xFFFFFFFF})


WITHOUT_HAZARDS = (
    "weights",
    "scale",
    "scale_shift",
    "bias",
    "weight_stride_0",
    "weight_stride_1",
    "padding",
    "weight_offset",
    "filter_mask",
    "configuration",
)


@settings(max_examples=20, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_wrong_registers(program: Path, data: st.DataObject) -> None:
    """What both models compute from wrong registers is the same. Registers are left out that let a
    job overwrite what it reads, since then the order counts; and where strides lead out of a memory
    and back, one of the models may refuse the job."""
    setting = draw_setting(data)
    changes = st.sampled_from([1, -1, 4, 1 << 16, 1 << 20, 3 << 24, -(1 << 28)])
    jobs = [wrong(setting, r, setting.registers[r] + data.draw(changes)) for r in WITHOUT_HAZARDS]
    compared = 0
    for job, host in zip(jobs, run_host(program, jobs)[0], strict=True):
        try:
            after = run_numpy(job)
        except InterpretationError:
            continue
        if host is not None:
            np.testing.assert_array_equal(host, after)
            compared += 1
    assert compared > 0


def pointwise_setting() -> Setting:
    """A right job, always the same."""
    case = Case(
        mode=POINTWISE,
        image=(1, 8, 9, 40),
        outputs=40,
        strides=(1, 1),
        pads=(0, 0, 0, 0),
        bits=8,
        offset=-128,
        input="ui8",
        result="si32",
        scale="ui8",
        shift=3,
    )
    operands = random_operands(case, np.random.default_rng(0))
    return make_setting(case, case, operands, operands, 0, False, [0] * 4, near=False)


READ = {
    "weights": 32,
    "input": 1,
    "output": 4,
    "scale": 4,
    "bias": 4,
    "input_pixel_stride": 1,
    "input_row_stride": 1,
    "output_pixel_stride": 4,
    "output_row_stride": 4,
    "weight_stride_1": 32,
    "last_channels": -1,
    "last_output": -1,
    "last_input": -1,
    "channel_subtiles": 1 << 16,
    "pixel_subtiles": 1 << 16,
    "weight_offset": 1,
    "configuration": 1 << 16,
}


@pytest.mark.parametrize("register", READ)
def test_registers_matter(register: str) -> None:
    """Each wrong register shows: in memory, or as an error."""
    setting = pointwise_setting()
    right = run_numpy(setting)
    np.testing.assert_array_equal(setting.result(right), setting.expected)
    try:
        actual = run_numpy(wrong(setting, register, setting.registers[register] + READ[register]))
    except InterpretationError:
        return
    assert not np.array_equal(actual, right)


def test_names_of_registers_in_c() -> None:
    header = (runtime_dir() / "include" / "deeploy" / "npu.h").read_text()
    body = header.split("enum {")[1].split("DPL_NPU_REGISTERS")[0]
    names = [line.split(",")[0].strip() for line in body.splitlines() if "DPL_NPU_" in line]
    assert names == [f"DPL_NPU_{register.upper()}" for register in REGISTERS]


REFUSED = {
    "configuration: mode": ("configuration", 3 << 5),
    "configuration: one weight offset": ("configuration", 2 << 21),
    "filter_mask: nothing": ("filter_mask", 1),
    "channel_subtiles: not 0": ("channel_subtiles", 0),
    "pixel_subtiles: not 0": ("pixel_subtiles", 1 << 16),
    "last_channels: up to a subtile": ("last_channels", 33 << 16 | 1),
    "last_output: up to a subtile": ("last_output", 7 << 16 | 1),
    "padding: up to 2 pixels": ("padding", 3 << 28),
    "outside of L1": ("input", 0x1C010000),
    "outside of the weight memory": ("weights", 0x10000000),
}


@pytest.mark.parametrize("message", REFUSED)
def test_host_says_what_is_wrong(program: Path, message: str) -> None:
    right = pointwise_setting()
    bad = wrong(right, *REFUSED[message])
    (taken, refused), said = run_host(program, [right, bad])
    np.testing.assert_array_equal(taken, run_numpy(right))
    assert refused is None
    assert message in said
    with pytest.raises(InterpretationError):
        run_numpy(bad)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda d: d.write("weights", 0), "before 'npu.acquire'"),
        (lambda d: d.trigger(), "before 'npu.acquire'"),
        (lambda d: (d.acquire(), d.acquire()), "acquired twice"),
        (lambda d: (d.acquire(), d.trigger()), "the accelerator needs in register"),
    ],
)
def test_driver_mistakes(call, message: str) -> None:
    module = ModuleOp([], {TARGET: target_attr(TARGET_WITH_NPU)})
    with pytest.raises(InterpretationError, match=message):
        call(Device(AddressSpace(Memories(Context(), module))))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("device") / "host.so"
    host = runtime_dir() / "platforms" / "host"
    command = ["gcc", "-std=c99", "-shared", "-fPIC", f"-I{runtime_dir() / 'include'}", f"-I{host}"]
    sources = sorted(host.glob("*.c"))
    subprocess.run([*command, *sources, "-o", target, "-pthread"], check=True)
    return target


@pytest.mark.parametrize(
    "calls, message",
    [
        ("l.dpl_npu_write(0, 0)", "written without a context"),
        ("l.dpl_npu_trigger()", "triggered without a context"),
        ("l.dpl_npu_acquire(); l.dpl_npu_acquire()", "acquired twice"),
        ("l.dpl_npu_acquire(); l.dpl_npu_write(24, 0)", "no such register"),
        ("l.dpl_npu_address(0)", "in no arena"),
        ("l.dpl_npu_acquire(); l.dpl_npu_trigger(); l.dpl_npu_wait()", "needs in register"),
    ],
)
def test_driver_mistakes_on_the_host(library: Path, calls: str, message: str) -> None:
    code = f"import ctypes; l = ctypes.CDLL({str(library)!r}); {calls}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode < 0  # aborted
    assert message in done.stderr
