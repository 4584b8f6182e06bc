"""The documentation is up to date: IR, excerpts, links."""

from __future__ import annotations

import re
import sys

import pytest
from places import DOCS, ROOT

sys.path.insert(0, str(DOCS))

PAGES = sorted(DOCS.glob("*.md"))
OTHERS = [ROOT / "README.md", *sorted(ROOT.glob("examples/*/README.md"))]
MEND = "run `python docs/make_ir.py`, and read what has changed"


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The small network at every level."""
    from make_ir import make_ir

    return make_ir()


def test_ir_is_up_to_date(texts: dict[str, str]) -> None:
    written = {path.name: path.read_text() for path in (DOCS / "ir").iterdir()}
    assert written == texts, MEND


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_excerpts_are_up_to_date(page, texts: dict[str, str]) -> None:
    from make_ir import with_excerpts

    assert page.read_text() == with_excerpts(page.read_text(), texts), MEND


@pytest.mark.parametrize("page", [*OTHERS, *PAGES], ids=lambda page: page.name)
def test_links_lead_somewhere(page) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target
