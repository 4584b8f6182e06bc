"""Jobs of the accelerator: what registers say of them, and two contexts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from deeploy.dialects.npu import DEPTHWISE, MODES, REGISTERS
from deeploy.engines.neureka.driver import NeurekaDriver, job_cost
from deeploy.engines.neureka.registers import Addresses, Job, register_values
from deeploy.engines.neureka.timing import DISPATCH_CYCLES, Format, job_cycles
from deeploy.interfaces.index import Index, IndexBuilder
from deeploy.simulate.machine import Cause, Machine, Tally, Track
from deeploy.targets import find_target

SIRACUSA = find_target("siracusa")


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_registers_tell_how_long_a_job_takes(data: st.DataObject) -> None:
    mode = data.draw(st.sampled_from(list(MODES.values())))
    rows, columns, inputs, outputs = (data.draw(st.integers(1, 70)) for _ in range(4))
    if mode is DEPTHWISE:
        outputs = inputs
    scale_bits = data.draw(st.sampled_from([None, 8, 32]))
    format = Format(
        mode=mode,
        inputs=inputs,
        bits=data.draw(st.integers(2, 8)),
        scale_bits=scale_bits,
        output_bits=32 if scale_bits is None else 8,
        weights_in_l1=data.draw(st.booleans()),
        adds=scale_bits is None and data.draw(st.booleans()),
    )
    zero = Index.of(0)
    job = Job(
        mode=mode,
        inputs=Index.of(inputs),
        outputs=Index.of(outputs),
        rows=Index.of(rows),
        columns=Index.of(columns),
        pads=(zero, zero, zero, zero),
        input_strides=(1, 1),
        output_strides=(1, 1),
        weight_bits=format.bits,
        weight_offset=-128,
        weights_in_l1=format.weights_in_l1,
        signed_input=data.draw(st.booleans()),
        signed_output=data.draw(st.booleans()),
        output_bits=format.output_bits,
        scale_bits=scale_bits,
        shift=data.draw(st.integers(0, 31)),
        weight_stride=0,
        stream_in=bool(format.adds),
    )
    written = register_values(job, Addresses(zero, zero, zero, zero, zero), IndexBuilder())
    values = {name: index.constant for name, index in written.items()}
    assert None not in values.values()
    cycles, operations = job_cost({k: v for k, v in values.items() if v is not None})
    assert cycles == job_cycles(format, rows, columns, outputs)
    channels = 1 if mode is DEPTHWISE else inputs
    assert operations == 2 * rows * columns * outputs * channels * mode.window**2


def test_dispatch_is_what_the_plan_takes_it_for() -> None:
    assert len(REGISTERS) == 24
    assert NeurekaDriver.accesses * SIRACUSA.register_cycles == DISPATCH_CYCLES


def test_one_job_runs_and_one_waits() -> None:
    machine = Machine(replace(SIRACUSA, register_cycles=1), [Tally()])
    for _ in range(4):
        machine.acquire(0)
        machine.job(0, accesses=10, cycles=100, operations=7)
    machine.wait_for_jobs(0, None)
    starts = [(e.start, e.end) for e in machine.events if e.track is Track.NPU]
    assert starts == [(10, 110), (110, 210), (210, 310), (310, 410)]
    (tally,) = machine.tallies
    # 20 cycles to fill both contexts; then each job waits for the one before the last
    dispatched = [e.end for e in machine.events if e.what == Cause.DRIVE]
    assert dispatched == [10, 20, 120, 220]
    assert machine.now == 410 == tally.cycles.total()
    assert tally.cycles[Cause.NPU] == 410 - 4 * 10
    assert (tally.counts["jobs"], tally.operations) == (4, 28)
