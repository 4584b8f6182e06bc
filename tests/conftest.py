"""Fixtures that several test files use."""

import pytest
from xdsl.context import Context

from deeploy.context import make_context


@pytest.fixture
def ctx() -> Context:
    """A context of its own, with all dialects and no resources."""
    return make_context()
