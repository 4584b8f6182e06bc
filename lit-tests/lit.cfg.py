"""Configuration of lit: what a test is, and what its RUN lines may say.

Run one test with `lit -v lit-tests/opt/timing.mlir`; `pytest` runs all of them (tests/test_lit.py).
"""

import os
import shutil
import sys
from pathlib import Path

import lit.formats

here = Path(__file__).parent
tools = here / "tools"

config.name = "deeploy"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "tools"]
config.test_source_root = str(here)
config.test_exec_root = str(here.parent / "build" / "lit")

# `deeploy`, `deeploy-opt`, `xdsl-opt` and `filecheck` of the environment that runs lit.
binaries = os.path.dirname(sys.executable)
config.environment["PATH"] = os.pathsep.join([binaries, os.environ["PATH"]])
# Tables and messages look the same whatever terminal runs the tests.
config.environment["COLUMNS"] = "120"
config.environment["NO_COLOR"] = "1"

# A substitution may use others, `%s` for instance.
config.recursiveExpansionLimit = 3
config.substitutions += [
    # Parses, prints and parses again, in custom and in generic syntax; both must print the same.
    ("%roundtrip", "deeploy-opt %s | deeploy-opt | filecheck %s"),
    ("%generic_roundtrip", "deeploy-opt %s --print-op-generic | deeploy-opt | filecheck %s"),
    # Errors: each `// -----` part fails, and FileCheck sees the messages.
    ("%invalid", "deeploy-opt %s --split-input-file --verify-diagnostics --parsing-diagnostics"),
    # deeploy-opt with passes that misbehave in known ways.
    ("%broken-opt", f"{sys.executable} {tools / 'broken_opt.py'}"),
    ("%models", str(here.parent / "examples")),
    ("%runtime", str(here.parent / "runtime")),
]

for program in ("gcc", "valgrind", "clang-format"):
    if shutil.which(program, path=config.environment["PATH"]):
        config.available_features.add(program)
