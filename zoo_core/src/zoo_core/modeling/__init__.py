"""The base of all models, their outputs, loading and saving."""

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput

__all__ = ["ModelOutput", "PreTrainedModel"]
