"""Models as code of repositories subclasses them."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from zoo_core.generation.mixin import GenerationMixin as NativeGeneration
from zoo_core.modeling.model import PreTrainedModel as Native
from zoo_core.nn.cache import Cache
from zoo_core.remote.facade.caches import DynamicCache, ReturnedCache


class PreTrainedModel(Native):
    """The zoo's model base with the attributes and methods that such code sets and calls."""

    _no_split_modules: ClassVar[Any] = None
    _tied_weights_keys: ClassVar[Any] = None
    _keys_to_ignore_on_load_missing: ClassVar[Any] = None
    _keys_to_ignore_on_load_unexpected: ClassVar[Any] = None
    _supports_sdpa: ClassVar[bool] = False
    _supports_flash_attn: ClassVar[bool] = False
    _supports_flash_attn_2: ClassVar[bool] = False
    _supports_cache_class: ClassVar[bool] = False
    is_parallelizable: ClassVar[bool] = False
    _skip_keys_device_placement: ClassVar[Any] = None
    _keep_in_fp32_modules: ClassVar[Any] = None

    def __init__(self, config: Any, *inputs: Any, **kwargs: Any) -> None:
        super().__init__(config, *inputs, **kwargs)
        if getattr(config, "_attn_implementation", None) is None:
            config._attn_implementation = "sdpa" if self._supports_sdpa else "eager"
        self.warnings_issued: dict[str, bool] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        uses_prepare = "prepare_inputs_for_generation" in cls.__dict__
        if uses_prepare and not issubclass(cls, NativeGeneration):
            # Before GenerationMixin was a base to name, defining this method was what gave `generate`.
            cls.__bases__ = (*cls.__bases__, GenerationMixin)
            _give_contents(cls)

    def init_weights(self) -> None:
        self.post_init()

    def _initialize_weights(self, module: nn.Module) -> None:
        self._init_weights(module)

    def ties(self) -> dict[str, str]:
        """The output embedding tied to the input's, where both exist and the config wants it."""
        if self.tied_weights:
            return super().ties()
        if not getattr(self.config, "tie_word_embeddings", False) or not self._tied_weights_keys:
            return {}
        try:
            source = self.get_input_embeddings()
        except NotImplementedError:
            return {}
        target = self.get_output_embeddings()
        if not isinstance(target, nn.Module) or not isinstance(source, nn.Module):
            return {}
        names = {id(module): name for name, module in self.named_modules()}
        if id(source) not in names or id(target) not in names:
            return {}
        return {f"{names[id(target)]}.weight": f"{names[id(source)]}.weight"}

    @property
    def base_model(self) -> nn.Module:
        """The model without its head, under ``base_model_prefix``."""
        inner = getattr(self, self.base_model_prefix, None) if self.base_model_prefix else None
        return inner if isinstance(inner, nn.Module) else self

    def get_input_embeddings(self) -> Any:
        inner: Any = self.base_model
        if inner is not self and hasattr(inner, "get_input_embeddings"):
            return inner.get_input_embeddings()
        return super().get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        inner: Any = self.base_model
        if inner is not self and hasattr(inner, "set_input_embeddings"):
            inner.set_input_embeddings(value)
        else:
            super().set_input_embeddings(value)

    def _set_checkpointing(self, value: bool) -> None:
        run = functools.partial(checkpoint, use_reentrant=False)
        for module in self.modules():
            if hasattr(module, "gradient_checkpointing"):
                module.gradient_checkpointing = value  # type: ignore[assignment]
                module._gradient_checkpointing_func = run  # type: ignore[assignment]

    def get_extended_attention_mask(
        self, attention_mask: Tensor, input_shape: Any, device: Any = None, dtype: torch.dtype | None = None
    ) -> Tensor:
        """(batch, keys) or (batch, queries, keys) to a mask that is added to scores."""
        dtype = dtype or self.dtype
        wide = attention_mask[:, None, None, :] if attention_mask.dim() == 2 else attention_mask[:, None]
        if getattr(self.config, "is_decoder", False) and attention_mask.dim() == 2:
            length = input_shape[1]
            keys = attention_mask.shape[1]
            causal = torch.ones(length, keys, dtype=torch.bool).tril(keys - length)
            wide = wide.bool() & causal
        return (1.0 - wide.to(dtype)) * torch.finfo(dtype).min

    def invert_attention_mask(self, encoder_attention_mask: Tensor) -> Tensor:
        """As :meth:`get_extended_attention_mask`, of an encoder's padding."""
        mask = encoder_attention_mask
        wide = mask[:, None, None, :] if mask.dim() == 2 else mask[:, None]
        return (1.0 - wide.to(self.dtype)) * torch.finfo(self.dtype).min

    def get_head_mask(
        self, head_mask: Any, num_hidden_layers: int, is_attention_chunked: bool = False
    ) -> Any:
        """One mask for each layer; a list of None without one."""
        if head_mask is None:
            return [None] * num_hidden_layers
        mask = head_mask[None] if head_mask.dim() == 1 else head_mask
        return mask.reshape(mask.shape[0], 1, mask.shape[1], 1, 1).expand(num_hidden_layers, -1, -1, -1, -1)

    def warn_if_padding_and_no_attention_mask(self, input_ids: Any, attention_mask: Any) -> None:
        """Says nothing: the zoo's tokenizers return masks."""

    def add_model_tags(self, tags: Any) -> None:
        """Tags of a model card: not kept."""

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoModel") -> None:
        """Kept for code that calls it; repositories already name their classes in ``auto_map``."""

    @classmethod
    def _autoset_attn_implementation(cls, config: Any, *args: Any, **kwargs: Any) -> Any:
        return config


