"""The graph dialect: networks as ops on tensors by value, one op for each meaning.

Element types are explicit (`si8`, `ui8`, `si32`), shapes static. Each op implements the tiling
interface, so that tiles, halos and borders of all ops are derived in one place. An op that one of
the modules below exports belongs to the dialect.
"""

from xdsl.ir import Dialect, Operation

from deeploy.dialects.graph import (
    activation,
    attributes,
    base,
    contraction,
    elementwise,
    extent,
    indexing,
    movement,
    reduction,
    rows,
    selection,
    state,
    window,
)
from deeploy.dialects.graph.activation import *  # noqa: F403
from deeploy.dialects.graph.attributes import *  # noqa: F403
from deeploy.dialects.graph.base import *  # noqa: F403
from deeploy.dialects.graph.contraction import *  # noqa: F403
from deeploy.dialects.graph.elementwise import *  # noqa: F403
from deeploy.dialects.graph.extent import *  # noqa: F403
from deeploy.dialects.graph.indexing import *  # noqa: F403
from deeploy.dialects.graph.movement import *  # noqa: F403
from deeploy.dialects.graph.reduction import *  # noqa: F403
from deeploy.dialects.graph.rows import *  # noqa: F403
from deeploy.dialects.graph.selection import *  # noqa: F403
from deeploy.dialects.graph.state import *  # noqa: F403
from deeploy.dialects.graph.window import *  # noqa: F403

MODULES = (
    activation,
    contraction,
    elementwise,
    indexing,
    movement,
    reduction,
    rows,
    selection,
    state,
    window,
)


def _operations() -> list[type[Operation]]:
    """The ops that the modules export; base classes have no name of their own."""
    exported = [getattr(module, name) for module in MODULES for name in module.__all__]
    return [op for op in exported if getattr(op, "name", "").startswith("graph.")]


Graph = Dialect("graph", _operations(), [attributes.RequantAttr, extent.ExtentAttr])

__all__ = ["Graph"]
__all__ += activation.__all__
__all__ += attributes.__all__
__all__ += base.__all__
__all__ += contraction.__all__
__all__ += elementwise.__all__
__all__ += extent.__all__
__all__ += indexing.__all__
__all__ += movement.__all__
__all__ += reduction.__all__
__all__ += rows.__all__
__all__ += selection.__all__
__all__ += state.__all__
__all__ += window.__all__
