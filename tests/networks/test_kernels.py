"""Single operators that others tested their compiler with: all of their cases."""

from __future__ import annotations

import pytest
from zoo import MODELS, Network

CASES = MODELS / "kernels"

REFUSED = {"BF16/Add/Regular": "elements of type bfloat16"}
"""Cases that are refused, and the diagnostic."""


def found() -> list[str]:
    """The names of all cases that are here; one name where there are none, to say so."""
    names = [str(path.parent.relative_to(CASES)) for path in CASES.rglob("network.onnx")]
    return sorted(names) or ["Integer/Add/Regular"]


@pytest.mark.parametrize("name", found())
def test_every_value(deeploy, name: str) -> None:
    net = Network(CASES / name)
    if not net.available:
        pytest.skip(f"{net.model} is not here")
    done = deeploy("run", net.model, "--target", "siracusa", "--l1", 16_000, *net.data, "--json")
    if name in REFUSED:
        assert done.status == 1
        assert REFUSED[name] in done.err
        return
    assert done.status == 0, done.err
    assert done.json["match"]
