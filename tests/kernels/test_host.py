# SPDX-License-Identifier: Apache-2.0
"""The host platform does what it promises, and notices what it should."""

import os
import subprocess
from pathlib import Path

import harness as h
import pytest

HOST = h.RUNTIME / "platforms" / "host"
SANITIZERS = {
    "plain": [],
    "address": ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"],
    "thread": ["-fsanitize=thread"],
}
MODES = ("thread", "deferred", "immediate")


@pytest.fixture(scope="session")
def programs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("host")
    source = Path(__file__).parent / "host_program.c"
    for name, flags in SANITIZERS.items():
        command = ["gcc", *h.CFLAGS, "-g", *flags, "-I", h.RUNTIME / "include", "-I", HOST]
        command += [source, *HOST.glob("*.c"), "-o", folder / name, "-pthread"]
        subprocess.run(command, check=True)
    return folder


def run(programs, case, cores=1, sanitizer="plain", mode=None):
    env = {k: v for k, v in os.environ.items() if k != "DEEPLOY_DMA"}
    if mode:
        env["DEEPLOY_DMA"] = mode
    command = [programs / sanitizer, case, str(cores)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)


def passes(result):
    assert result.stderr == ""
    assert result.returncode == 0
    return True


@pytest.mark.parametrize("mode", [None, *MODES])
@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_transfers(programs, mode, sanitizer):
    assert passes(run(programs, "copies", 1, sanitizer, mode))


@pytest.mark.parametrize("cores", [1, 2, 8])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_cores_and_barrier(programs, cores, mode, sanitizer):
    assert passes(run(programs, "pipeline", cores, sanitizer, mode))


def test_missing_wait_shows(programs):
    assert run(programs, "early", mode="deferred").stdout == "a5\n01\n"
    assert run(programs, "early", mode="immediate").stdout == "01\n01\n"
    # In thread mode the copy may or may not have happened.
    assert run(programs, "early", mode="thread").stdout in ("a5\n01\n", "01\n01\n")


def test_missing_wait_is_a_race(programs):
    # on a busy machine the copy may start late, behind the read
    assert any(
        "data race" in run(programs, "early", 1, "thread", "thread").stderr for _ in range(10)
    )


@pytest.mark.parametrize("mode", MODES)
def test_transfer_without_wait(programs, mode):
    result = run(programs, "unwaited", mode=mode)
    assert "DMA transfers without a wait" in result.stderr
    assert result.returncode != 0


@pytest.mark.parametrize("case", ["outside", "foreign"])
def test_transfer_outside_arenas(programs, case):
    result = run(programs, case)
    assert "is not inside one arena" in result.stderr
    assert result.returncode < 0  # aborted


@pytest.mark.parametrize(
    "case, message",
    [("below", "L1 violated at offset -5"), ("above", "L2 violated at offset 5010")],
)
def test_guard_zones(programs, case, message):
    result = run(programs, case)
    assert f"guard zone of {message}" in result.stderr
    assert result.returncode != 0
    assert "use-after-poison" in run(programs, case, 1, "address").stderr


def test_unknown_mode(programs):
    assert "not thread, deferred or immediate" in run(programs, "copies", mode="late").stderr
