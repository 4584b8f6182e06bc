"""The ONNX frontend: reads a model file and builds the graph dialect from it."""

from deeploy.frontend.growing import import_growing
from deeploy.frontend.importer import import_model
from deeploy.frontend.registry import OperatorInfo, supported_operators

__all__ = ["OperatorInfo", "import_growing", "import_model", "supported_operators"]