class GenerationMixin(NativeGeneration):
    """The zoo's ``generate``, with the caches that such code knows."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _give_contents(cls)

    def new_cache(self, *, capacity: int, sliding: bool) -> Cache:
        """A cache object, or what forwards returned before there were such objects.

        Code that prepares its own inputs and does not say that it knows cache objects gets None on the first
        step, and after it whatever its forward returned.
        """
        own = getattr(type(self).prepare_inputs_for_generation, "own", False)
        known = getattr(self, "_supports_cache_class", False)
        return ReturnedCache(getattr(self, "_reorder_cache", None)) if own and not known else DynamicCache()


def _give_contents(cls: Any) -> None:
    """Let the class's own ``prepare_inputs_for_generation`` see what a `ReturnedCache` holds, not that."""
    prepare = cls.__dict__.get("prepare_inputs_for_generation")
    if prepare is None:
        return

    @functools.wraps(prepare)
    def prepared(self: Any, *args: Any, past_key_values: Any = None, **kwargs: Any) -> Any:
        if isinstance(past_key_values, ReturnedCache):
            past_key_values = past_key_values.contents
        return prepare(self, *args, past_key_values=past_key_values, **kwargs)

    prepared.own = True  # type: ignore[attr-defined]
    cls.prepare_inputs_for_generation = prepared


class GradientCheckpointingLayer(nn.Module):
    """A layer that can be recomputed in the backward pass instead of keeping its activations."""

    gradient_checkpointing = False
    _gradient_checkpointing_func: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.gradient_checkpointing and self.training:
            return self._gradient_checkpointing_func(functools.partial(super().__call__, **kwargs), *args)
        return super().__call__(*args, **kwargs)


class _Generic:
    """A head over the model that serves the config with ``AutoModel``."""

    base_model_prefix = "model"

    def _make(self, config: Any, outputs: int, *, bias: bool) -> None:
        from zoo_core.auto.models import AutoModel

        setattr(self, self.base_model_prefix, AutoModel.from_config(config))
        self.num_labels = config.num_labels
        self._head = nn.Linear(config.hidden_size, outputs, bias=bias)

    def _states(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, self.base_model_prefix)(*args, **kwargs)


class GenericForSequenceClassification(_Generic):
    """Scores a sequence by the last token that is not padding."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)  # type: ignore[call-arg]
        self._make(config, config.num_labels, bias=False)
        self.score = self.__dict__["_modules"].pop("_head")
        self.post_init()  # type: ignore[attr-defined]

    def forward(
        self, input_ids: Any = None, attention_mask: Any = None, labels: Any = None, **kwargs: Any
    ) -> Any:
        from zoo_core.modeling.loss import sequence_loss
        from zoo_core.modeling.outputs import SequenceClassifierOutputWithPast

        out = self._states(input_ids, attention_mask=attention_mask, **kwargs)
        scores = self.score(out.last_hidden_state)
        last = torch.full((scores.shape[0],), -1)
        padding = self.config.pad_token_id  # type: ignore[attr-defined]
        if padding is not None and input_ids is not None:
            kept = input_ids != padding
            last = (torch.arange(kept.shape[1]) * kept).argmax(-1)
        logits = scores[torch.arange(scores.shape[0]), last]
        loss = None if labels is None else sequence_loss(logits, labels, self.config)  # type: ignore[attr-defined]
        return SequenceClassifierOutputWithPast.carry(out, loss=loss, logits=logits)


class GenericForTokenClassification(_Generic):
    """Scores every token."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)  # type: ignore[call-arg]
        self._make(config, config.num_labels, bias=True)
        self.score = self.__dict__["_modules"].pop("_head")
        self.dropout = nn.Dropout(getattr(config, "classifier_dropout", None) or 0.1)
        self.post_init()  # type: ignore[attr-defined]

    def forward(
        self, input_ids: Any = None, attention_mask: Any = None, labels: Any = None, **kwargs: Any
    ) -> Any:
        from zoo_core.modeling.loss import token_loss
        from zoo_core.modeling.outputs import TokenClassifierOutput

        out = self._states(input_ids, attention_mask=attention_mask, **kwargs)
        logits = self.score(self.dropout(out.last_hidden_state))
        loss = None if labels is None else token_loss(logits, labels)
        return TokenClassifierOutput.carry(out, loss=loss, logits=logits)


class GenericForQuestionAnswering(_Generic):
    """Scores every token as the start and the end of an answer."""

    base_model_prefix = "transformer"

    def __init__(self, config: Any) -> None:
        super().__init__(config)  # type: ignore[call-arg]
        self._make(config, 2, bias=True)
        self.qa_outputs = self.__dict__["_modules"].pop("_head")
        self.post_init()  # type: ignore[attr-defined]

    def forward(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        start_positions: Any = None,
        end_positions: Any = None,
        **kwargs: Any,
    ) -> Any:
        from zoo_core.modeling.loss import span_loss
        from zoo_core.modeling.outputs import QuestionAnsweringModelOutput

        out = self._states(input_ids, attention_mask=attention_mask, **kwargs)
        start, end = self.qa_outputs(out.last_hidden_state).unbind(-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = span_loss(start, end, start_positions, end_positions)
        return QuestionAnsweringModelOutput.carry(out, loss=loss, start_logits=start, end_logits=end)
