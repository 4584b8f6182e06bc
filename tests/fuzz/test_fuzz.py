"""Random networks from ONNX to a running program, on random chips.

Floats are compared with onnxruntime, integers bit for bit with definitions in numpy. `pytest
tests/fuzz --fuzz N` tries N new networks of each kind, and shrinks what fails.
"""

from __future__ import annotations

import numpy as np
import pytest
from fuzz_cnns import cnn
from fuzz_programs import Bench, Case
from fuzz_reference import run_floats, run_integers
from fuzz_transformers import transformer
from fuzz_writer import FloatWriter, IntegerWriter, Writer
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

FAMILIES = {
    "cnn-float": (cnn, FloatWriter, 70),
    "cnn-integer": (cnn, IntegerWriter, 70),
    "transformer-float": (transformer, FloatWriter, 30),
    "transformer-integer": (transformer, IntegerWriter, 30),
}
"""What is built, its arithmetic, and how many of them unless `--fuzz` says it."""


@st.composite
def cases(draw: st.DrawFn, family: str) -> Case:
    """A network, its data and options."""
    build, writer, _ = FAMILIES[family]
    w: Writer = writer(draw)
    build(w)
    model = w.model()
    run = run_floats if writer is FloatWriter else run_integers
    expected = run(model, w.arrays)
    assume(all(np.isfinite(array).all() and array.size for array in expected))
    options = [f"--target={w.pick('siracusa', 'siracusa', 'host')}"]
    options += [f"--cores={w.pick(1, 2, 3, 8)}", f"--buffers={w.pick('auto', '1', '2')}"]
    options += [f"--input-type={name}={type}" for name, type in w.types.items()]
    if w.pick(False, False, False, True):
        options.append("--check-semantics")
    if w.pick(False, False, False, True):
        options.append("--objective=memory")
    l1 = w.pick(w.number(64, 2000), w.number(64, 2000), w.number(2000, 20_000), None)
    dma = w.pick("thread", "deferred", "immediate")
    return Case(model, w.arrays, expected, options, l1, w.pick(0, 0, 16, 256), dma)


@pytest.mark.parametrize("family", FAMILIES)
def test_random_networks(family: str, bench: Bench, pytestconfig: pytest.Config) -> None:
    more = pytestconfig.getoption("fuzz")

    @settings(
        max_examples=more or FAMILIES[family][2],
        derandomize=not more,
        # shrinking runs the C compiler hundreds of times
        phases=[Phase.generate, Phase.shrink] if more else [Phase.generate],
        report_multiple_bugs=False,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(family))
    def check(case: Case) -> None:
        bench.check(case, family)

    check()
