"""Compiles a network with `deeploy`, builds the C quickly, and runs it."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from deeploy import cli
from deeploy.commands.build import run_program
from deeploy.diagnostics import run_main
from deeploy.registry import runtime_dir

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror"]
SMALLEST_BUDGET = re.compile(r"the smallest budget for the whole network is (\d+) bytes")
ALIGNMENT = 16


@dataclass(frozen=True)
class Case:
    """A network with its data, and how to compile and run it.

    Attributes:
        options: of `deeploy compile`, without `--l1`.
        l1: bytes, or None for all of it; where these are too few, as many as the message says.
        spare: bytes more than the message says.
        dma: how the DMA engine of the host behaves.
    """

    model: onnx.ModelProto
    inputs: Mapping[str, np.ndarray]
    expected: Sequence[np.ndarray]
    options: Sequence[str]
    l1: int | None
    spare: int
    dma: str

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis shows: the note with the command says more."""
        printer.text(" ".join(node.op_type for node in self.model.graph.node))


@dataclass(frozen=True)
class Bench:
    """Where programs are built.

    Attributes:
        folder: for this process.
        cache: of objects that many programs need; processes share it.
    """

    folder: Path
    cache: Path

    def check(self, case: Case, name: str) -> None:
        """Compile, build and run a network.

        Raises:
            AssertionError: something fails; the message has a command that shows it again. The
                files that it needs stay in a folder of that name among temporary files.
        """
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        save(case, folder)
        budget = case.l1
        try:
            output = compile_network(case, budget, folder)
            if found := SMALLEST_BUDGET.search(output.removeprefix("error: ")):
                budget = -(-int(found[1]) // ALIGNMENT) * ALIGNMENT + case.spare
                output = compile_network(case, budget, folder)
            assert (folder / "out" / "network.c").exists(), output
            problem = run_program(self.build(folder / "out"), case.dma, timeout=60).problem()
            assert problem is None, problem
        except Exception as error:
            kept = Path(tempfile.gettempdir()) / f"deeploy-fuzz-{name}"
            shutil.copytree(folder, kept, dirs_exist_ok=True)
            error.add_note(f"to see it again: {command(case, budget, kept)}")
            raise
        shutil.rmtree(folder)

    def build(self, folder: Path) -> Path:
        """The program of a project."""
        platform = runtime_dir() / "platforms" / "host"
        kernels = (folder / "network_kernels.c").read_text()
        instances = kernels.split("\n\n")[1:]
        assert len(instances) == kernels.count("#include")
        objects = [self.cached(text) for text in instances]
        sources = sorted(platform.glob("*.c"))
        objects += [self.cached(source.read_text(), "-std=gnu99") for source in sources]
        for stem, flags in (("network", ["-O1", *STRICT]), ("weights", STRICT), ("main", STRICT)):
            objects.append(folder / f"{stem}.o")
            gcc([*flags, f"-I{folder}", "-c", str(folder / f"{stem}.c")], objects[-1])
        gcc([str(path) for path in objects] + ["-lm"], folder / "program")
        return folder / "program"

    def cached(self, text: str, *flags: str) -> Path:
        """The object of a C file that does not depend on the network."""
        target = self.cache / f"{sha256(text.encode()).hexdigest()[:20]}.o"
        if not target.exists():
            source = self.folder / f"{target.stem}.c"
            source.write_text(text)
            unfinished = source.with_suffix(".o")
            gcc(["-O1", *(flags or STRICT), "-c", str(source)], unfinished)
            os.replace(unfinished, target)
        return target


def gcc(arguments: Sequence[str], target: Path) -> None:
    """Run the C compiler."""
    runtime = runtime_dir()
    include = [f"-I{runtime / 'include'}", f"-I{runtime / 'platforms' / 'host'}"]
    command = ["gcc", "-pthread", *include, *arguments, "-o", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def save(case: Case, folder: Path) -> None:
    """Write the files that a command needs."""
    onnx.save_model(case.model, folder / "network.onnx")
    np.savez(folder / "inputs.npz", **case.inputs)
    names = [output.name for output in case.model.graph.output]
    np.savez(folder / "outputs.npz", **dict(zip(names, case.expected, strict=True)))


def arguments(case: Case, l1: int | None, folder: Path) -> list[str]:
    """What `deeploy compile` and `deeploy run` have in common."""
    data = [f"--inputs={folder / 'inputs.npz'}", f"--expect={folder / 'outputs.npz'}"]
    size = [] if l1 is None else [f"--l1={l1}"]
    return [str(folder / "network.onnx"), *case.options, *size, *data]


def command(case: Case, l1: int | None, folder: Path) -> str:
    """The command that does the same."""
    return shlex.join(["deeploy", "run", *arguments(case, l1, folder), f"--dma={case.dma}"])


def compile_network(case: Case, l1: int | None, folder: Path) -> str:
    """Compile into the folder `out`, and return what is printed."""
    output = io.StringIO()
    argv = ["compile", *arguments(case, l1, folder), "-o", str(folder / "out")]
    with redirect_stdout(output), redirect_stderr(output):
        run_main(cli.execute, argv)
    return output.getvalue()
