"""What this package adds to Deeploy. Every xDSL tool imports it at start, so imports are lazy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdsl.universe import Universe

if TYPE_CHECKING:
    from xdsl.passes import ModulePass


def _max_to_clip() -> type[ModulePass]:
    from deeploy_example.max_to_clip import MaxToClipPass

    return MaxToClipPass


EXAMPLE = Universe(all_passes={"max-to-clip": _max_to_clip})
