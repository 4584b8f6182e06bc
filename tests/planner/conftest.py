"""Lets these tests draw the random networks of `tests/lowering`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "lowering"))
