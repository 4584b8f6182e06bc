# SPDX-License-Identifier: Apache-2.0
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))

import harness

settings.register_profile(
    "kernels",
    deadline=None,
    max_examples=60,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="session")
def kernels(tmp_path_factory):
    """kernels(family, instances, variant): the shared object, built once per session."""
    folder = tmp_path_factory.mktemp("kernels")
    built = {}

    def get(family, instances, variant):
        if (family, variant) not in built:
            built[family, variant] = harness.build(folder, family, instances, variant)
        return built[family, variant]

    return get


@pytest.fixture(params=list(harness.VARIANTS))
def variant(request):
    return request.param
