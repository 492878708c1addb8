"""Bark: three transformers of GPT-2's layers, of which those of the last see both ways, and a codec."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.bark.config import (
    BarkCoarseConfig,
    BarkConfig,
    BarkFineConfig,
    BarkSemanticConfig,
    BarkSubModelConfig,
)
from zoo_audio.bark.generation import BarkGeneration, CoarseGeneration, FineGeneration, SemanticGeneration
from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithPast, MaskedLMOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import LearnedPositions, embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers


class BarkPreTrainedModel(PreTrainedModel):
    """What all Bark classes share."""

    ignored_names = ("*attn.bias",)


class BarkLayer(PreNormLayer):
    """A layer of GPT-2 under Bark's names."""

    def __init__(self, config: BarkSubModelConfig, layer_idx: int, *, causal: bool) -> None:
        attention = Attention(
            config.hidden_size,
            config.num_heads,
            bias=config.bias,
            dropout=config.dropout,
            rule=CAUSAL if causal else FULL,
            layer_idx=layer_idx if causal else None,
        )
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, bias=config.bias if causal else True),
            self_attn=attention,
            mlp=MLP(config.hidden_size, 4 * config.hidden_size, "gelu", bias=config.bias),
            dropout=config.dropout,
        )
        kinds = ("weight", "bias") if config.bias else ("weight",)
        self.hub_names: Any = {
            "input_layernorm": "layernorm_1",
            "post_attention_layernorm": "layernorm_2",
            "self_attn.o_proj": "attn.out_proj",
            "mlp.fc1": "mlp.in_proj",
            "mlp.fc2": "mlp.out_proj",
            **{
                tuple(f"self_attn.{x}_proj.{kind}" for x in "qkv"): Fused(f"attn.att_proj.{kind}")
                for kind in kinds
            },
        }


class BarkCausalModel(BarkPreTrainedModel, DecoderModel):
    """A decoder with learned positions and a head over another vocabulary than that of its input."""

    hub_names = {
        "embed_tokens": "input_embeds_layer",
        "embed_positions": "position_embeds_layer",
        "norm": "layernorm_final",
    }

    def __init__(self, config: BarkSubModelConfig) -> None:
        super().__init__(config)
        self.lm_head = Linear(config.hidden_size, config.output_vocab_size, bias=False)
        self.post_init()

    def make_embeddings(self, config: PretrainedConfig) -> None:
        self.embed_tokens = nn.Embedding(config.input_vocab_size, config.hidden_size)
        self.embed_positions = LearnedPositions(config.block_size, config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)

    def make_layer(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        return BarkLayer(config, layer_idx, causal=True)

    def make_norm(self, config: PretrainedConfig) -> nn.Module:
        return nn.LayerNorm(config.hidden_size, bias=config.bias)

    def make_rotary(self, config: PretrainedConfig) -> dict[str, nn.Module]:
        return {}

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        return self.dropout(hidden + self.embed_positions(position_ids, past, hidden))

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        input_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> CausalLMOutputWithPast:
        """ids (batch, sequence) to scores (batch, sequence, output vocabulary).

        `input_embeds` is Bark's name of `inputs_embeds`.
        """
        found = super().forward(
            input_ids,
            attention_mask,
            position_ids,
            past_key_values,
            inputs_embeds=input_embeds if inputs_embeds is None else inputs_embeds,
            **inputs,
        )
        return CausalLMOutputWithPast.carry(found, logits=self.lm_head(found.last_hidden_state))


class BarkSemanticModel(SemanticGeneration, BarkCausalModel):
    """Text to semantic tokens."""

    config_class = BarkSemanticConfig
    base_model_prefix = "semantic"


class BarkCoarseModel(CoarseGeneration, BarkCausalModel):
    """Semantic tokens to the codes of the first two codebooks in turn."""

    config_class = BarkCoarseConfig
    base_model_prefix = "coarse_acoustics"


class BarkFineModel(FineGeneration, BarkPreTrainedModel):
    """The codes of some codebooks to those of the next."""

    config_class = BarkFineConfig
    base_model_prefix = "fine_acoustics"
    main_input_name = "codebook_idx"
    hub_names = {
        "embed_tokens": "input_embeds_layers",
        "embed_positions": "position_embeds_layer",
        "norm": "layernorm_final",
    }

    def __init__(self, config: BarkFineConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.embed_tokens = nn.ModuleList(
            nn.Embedding(config.input_vocab_size, size) for _ in range(config.n_codes_total)
        )
        self.embed_positions = LearnedPositions(config.block_size, size)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(BarkLayer(config, i, causal=False) for i in range(config.num_layers))
        self.norm = nn.LayerNorm(size)
        self.lm_heads = nn.ModuleList(
            Linear(size, config.output_vocab_size, bias=False)
            for _ in range(config.n_codes_given, config.n_codes_total)
        )
        self.post_init()

    def ties(self) -> dict[str, str]:
        if not self.config.tie_word_embeddings:
            return {}
        return {f"lm_heads.{i}.weight": f"embed_tokens.{i + 1}.weight" for i in range(len(self.lm_heads))}

    def get_input_embeddings(self) -> nn.Module:
        return self.embed_tokens

    def forward(
        self,
        codebook_idx: int,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        input_embeds: Tensor | None = None,
    ) -> MaskedLMOutput:
        """Codes (batch, frames, codebooks) to scores (batch, frames, vocabulary) of codebook `codebook_idx`.

        Raises:
            ValueError: that codebook is given, or not there.
        """
        first, total = self.config.n_codes_given, self.config.n_codes_total
        if not max(first, 1) <= codebook_idx < total:
            raise ValueError(f"codebook_idx={codebook_idx} must be from {max(first, 1)} to {total - 1}")
        if (input_ids is None) == (input_embeds is None):
            raise ValueError("pass exactly one of input_ids and input_embeds")
        if input_ids is not None:
            tables = list(self.embed_tokens)[: codebook_idx + 1]
            parts = [table(ids) for table, ids in zip(tables, input_ids.unbind(-1), strict=False)]
            input_embeds = torch.stack(parts).sum(0)
        assert input_embeds is not None
        hidden = self.dropout(input_embeds + self.embed_positions(position_ids, 0, input_embeds))
        context = AttentionContext(hidden, attention_mask)
        hidden = run_layers(self.layers, hidden, context, norm=self.norm, head_mask=head_mask)
        return MaskedLMOutput(logits=self.lm_heads[codebook_idx - first](hidden))


class BarkModel(BarkGeneration, BarkPreTrainedModel):
    """Bark whole: text to sound by `generate`."""

    config_class = BarkConfig

    def __init__(self, config: BarkConfig) -> None:
        super().__init__(config)
        self.semantic = BarkSemanticModel(config.semantic_config)
        self.coarse_acoustics = BarkCoarseModel(config.coarse_acoustics_config)
        self.fine_acoustics = BarkFineModel(config.fine_acoustics_config)
        self.codec_model = build_part(config.codec_config)
        self.post_init()

    def forward(self, **inputs: Any) -> Any:
        """Bark has no pass of its own.

        Raises:
            NotImplementedError: always; says what to call.
        """
        raise NotImplementedError("BarkModel speaks by generate(input_ids); its parts have forwards")
