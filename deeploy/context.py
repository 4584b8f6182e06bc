"""Contexts that know every dialect and can be used side by side in one process."""

from __future__ import annotations

from xdsl.context import Context
from xdsl.dialect_interfaces.op_asm import OpAsmDialectInterface
from xdsl.dialects.builtin import Builtin
from xdsl.ir import Dialect
from xdsl.universe import Universe


class ResourceStore(OpAsmDialectInterface):
    """Blobs of `dense_resource<key>`, where a key always means what the file says.

    xDSL's own store renames a key that it has already seen. As that store belongs to the one
    `Builtin` object of the process, the second parse of a file would get other keys than the first.
    """

    def declare_resource(self, key: str) -> str:
        """Make `key` known, without content, and return it unchanged."""
        self._blob_storage.setdefault(key, "")
        return key

    def parse_resource(self, key: str, val: str) -> None:
        """Set the content of `key`.

        Raises:
            ValueError: `val` is no blob, or `key` has other content already. (The parser turns it
                into a `ParseError` with the position.)
        """
        known = self.lookup(key)
        if known and known != val:
            raise ValueError(f"resource '{key}' already has other content in this context")
        super().parse_resource(key, val)


def make_builtin() -> Dialect:
    """The builtin dialect with a resource store of its own."""
    return Dialect(
        Builtin.name, list(Builtin.operations), list(Builtin.attributes), [ResourceStore()]
    )


def register_dialects(ctx: Context) -> None:
    """Register the dialects of all installed universes in `ctx`, with a fresh builtin dialect."""
    builtin = make_builtin()
    for name, factory in Universe.get_multiverse().all_dialects.items():
        ctx.register_dialect(name, (lambda: builtin) if name == builtin.name else factory)
    # The printer looks for the resource store among the *loaded* dialects only.
    ctx.load_registered_dialect(builtin.name)


def make_context() -> Context:
    """A context with all dialects of xDSL, Deeploy and installed plugins, sharing no resources."""
    ctx = Context()
    register_dialects(ctx)
    return ctx
