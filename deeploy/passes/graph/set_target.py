"""set-target: note in the module what it is compiled for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from deeploy.dialects.mem import TARGET
from deeploy.targets import Target, find_target, target_attr


@dataclass(frozen=True)
class SetTargetPass(ModulePass):
    """Attach a target to the module, with other sizes (bytes), cores or engines where given.

    Without `residents` nothing stays in its compute memory from one inference to the next.
    """

    name: ClassVar[str] = "set-target"

    target: str
    cores: int | None = None
    engines: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    """Memory sizes as pairs of name and bytes: `sizes="L1=64000","L2=500000"`."""
    residents: bool = True

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        op.attributes[TARGET] = target_attr(self.resolve())

    def resolve(self) -> Target:
        """The target with this pass's options applied.

        Raises:
            DeeployError: unknown target or memory.
            PassFailedException: a size or number of cores that cannot be.
        """
        target = find_target(self.target)
        if self.cores is not None:
            if not 1 <= self.cores <= 16:
                raise PassFailedException(f"the number of cores must be 1 to 16, not {self.cores}")
            target = replace(target, cores=self.cores)
        # of the whole chip: also of memories that engines which are left out would have used
        for pair in self.sizes:
            name, _, size = pair.partition("=")
            if not size.isdecimal() or int(size) == 0:
                raise PassFailedException(
                    f"the size of memory '{name}' must be a number of bytes > 0, not '{size}'"
                )
            target = target.with_sizes(**{name: int(size)})
        for name in self.engines:
            if name not in target.engines:
                known = ", ".join(target.engines)
                raise PassFailedException(f"{target.name} has no engine '{name}'; it has {known}")
        if self.engines:
            target = target.with_engines(self.engines)
        if not self.residents:
            target = target.without_residents()
        return target
