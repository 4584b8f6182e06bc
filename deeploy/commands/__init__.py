"""The commands of `deeploy`, one a module: `add_parser` declares its arguments, `run` does it.

Modules import what is slow to load inside `run`, so that `deeploy --help` is quick.
"""
