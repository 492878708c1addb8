"""The base of every model: a torch module with a config that loads from and saves to Hub checkpoints."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from zoo_core.modeling.embeddings import EmbeddingAccess
from zoo_core.modeling.initialization import initialize_module
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention_functions import check_implementation
from zoo_core.nn.cache import Cache
from zoo_core.nn.recording import Recording, current

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from zoo_core.config import PretrainedConfig
    from zoo_core.hub import Repository

#: flags of a call, and what a recording collects for each
_COLLECTED = {
    "output_hidden_states": ("hidden_states",),
    "output_attentions": ("attentions", "cross_attentions", "global_attentions"),
    "output_router_logits": ("router_logits",),
}


class PreTrainedModel(EmbeddingAccess, nn.Module):
    """A model that `from_pretrained` loads and `save_pretrained` writes.

    A subclass sets the class attributes, builds its parts in `__init__(config)`, ends that with
    `self.post_init()`, and defines `forward` with its own inputs, returning a `ModelOutput`.
    """

    config_class: ClassVar[type[PretrainedConfig] | None] = None
    #: name in checkpoint files under which heads store this family's base model
    base_model_prefix: ClassVar[str] = ""
    main_input_name: ClassVar[str] = "input_ids"
    #: canonical path to Hub path, see zoo_core.checkpoint.names
    hub_names: Mapping[str, Any] = {}
    #: canonical parameter to the one it shares its memory with, where `config.tie_word_embeddings`
    tied_weights: ClassVar[Mapping[str, str]] = {}
    #: patterns of names in checkpoint files that belong to nothing, or to a buffer that is computed where
    #: the file lacks it: neither is news
    ignored_names: ClassVar[tuple[str, ...]] = ()
    #: patterns of canonical names that stay float32 when the model, not as a part, is loaded in float16
    keep_in_float32: ClassVar[tuple[str, ...]] = ()
    #: the same for every dtype of half precision
    always_float32: ClassVar[tuple[str, ...]] = ()
    supports_gradient_checkpointing: ClassVar[bool] = True

    config: PretrainedConfig

    def __init__(self, config: PretrainedConfig, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        self.config = config
        self.name_or_path = ""

    def __call__(self, *args: Any, return_dict: bool | None = None, **inputs: Any) -> Any:
        """Run the model.

        Besides the inputs of its forward, every model takes `return_dict`, and the flags
        `output_hidden_states`, `output_attentions` and `output_router_logits`; an inner model inherits
        them from the call around it, an outer one from its config.
        """
        outer, nested = current.recording, current.depth > 0
        own = _parameters(type(self).forward)
        wanted: list[str] = []
        for flag, names in _COLLECTED.items():
            asked = inputs.get(flag)
            if flag not in own:
                inputs.pop(flag, None)
            if asked is None:
                asked = (
                    (outer is not None and names[0] in outer.wanted)
                    if nested
                    else getattr(self.config, flag, False)
                )
            if asked:
                wanted.extend(names)
        if "return_dict" in own:
            inputs["return_dict"] = True
        current.recording = recording = Recording(wanted) if wanted else None
        current.depth += 1
        try:
            output = super().__call__(*args, **inputs)
        finally:
            current.recording = outer
            current.depth -= 1
        if not isinstance(output, ModelOutput):
            return output
        if recording is not None:
            for name, values in recording.taken.items():
                if name in output.fields and output.get(name) is None:
                    output[name] = tuple(values)
        if return_dict is None:
            return_dict = nested or getattr(self.config, "use_return_dict", True)
        return output if return_dict else output.to_tuple()

    # Construction

    def post_init(self) -> None:
        """Initialise the weights that no inner model has initialised, and tie those that share memory.

        Inner modules come first, so that a module may set what its children hold. Weights without memory
        are left to the load that the model is made for.
        """
        if not any(parameter.is_meta for parameter in self.parameters()):
            for module in reversed(list(self.modules())):
                if not getattr(module, "_initialized", False):
                    self._init_weights(module)
                    module._initialized = True  # type: ignore[assignment]
        self.tie_weights()

    def _init_weights(self, module: nn.Module) -> None:
        """Initialise the direct parameters of `module`; a family overrides it to differ."""
        config = self.config
        std = getattr(config, "initializer_range", None) or getattr(config, "init_std", None) or 0.02
        initialize_module(module, std=std)

    @classmethod
    def _from_config(cls, config: PretrainedConfig, **kwargs: Any) -> Self:
        from zoo_core.modeling.loading import from_config

        return from_config(cls, config, **kwargs)

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str] | None, *model_args: Any, **kwargs: Any
    ) -> Self:
        """Load a checkpoint; see `zoo_core.modeling.loading.from_pretrained` for the keywords."""
        from zoo_core.modeling.loading import from_pretrained

        return from_pretrained(cls, pretrained_model_name_or_path, *model_args, **kwargs)

    def save_pretrained(self, save_directory: str | os.PathLike[str], **kwargs: Any) -> None:
        """Write config and weights; see `zoo_core.modeling.saving.save_pretrained` for the keywords."""
        from zoo_core.modeling.saving import save_pretrained

        save_pretrained(self, save_directory, **kwargs)

    def push_to_hub(self, repo_id: str, **kwargs: Any) -> str:
        """Upload config and weights to the Hub; returns the address of the commit."""
        from zoo_core.modeling.saving import push_to_hub

        return push_to_hub(self, repo_id, **kwargs)

    def read_generation_config(self, repository: Repository) -> None:
        """Called once by `from_pretrained`; models that generate read generation_config.json."""

    def write_generation_config(self, folder: Path) -> None:
        """Called once by `save_pretrained`; models that generate write generation_config.json."""

    # Structure

    @property
    def base_model(self) -> nn.Module:
        """The model without its head; the model itself where there is none."""
        inner = getattr(self, "model", None)
        return inner if isinstance(inner, PreTrainedModel) else self

    def ties(self) -> dict[str, str]:
        """Canonical parameter names, each with the name of the one whose memory it shares."""
        return dict(self.tied_weights) if getattr(self.config, "tie_word_embeddings", False) else {}

    def all_ties(self) -> dict[str, str]:
        """`ties` of this model and of every model inside it, by names from here."""
        found: dict[str, str] = {}
        for prefix, module in self.named_modules():
            if isinstance(module, PreTrainedModel):
                start = f"{prefix}." if prefix else ""
                for alias, owner in module.ties().items():
                    found.setdefault(start + alias, start + owner)
        return found

    def tie_weights(self) -> None:
        """Make every alias in `all_ties` the same Parameter as its owner."""
        for alias, owner in self.all_ties().items():
            path, _, name = alias.rpartition(".")
            setattr(self.get_submodule(path), name, self.get_parameter(owner))

    @property
    def device(self) -> torch.device:
        """The device of the first parameter or buffer."""
        return next(self._tensors(), torch.empty(0)).device

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the first floating-point parameter or buffer."""
        return next((t.dtype for t in self._tensors() if t.is_floating_point()), torch.float32)

    def _tensors(self) -> Iterator[Tensor]:
        yield from self.parameters()
        yield from self.buffers()

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """Count of parameter elements; shared ones count once."""
        skipped = set()
        if exclude_embeddings:
            skipped = {id(m.weight) for m in self.modules() if isinstance(m, nn.Embedding)}
        return sum(
            p.numel()
            for p in self.parameters()
            if id(p) not in skipped and (p.requires_grad or not only_trainable)
        )

    def get_memory_footprint(self, return_buffers: bool = True) -> int:
        """Bytes of all parameters, and buffers unless excluded."""
        tensors = self._tensors() if return_buffers else self.parameters()
        return sum(t.numel() * t.element_size() for t in tensors)

    def cache_for(self, past_key_values: Cache | None, use_cache: bool | None) -> Cache | None:
        """The cache of a call: the given one, else a fresh one where the call or the config wants it."""
        if past_key_values is not None:
            return past_key_values
        wanted = getattr(self.config, "use_cache", False) if use_cache is None else use_cache
        return Cache() if wanted and not self.training else None

    # Switches

    def set_attn_implementation(self, attn_implementation: str | dict[str, str]) -> None:
        """Choose the attention implementation of all layers, or by sub-model: {"vision_tower": "eager"}.

        Raises:
            ValueError: unknown name. MissingDependency: the implementation's package is missing.
        """
        chosen = attn_implementation if isinstance(attn_implementation, dict) else {"": attn_implementation}
        for path, name in chosen.items():
            check_implementation(name)
            for module in self.get_submodule(path).modules():
                if hasattr(module, "implementation"):
                    setattr(module, "implementation", name)  # noqa: B010 - not an attribute of every module
                if isinstance(module, PreTrainedModel):
                    module.config._attn_implementation = name

    def gradient_checkpointing_enable(
        self, gradient_checkpointing_kwargs: dict[str, Any] | None = None
    ) -> None:
        """Recompute the activations of each layer in the backward pass instead of keeping them.

        Only the non-reentrant form of torch.utils.checkpoint is used.
        """
        if not self.supports_gradient_checkpointing:
            raise ValueError(f"{type(self).__name__} does not support gradient checkpointing")
        if (gradient_checkpointing_kwargs or {}).get("use_reentrant"):
            raise ValueError("use_reentrant=True is not supported; leave it out or pass False")
        self._set_checkpointing(True)

    def gradient_checkpointing_disable(self) -> None:
        """Keep all activations again."""
        self._set_checkpointing(False)

    def _set_checkpointing(self, value: bool) -> None:
        for module in self.modules():
            if isinstance(module, nn.ModuleList):
                module.gradient_checkpointing = value  # type: ignore[assignment]

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether any stack of layers recomputes its activations."""
        return any(getattr(m, "gradient_checkpointing", False) for m in self.modules())

    @classmethod
    def can_generate(cls) -> bool:
        """Whether the class has `generate`."""
        return hasattr(cls, "generate")


@cache
def _parameters(forward: Callable[..., Any]) -> frozenset[str]:
    """Names that `forward` takes itself; code written for other libraries names the shared flags."""
    return frozenset(inspect.signature(forward).parameters)
