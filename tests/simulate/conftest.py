"""Puts the helpers of the lowering tests on the path."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "lowering"))
