"""The body of most language models: embed, layers, norm.

An architecture says what a layer is; everything else here has a default that an architecture may replace
by overriding the one method that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPast, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL, AttentionContext, MaskRule, rule_of
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.rotary import RotaryEmbedding, RotaryTables
from zoo_core.nn.stack import run_layers


class DecoderModel(PreTrainedModel):
    """Token embeddings, a stack of causal layers and a final norm.

    As it stands this is Llama; a subclass overrides what differs. Layers are called as
    layer(hidden, context, rotary=tables); in a stack that mixes rotary embeddings, `rotary_kinds` names
    each layer's.
    """

    output_class: ClassVar[type[ModelOutput]] = BaseModelOutputWithPast
    #: where a layer's norms stand: a class of zoo_core.nn.layer
    layer_class: ClassVar[Callable[..., nn.Module]] = PreNormLayer

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__(config)
        self.make_embeddings(config)
        self.layers = nn.ModuleList(self.make_layers(config))
        self.norm = self.make_norm(config)
        self.rotary = nn.ModuleDict(self.make_rotary(config))
        self.rotary_kinds = self.kinds_of_rotary(config)
        self.post_init()

    # What an architecture chooses

    def make_embeddings(self, config: PretrainedConfig) -> None:
        """Create `embed_tokens`, and whatever else `embed` needs."""
        padding = config.pad_token_id
        padding = padding if padding is not None and 0 <= padding < config.vocab_size else None
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=padding)

    def make_layers(self, config: PretrainedConfig) -> Iterable[nn.Module]:
        """All layers, in order."""
        return (self.make_layer(config, i) for i in range(config.num_hidden_layers))

    def make_layer(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        """Layer number `layer_idx`: its attention and its MLP, wired by `layer_class`."""
        return self.layer_class(
            config.hidden_size,
            self.norm_of(config),
            self_attn=self.make_attention(config, layer_idx),
            mlp=self.make_mlp(config, layer_idx),
            **self.layer_options(config),
        )

    def layer_options(self, config: PretrainedConfig) -> dict[str, Any]:
        """Further keywords of `layer_class`, such as dropout."""
        return {}

    def make_attention(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        """The attention of a layer."""
        return attention_of(config, layer_idx, rule=layer_rule(config, layer_idx))

    def make_mlp(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        """The feed-forward part of a layer."""
        return gated_mlp_of(config)

    def norm_of(self, config: PretrainedConfig) -> NormFactory:
        """Makes the norms of the layers and the last one."""
        return partial(RMSNorm, eps=config.rms_norm_eps)

    def make_norm(self, config: PretrainedConfig) -> nn.Module | None:
        """The norm after the last layer."""
        return self.norm_of(config)(config.hidden_size)

    def make_rotary(self, config: PretrainedConfig) -> Mapping[str, nn.Module]:
        """Rotary embeddings by kind; {} for a model without."""
        return {"full": rotary_of(config)}

    def kinds_of_rotary(self, config: PretrainedConfig) -> list[str | None] | None:
        """The kind of each layer, None for a layer without rotary; None when all use the only one."""
        return None

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        """Ids or vectors to (batch, sequence, hidden); scaled or learned-position models override it."""
        return embed(self.embed_tokens, input_ids, inputs_embeds)

    def make_context(
        self,
        hidden: Tensor,
        attention_mask: Tensor | None,
        cache: Cache | None,
        cache_position: Tensor | None,
    ) -> AttentionContext:
        """What the attention layers share in this call."""
        return AttentionContext(hidden, attention_mask, cache=cache, positions=cache_position)

    # The forward pass

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden)."""
        cache = self.cache_for(past_key_values, use_cache)
        past = 0 if cache is None else cache.length
        hidden = self.embed(input_ids, inputs_embeds, position_ids, past)
        context = self.make_context(hidden, attention_mask, cache, cache_position)
        return self.run(hidden, context, position_ids, **inputs)

    def run(
        self, hidden: Tensor, context: AttentionContext, position_ids: Tensor | None, **inputs: Any
    ) -> ModelOutput:
        """The layers and the norm over embedded inputs (batch, sequence, hidden)."""
        rotary = self.rotary_arguments(hidden, context, position_ids)
        hidden = run_layers(self.layers, hidden, context, norm=self.finish, **rotary, **inputs)
        return self.output_class(last_hidden_state=hidden, past_key_values=context.cache)

    def finish(self, hidden: Tensor) -> Tensor:
        """What happens to the states after the last layer: the final norm, if there is one."""
        return hidden if self.norm is None else self.norm(hidden)

    def rotary_arguments(
        self, hidden: Tensor, context: AttentionContext, position_ids: Tensor | None
    ) -> dict[str, Any]:
        """The `rotary` keyword of `run_layers`: one for all layers, or one for each."""
        length = context.past_length + context.query_length
        single = position_ids is None and context.follows and context.query_length == 1
        tables: dict[str | None, RotaryTables | None] = {}
        for kind, rotary in self.rotary.items():
            if single and isinstance(rotary, RotaryEmbedding) and rotary.can_keep:
                past = context.past_length
                tables[kind] = rotary.following(past, dtype=hidden.dtype, device=hidden.device)
            else:
                positions = context.positions if position_ids is None else position_ids
                tables[kind] = rotary(positions, dtype=hidden.dtype, length=length)
        if self.rotary_kinds is None:
            return {"rotary": next(iter(tables.values()), None)}
        return {"per_layer": {"rotary": [tables.get(kind) for kind in self.rotary_kinds]}}


def rotary_of(
    config: PretrainedConfig, *, kind: type[RotaryEmbedding] = RotaryEmbedding, **changes: Any
) -> RotaryEmbedding:
    """The rotary embedding that a config describes; keywords of `RotaryEmbedding` override it."""
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    settings: dict[str, Any] = {
        "dim": int(head_dim * (getattr(config, "partial_rotary_factor", None) or 1.0)),
        "theta": config.rope_theta,
        "scaling": getattr(config, "rope_scaling", None),
        "max_positions": config.max_position_embeddings,
    }
    settings.update(changes)
    return kind(settings.pop("dim"), **settings)


def attention_options(config: PretrainedConfig, layer_idx: int, **changes: Any) -> dict[str, Any]:
    """The keywords of `Attention` that a config names as Llama's does; further ones override them."""
    options: dict[str, Any] = {
        "num_kv_heads": getattr(config, "num_key_value_heads", None),
        "head_dim": getattr(config, "head_dim", None),
        "bias": getattr(config, "attention_bias", False),
        "dropout": getattr(config, "attention_dropout", 0.0),
        "rule": CAUSAL,
        "layer_idx": layer_idx,
    }
    return options | changes


def attention_of(config: PretrainedConfig, layer_idx: int, **changes: Any) -> Attention:
    """The causal attention that a config describes; see `attention_options`."""
    options = attention_options(config, layer_idx, **changes)
    return Attention(config.hidden_size, config.num_attention_heads, **options)


def layer_rule(config: PretrainedConfig, layer_idx: int) -> MaskRule:
    """What a layer may see, from the config's `layer_types` and `sliding_window`.

    Without `layer_types` a window holds in every layer.
    """
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None)
    if kinds is None:
        return MaskRule(causal=True, window=window)
    return rule_of(kinds[layer_idx], window=window)


def gated_mlp_of(config: PretrainedConfig) -> GatedMLP:
    """The gated MLP that a config describes."""
    bias = getattr(config, "mlp_bias", False)
    return GatedMLP(config.hidden_size, config.intermediate_size, config.hidden_act, bias=bias)
