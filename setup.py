"""Lists the packages; everything else about the project is in pyproject.toml."""

from setuptools import find_namespace_packages, setup

# The C runtime is a top-level folder of the repository (it is no Python), and travels as package
# data of `deeploy._runtime`. `deeploy.registry.runtime_dir()` finds it in both places.
setup(
    packages=[*find_namespace_packages(include=["deeploy", "deeploy.*"]), "deeploy._runtime"],
    package_dir={"deeploy._runtime": "runtime"},
)
