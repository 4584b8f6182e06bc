"""Writes docs/ir: the small network at every level; and all excerpts in docs/*.md.

An excerpt, of these files or of the code, stands behind a comment that names the file and, as
regular expressions, its first and its last line:

    <!-- excerpt: docs/ir/3-nests.mlir /%b_1 = tiled.nest/ /^    } loc/ -->

Run it again when a pass or a printer has changed; tests/docs checks that nothing is out of date.

    python docs/make_ir.py
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from small_network import build_model
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.universe import Universe

from deeploy.context import make_context
from deeploy.emit.network import emit_network
from deeploy.frontend import import_model
from deeploy.instrumentation.pipeline import Cost, Instrument, Step, parse_passes, run_pipeline
from deeploy.instrumentation.printing import print_module
from deeploy.pipelines import standard_pipeline

DOCS = Path(__file__).parent
ROOT = DOCS.parent
IR = "docs/ir"
PIPELINE = standard_pipeline(
    "siracusa", engines=["cluster"], cores=4, sizes={"L1": 1500}, buffers="2"
)
STAGES = {"plan": "3-nests.mlir", "tile": "4-tiles.mlir", "assign-addresses": "5-memory.mlir"}
"""Which file shows the module after a pass."""

EXCERPT = re.compile(
    r"(<!-- excerpt: (?P<file>\S+) /(?P<first>.+)/ /(?P<last>.+)/ -->\n```\w+\n)(?:.*\n)*?```\n"
)


def elided(text: str) -> str:
    """IR without what says nothing here: unknown locations, and the details of the target."""
    text = re.sub(r" loc\(unknown\)", "", text)
    return re.sub(r'(mem\.target = \{name = "\w+"), .*?"\}\} \{\n', r"\1, …}} {\n", text)


@dataclass
class Stages(Instrument):
    """Keeps the text of the module at each level."""

    texts: dict[str, str] = field(default_factory=dict[str, str])

    def keep(self, name: str, ctx: Context, module: ModuleOp) -> None:
        """Keep the text of a module."""
        out = StringIO()
        print_module(ctx, module, out, elide_resources=True)
        self.texts[name] = elided(out.getvalue())

    def begin(self, ctx: Context, module: ModuleOp, passes: tuple[ModulePass, ...]) -> None:
        self.keep("1-imported.mlir", ctx, module)

    def before_pass(self, step: Step) -> None:
        if step.current.name == "set-target":
            self.keep("2-graph.mlir", step.ctx, step.module)

    def after_pass(self, step: Step, cost: Cost) -> None:
        if step.current.name in STAGES:
            self.keep(STAGES[step.current.name], step.ctx, step.module)


def make_ir() -> dict[str, str]:
    """The small network at every level, by file name."""
    ctx, stages = make_context(), Stages()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.onnx"
        path.write_bytes(build_model().SerializeToString(deterministic=True))
        module = import_model(path, ctx, {"x": "ui8"})
    passes = parse_passes(Universe.get_multiverse().all_passes, PIPELINE)
    run_pipeline(ctx, module, passes, [stages])
    return stages.texts | {"6-network.c": emit_network(ctx, module).source}


def excerpt(text: str, first: str, last: str) -> str:
    """The lines from the first one that matches `first` to the next one that matches `last`."""
    lines = text.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if re.search(first, line)), None)
    assert start is not None, f"no line matches /{first}/"
    end = next((i for i in range(start, len(lines)) if re.search(last, lines[i])), None)
    assert end is not None, f"no line after it matches /{last}/"
    found = lines[start : end + 1]
    indent = min(len(line) - len(line.lstrip()) for line in found if line.strip())
    return "".join(line[indent:] or line for line in found)


def with_excerpts(page: str, texts: dict[str, str]) -> str:
    """A page of the documentation with its excerpts as they are in `texts` and in the code."""

    def fill(match: re.Match[str]) -> str:
        path = ROOT / match["file"]
        own = path.parent == ROOT / IR
        text = texts[path.name] if own else path.read_text(encoding="utf-8")
        return match[1] + excerpt(text, match["first"], match["last"]) + "```\n"

    return EXCERPT.sub(fill, page)


def main() -> None:
    """Write everything."""
    texts = make_ir()
    (ROOT / IR).mkdir(exist_ok=True)
    for name, text in texts.items():
        (ROOT / IR / name).write_text(text)
    for path in DOCS.glob("*.md"):
        path.write_text(with_excerpts(path.read_text(), texts))


if __name__ == "__main__":
    main()
