"""Configs as code of repositories subclasses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo_core.config import PretrainedConfig as Native


class PretrainedConfig(Native):
    """The zoo's config, for classes that set attributes in ``__init__`` and call ``super().__init__``
    last."""

    is_composition = False

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {name: value for name, value in kwargs.items() if name != "transformers_version"}
        before = dict(self.__dict__)
        super().__init__(**kwargs)
        # What the subclass has set stands, also where a conventional field has the same name.
        for name, value in before.items():
            if name not in kwargs:
                self.__dict__[name] = value

    @classmethod
    def from_dict(cls, config_dict: Mapping[str, Any], **kwargs: Any) -> Any:
        """The config of a mapping; its own ``__init__`` gets every entry as a keyword."""
        unused = kwargs.pop("return_unused_kwargs", False)
        values = {key: value for key, value in config_dict.items() if key != "model_type"}
        config = cls(**values)
        left = {}
        for name, value in kwargs.items():
            if hasattr(config, name):
                setattr(config, name, value)
            else:
                left[name] = value
        return (config, left) if unused else config


def native_config(values: Mapping[str, Any]) -> Native:
    """The config of an installed architecture, for remote models that borrow one."""
    from zoo_core.config import config_class_for

    found: Native = config_class_for(str(values.get("model_type"))).from_dict(dict(values))
    return found


def layer_type_validation(layer_types: Any, num_hidden_layers: int | None = None, **_: Any) -> None:
    """Refuse a list of layer types of the wrong length."""
    if num_hidden_layers is not None and layer_types is not None and len(layer_types) != num_hidden_layers:
        raise ValueError(f"layer_types has {len(layer_types)} entries for {num_hidden_layers} layers")


class OnnxConfig:
    """A base for classes that describe an export; the zoo exports nothing through it."""

    def __init__(self, config: Any, task: str = "default", **_: Any) -> None:
        self._config, self.task = config, task


class OnnxConfigWithPast(OnnxConfig):
    """As `OnnxConfig`, of decoders."""


class OnnxSeq2SeqConfigWithPast(OnnxConfigWithPast):
    """As `OnnxConfig`, of encoder-decoders."""


class PatchingSpec:
    """What an export replaces; kept for code that names it."""

    def __init__(
        self, o: Any, name: str, custom_op: Any, orig_op: Any = None, op_wrapper: Any = None
    ) -> None:
        self.o, self.name, self.custom_op, self.orig_op, self.op_wrapper = (
            o,
            name,
            custom_op,
            orig_op,
            op_wrapper,
        )


def compute_effective_axis_dimension(dimension: int, fixed_dimension: int, num_token_to_add: int = 0) -> int:
    """``dimension``, or ``fixed_dimension`` where it is dynamic, less room for special tokens."""
    return (fixed_dimension if dimension <= 0 else dimension) - num_token_to_add
