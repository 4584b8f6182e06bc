"""`deeploy simulate`: tables, JSON, traces and the page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deeploy import cli
from deeploy.diagnostics import run_main

sys.path.append(str(Path(__file__).parents[2] / "docs"))
from small_network import build_model

ARGUMENTS = ("--target", "siracusa", "--cores", "4", "--l1", "1500", "--input-type", "x=ui8")


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.onnx"
    path.write_bytes(build_model().SerializeToString(deterministic=True))
    return path


def simulate(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command line."""
    capsys.readouterr()
    status = run_main(cli.execute, ["simulate", *map(str, arguments)])
    output = capsys.readouterr()
    return status, output.out, output.err


def test_json(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = simulate(capsys, model, *ARGUMENTS, "--json")
    assert status == 0
    result = json.loads(out)
    assert [nest["node"] for nest in result["nests"]] == ["conv", "pool", "dense"]
    assert result["cycles"] == sum(nest["cycles"] for nest in result["nests"])
    assert result["planned"] == pytest.approx(result["cycles"], rel=0.15)
    assert result["milliseconds"] == pytest.approx(result["cycles"] / 360e3)
    energy = result["energy"]
    assert energy["microjoules"] == pytest.approx(sum(energy["parts"].values()))
    assert energy["milliwatts"] == pytest.approx(energy["microjoules"] / result["milliseconds"])
    assert simulate(capsys, model, *ARGUMENTS, "--json")[1] == out


def test_lowered_file(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = simulate(capsys, model, *ARGUMENTS, "--json", "--dump-ir", "ir")
    lowered = max(Path("ir").glob("*.mlir"))
    status, again, _ = simulate(capsys, lowered, "--json")
    assert status == 0
    first, second = json.loads(out), json.loads(again)
    for nest in (first, second, *first["nests"], *second["nests"]):
        del nest["planned"]
        if nest.get("engines") == ["neureka"]:  # registers do not tell what the tile was
            del nest["tile"]
    assert first == second


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["ir.mlir", "--target", "siracusa"], 2, "error: --target is for ONNX files"),
        (["ir.mlir", "--memory", "L1=9"], 2, "error: --memory is for ONNX files"),
        (["ir.mlir"], 1, "error: .*no target.*set-target"),
        (["missing.mlir"], 1, "error: missing.mlir: No such file"),
        (["broken.mlir"], 1, "error: broken.mlir:2:1: "),
        ([], 2, "error: the argument MODEL.onnx is missing"),
        (["small.onnx"], 2, "error: the option --target is missing"),
    ],
)
def test_errors(
    model: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    message: str,
) -> None:
    Path("ir.mlir").write_text("func.func @network() {\n  func.return\n}\n")
    Path("broken.mlir").write_text("what\n")
    got, out, err = simulate(capsys, *arguments)
    assert (got, out) == (status, "")
    assert re.match(message, err), err


def test_tables(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = simulate(capsys, model, *ARGUMENTS)
    assert status == 0
    out = " ".join(out.split())
    assert "not measured on a core" in out
    cycles = json.loads(simulate(capsys, model, *ARGUMENTS, "--json")[1])["cycles"]
    assert f"{cycles:,} cycles" in out
    for word in ("cores", "DMA in", "wait for load", "barrier", " conv ", " dense "):
        assert word in out


def test_trace(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = simulate(capsys, model, *ARGUMENTS, "--json", "--trace", "trace.json")
    events = json.loads(Path("trace.json").read_text())["traceEvents"]
    rows = {e["tid"]: e["args"]["name"] for e in events if e["name"] == "thread_name"}
    assert list(rows.values())[:4] == ["nests", "cores", "DMA in", "DMA out"]
    slices = [e for e in events if e["ph"] == "X"]
    result = json.loads(out)
    for track, busy in result["busy"].items():
        mine = [e for e in slices if rows[e["tid"]] == track]
        working = [e for e in mine if track != "cores" or e["args"]["what"] == "kernel"]
        assert sum(e["args"]["cycles"] for e in working) == busy
        assert {e["name"] for e in working} <= {nest["node"] for nest in result["nests"]}
    nests = [e for e in slices if rows[e["tid"]] == "nests"]
    assert all(a["ts"] + a["dur"] <= b["ts"] + 1e-3 for a, b in pairwise(nests))
    for nest in result["nests"]:
        mine = [e["args"]["cycles"] for e in nests if e["name"] == nest["node"]]
        assert sum(mine) == nest["cycles"]
    end = max(e["ts"] + e["dur"] for e in slices)
    assert end == pytest.approx(result["milliseconds"] * 1e3, abs=1e-3)


class Page(HTMLParser):
    """Collects the scripts of a page, and what it would load from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [v for k, v in attrs if k in ("src", "href") and v]
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)


def test_page(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = simulate(capsys, model, *ARGUMENTS, "--json", "--html", "report.html")
    text = Path("report.html").read_text()
    page = Page(text)
    assert not page.open and not page.loaded and "@import" not in text
    (script,) = page.scripts
    found = re.search(r"const DATA = (\{.*\});\n", script)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    result = json.loads(out)
    assert [n["label"] for n in data["nests"]] == [n["node"] for n in result["nests"]]
    assert data["cycles"] == result["cycles"]
    spans = data["spans"]
    assert [start for _, start, _ in spans] == [0, *(end for _, _, end in spans[:-1])]
    assert all(n["duration"] >= n["cycles"] for n in data["nests"])
    for memory in data["memories"]:
        assert all(b["offset"] + b["bytes"] <= memory["size"] for b in memory["buffers"])
        assert all(0 <= b["first"] <= b["last"] <= data["cycles"] for b in memory["buffers"])
    if shutil.which("node"):
        Path("page.js").write_text(script)
        subprocess.run(["node", "--check", "page.js"], check=True)


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")
def test_page_in_a_browser(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A window of 1,300 pixels shows all columns of the table; the scripts run to their end."""
    simulate(capsys, model, *ARGUMENTS, "--html", "report.html")
    measure = """<script>
      addEventListener("load", () => {
        for (const nest of DATA.nests) {
          nest.short = "a name as long as they get: 34 char";
          nest.ops = nest.short;
          nest.tile = nest.short;
        }
        showNests();
        const box = document.querySelector(".scroll");
        const dots = document.querySelectorAll("circle").length;
        document.title = `${box.scrollWidth - box.clientWidth} ${dots}`;
      });
    </script></body>"""
    report = Path("report.html")
    report.write_text(report.read_text().replace("</body>", measure))
    browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1300,900"]
    done = subprocess.run(
        [*browser, "--dump-dom", report.resolve().as_uri()], capture_output=True, text=True
    )
    assert "<title>0 3</title>" in done.stdout
