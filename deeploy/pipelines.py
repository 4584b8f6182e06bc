"""The standard pipeline, as text that `deeploy-opt -p` takes too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GRAPH = (
    "fuse-qdq",
    "quantize-to-requant",
    "fold-constants",
    "simplify",
    "fuse-requant",
    "convert-to-channels-last",
    "cancel-transposes",
    "fold-constants",
    "simplify",
    "fuse-requant",
    "reduce-factors",
    "fuse-addends",
    "share-caches",
    "tabulate",
)
"""Optimisations that know no target."""

MEMORY = (
    "bufferize",
    "tile",
    "insert-dma",
    "pipeline",
    "assign-addresses",
    "schedule",
    "overlap",
    "insert-barriers",
    "lower-npu",
)
"""From a plan to buffers at addresses, transfers and kernel calls."""


def standard_pipeline(
    target: str,
    *,
    cores: int | None = None,
    engines: Sequence[str] = (),
    sizes: Mapping[str, int] | None = None,
    residents: bool = True,
    buffers: str = "auto",
    objective: str = "latency",
    policy: str = "best",
    solver: str = "highs",
    max_seconds: float = 60.0,
) -> str:
    """The passes from an imported network to what is printed as C.

    `sizes` are bytes of memories of the target, by name; without `residents` its compute memory
    keeps nothing from one inference to the next.
    """
    is_free = (buffers, objective, policy) == ("auto", "latency", "best")
    return ",".join(
        [
            *GRAPH,
            _spec(
                "set-target",
                target=target,
                cores=cores,
                engines=",".join(f'"{name}"' for name in engines) or None,
                sizes=_pairs(sizes or {}),
                residents=None if residents else "false",
            ),
            "split-reductions",
            "place",
            "form-nests",
            "fuse-nests",
            "offer-engines",
            _spec(
                "plan",
                buffers=None if buffers == "auto" else buffers,
                objective=None if objective == "latency" else objective,
                policy=None if policy == "best" else policy,
                trials="true" if is_free else None,
                solver=None if solver == "highs" else solver,
                max_seconds=None if max_seconds == 60.0 else float(max_seconds),
            ),
            "check-plan",
            *MEMORY,
        ]
    )


def _pairs(sizes: Mapping[str, int]) -> str | None:
    return ",".join(f'"{name}={size}"' for name, size in sizes.items()) or None


def _spec(name: str, **options: object) -> str:
    given = " ".join(
        f"{key.replace('_', '-')}={_quoted(value)}"
        for key, value in options.items()
        if value is not None
    )
    return f"{name}{{{given}}}" if given else name


def _quoted(value: object) -> str:
    text = str(value)
    bare = text.replace("-", "").replace("_", "").isalnum() and not text[0].isdigit()
    is_number = text.replace(".", "").isdigit()
    return text if bare or is_number or text.startswith('"') else f'"{text}"'
