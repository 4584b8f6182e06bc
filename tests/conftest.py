"""Fixtures that several test files use."""

import pytest
from xdsl.context import Context

from deeploy.context import make_context


@pytest.fixture
def ctx() -> Context:
    """A context of its own, with all dialects and no resources."""
    return make_context()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--fuzz`: how much to search."""
    parser.addoption(
        "--fuzz",
        metavar="N",
        type=int,
        help="try N new random networks of each kind in tests/fuzz, and shrink what fails",
    )
