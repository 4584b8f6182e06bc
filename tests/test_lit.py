"""Runs every lit test as one pytest case, so that there is one summary of all tests."""

from pathlib import Path

import lit.discovery
import lit.LitConfig
import lit.Test
import pytest

ROOT = Path(__file__).parent.parent
CONFIG = lit.LitConfig.LitConfig(
    progname="pytest",
    path=[],
    diagnostic_level="note",
    useValgrind=False,
    valgrindLeakCheck=False,
    valgrindArgs=[],
    noExecute=False,
    debug=False,
    isWindows=False,
    order="lexical",
    params={},
)


def discover() -> list:
    """All lit tests as pytest parameters, named by their path."""
    tests = lit.discovery.find_tests_for_inputs(CONFIG, [str(ROOT / "lit-tests")])
    return [pytest.param(test, id="/".join(test.path_in_suite)) for test in tests]


@pytest.mark.parametrize("test", discover())
def test_lit(test: lit.Test.Test) -> None:
    result = test.config.test_format.execute(test, CONFIG)
    test.setResult(result)
    if test.result.code is lit.Test.UNSUPPORTED:
        pytest.skip(test.result.output)
    # The output shows each command, its exit status and what it printed.
    assert not test.result.code.isFailure, f"\n{test.result.output}"
