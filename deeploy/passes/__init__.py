"""Passes, one a file, by level: `graph/`, `tiled/`, `memory/`."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from xdsl.passes import ModulePass

MODULES = {
    "fuse-qdq": "graph.fuse_qdq:FuseQdqPass",
    "quantize-to-requant": "graph.quantize_to_requant:QuantizeToRequantPass",
    "fold-constants": "graph.fold_constants:FoldConstantsPass",
    "simplify": "graph.simplify:SimplifyPass",
    "fuse-requant": "graph.fuse_requant:FuseRequantPass",
    "convert-to-channels-last": "graph.convert_to_channels_last:ConvertToChannelsLastPass",
    "cancel-transposes": "graph.cancel_transposes:CancelTransposesPass",
    "reduce-factors": "graph.reduce_factors:ReduceFactorsPass",
    "fuse-addends": "graph.fuse_addends:FuseAddendsPass",
    "share-caches": "graph.share_caches:ShareCachesPass",
    "tabulate": "graph.tabulate:TabulatePass",
    "set-target": "graph.set_target:SetTargetPass",
    "split-reductions": "graph.split_reductions:SplitReductionsPass",
    "place": "graph.place:PlacePass",
    "form-nests": "tiled.form_nests:FormNestsPass",
    "fuse-nests": "tiled.fuse_nests:FuseNestsPass",
    "offer-engines": "tiled.offer_engines:OfferEnginesPass",
    "plan": "tiled.plan:PlanPass",
    "check-plan": "tiled.check_plan:CheckPlanPass",
    "bufferize": "memory.bufferize:BufferizePass",
    "tile": "memory.tile:TilePass",
    "insert-dma": "memory.insert_dma:InsertDmaPass",
    "pipeline": "memory.pipeline:PipelinePass",
    "assign-addresses": "memory.assign_addresses:AssignAddressesPass",
    "schedule": "memory.schedule:SchedulePass",
    "overlap": "memory.overlap:OverlapPass",
    "insert-barriers": "memory.insert_barriers:InsertBarriersPass",
    "lower-npu": "memory.lower_npu:LowerNpuPass",
}
"""Pass name to `module:class` below this package."""


def _load(path: str) -> Callable[[], type[ModulePass]]:
    module, name = path.split(":")
    return lambda: getattr(import_module(f"{__name__}.{module}"), name)


def get_all_passes() -> dict[str, Callable[[], type[ModulePass]]]:
    """Every pass of Deeploy, loaded when called."""
    return {name: _load(path) for name, path in MODULES.items()}
