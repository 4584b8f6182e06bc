"""How the pixels of a pointwise convolution are laid out as jobs.

A subtile computes up to 6 x 6 pixels in the time of one. Strides are free, so where pixels lie in a
row (tokens, or whole rows of an image) they can be cut into other rows than those of the image.
Rows may overlap, and so may jobs: a pixel that is computed twice gets the same value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

SUBTILE = 6
"""Rows and columns of pixels of an output subtile (public HAL, pulp-platform/pulp-nnx)."""


@dataclass(frozen=True)
class Grid:
    """The pixels of one job: `rows` rows of `columns`, the first pixel at `first`, rows `pitch`
    pixels apart."""

    first: int
    rows: int
    columns: int
    pitch: int

    @property
    def subtiles(self) -> int:
        """Subtiles that are computed."""
        return -(-self.rows // SUBTILE) * -(-self.columns // SUBTILE)


def whole(rows: int, columns: int) -> tuple[Grid, ...]:
    """The image as it is, in one job."""
    return (Grid(0, rows, columns, columns),)


@lru_cache(maxsize=4096)
def pixel_grids(rows: int, columns: int) -> tuple[Grid, ...]:
    """The jobs with the fewest subtiles that compute `rows * columns` pixels in a row.

    Among equals, the fewest jobs; the image as it is comes first.
    """
    pixels, full = rows * columns, SUBTILE * SUBTILE
    layouts: list[tuple[Grid, ...]] = [whole(rows, columns)]
    for height in range(1, min(SUBTILE, pixels) + 1):
        pitch = pixels // height
        layouts.append((Grid(0, height, pixels - (height - 1) * pitch, pitch),))
    if pixels > full:
        side = pixels // full * SUBTILE
        # the last job is moved back over the one before it
        last = Grid(pixels - full, SUBTILE, SUBTILE, SUBTILE)
        layouts.append((Grid(0, SUBTILE, side, side), last))
    return min(layouts, key=lambda grids: (sum(g.subtiles for g in grids), len(grids)))
