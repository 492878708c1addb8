"""CPM-Ant: learned prompt tokens before the text, which is read in both directions and continued in one."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPast, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, current
from zoo_core.nn.relative_bias import relative_buckets
from zoo_core.nn.stack import run_layers
from zoo_text.cpmant.config import CpmAntConfig

#: segment numbers; padding counts as prompt
PROMPT, TEXT = 0, 2
#: which of the prompts in the embedding table is used
PROMPT_TYPE = 2


class CpmAntPreTrainedModel(PreTrainedModel):
    """What all CPM-Ant classes share."""

    config_class = CpmAntConfig
    base_model_prefix = "cpmant"


class CpmAntAttention(Attention):
    """Attention whose cache keeps the prompt apart, so that its length is that of the text."""

    def __init__(self, config: CpmAntConfig, layer_idx: int) -> None:
        super().__init__(
            config.hidden_size,
            config.num_attention_heads,
            head_dim=config.dim_head,
            bias=False,
            layer_idx=layer_idx,
        )
        self.prompt_length = config.prompt_length

    def remember(self, key: Tensor, value: Tensor, context: AttentionContext) -> tuple[Tensor, Tensor, Mask]:
        if context.cache is not None and self.layer_idx is not None:
            prompt = context.cache.cross_attention(self.layer_idx)
            if prompt.key is None or prompt.value is None:
                cuts = [self.prompt_length, key.shape[2] - self.prompt_length]
                prompt.key, key = key.split(cuts, dim=2)
                prompt.value, value = value.split(cuts, dim=2)
            key, value = context.cache.attention(self.layer_idx).update(key, value)
            key, value = torch.cat((prompt.key, key), dim=2), torch.cat((prompt.value, value), dim=2)
        return key, value, context.mask(self.rule, key.shape[2])


class SegmentBias(nn.Module):
    """A bias for each distance within a segment, and for each pair of different segments."""

    def __init__(self, config: CpmAntConfig) -> None:
        super().__init__()
        self.buckets, self.segments = config.position_bias_num_buckets, config.segment_types
        self.max_distance = config.position_bias_max_distance
        rows = self.segments**2 + self.buckets
        self.relative_attention_bias = nn.Parameter(torch.zeros(rows, config.num_attention_heads))

    def forward(self, segments: Tensor, queries: int) -> Tensor:
        """Segments of all positions (batch, K) to biases (batch, heads, Q, K) of the last Q as queries."""
        place = torch.arange(segments.shape[1], device=segments.device)
        distance = place[None, :] - place[-queries:, None]
        near = relative_buckets(
            distance, buckets=self.buckets, max_distance=self.max_distance, bidirectional=True
        )
        of_query, of_key = segments[:, -queries:, None], segments[:, None, :]
        across = of_query * self.segments + of_key + self.buckets
        index = torch.where(of_query == of_key, near, across)
        return self.relative_attention_bias[index].permute(0, 3, 1, 2)


class CpmAntModel(CpmAntPreTrainedModel, DecoderModel):
    """The model without a head; outputs leave the prompt out."""

    hub_names = {
        "embed_tokens": "input_embedding",
        "layers": "encoder.layers",
        "layers.*.input_layernorm": "encoder.layers.*.self_att.layernorm_before_attention",
        "layers.*.self_attn.q_proj": "encoder.layers.*.self_att.self_attention.project_q",
        "layers.*.self_attn.k_proj": "encoder.layers.*.self_att.self_attention.project_k",
        "layers.*.self_attn.v_proj": "encoder.layers.*.self_att.self_attention.project_v",
        "layers.*.self_attn.o_proj": "encoder.layers.*.self_att.self_attention.attention_out",
        "layers.*.post_attention_layernorm": "encoder.layers.*.ffn.layernorm_before_ffn",
        "layers.*.mlp.gate_proj": "encoder.layers.*.ffn.ffn.w_in.w_0",
        "layers.*.mlp.up_proj": "encoder.layers.*.ffn.ffn.w_in.w_1",
        "layers.*.mlp.down_proj": "encoder.layers.*.ffn.ffn.w_out",
        "norm": "encoder.output_layernorm",
    }

    def make_embeddings(self, config: CpmAntConfig) -> None:
        rows = config.vocab_size + config.prompt_types * config.prompt_length
        self.embed_tokens = nn.Embedding(rows, config.hidden_size)
        self.segment_embedding = nn.Embedding(config.segment_types, config.hidden_size)
        self.position_bias = SegmentBias(config)

    def make_layer(self, config: CpmAntConfig, layer_idx: int) -> nn.Module:
        mlp = GatedMLP(config.hidden_size, config.dim_ff, "gelu", dropout=config.dropout_p)
        return PreNormLayer(
            config.hidden_size,
            self.norm_of(config),
            self_attn=CpmAntAttention(config, layer_idx),
            mlp=mlp,
            dropout=config.dropout_p,
        )

    def norm_of(self, config: CpmAntConfig) -> NormFactory:
        return partial(RMSNorm, eps=config.eps)

    def make_rotary(self, config: CpmAntConfig) -> dict[str, nn.Module]:
        return {}

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        use_cache: bool | None = None,
        context_length: int | None = None,
    ) -> ModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden).

        Args:
            attention_mask: 0 for padding; by default id 0 is padding, as many at the start as there are.
            context_length: tokens that see each other in both directions, by default all; later ones see
                what is before them. `generate` passes the length of its prompt.
        """
        if input_ids is None:
            raise ValueError("CPM-Ant puts prompt tokens before the text and so needs input_ids")
        cache = self.cache_for(past_key_values, use_cache)
        past, prompt = 0 if cache is None else cache.length, self.config.prompt_length
        segments, real = self.read_padding(input_ids, attention_mask, past, context_length)
        ids = input_ids.long()
        if past == 0:
            first = self.config.vocab_size + PROMPT_TYPE * prompt
            added = torch.arange(first, first + prompt, device=ids.device)
            ids = torch.cat((added.expand(ids.shape[0], -1), ids), dim=1)
        queries = ids.shape[1]
        hidden = self.embed_tokens(ids) + self.segment_embedding(segments[:, -queries:])
        place = torch.arange(real.shape[1], device=ids.device)
        context_end = real.shape[1] if context_length is None else prompt + context_length
        seen = (place < context_end) | (place[None, :] <= place[-queries:, None])
        context = AttentionContext(hidden, seen & real[:, None, :] & real[:, -queries:, None], cache=cache)
        bias = self.position_bias(segments, queries).to(hidden.dtype)
        hidden = run_layers(self.layers, hidden, context, norm=self.finish, bias=bias)
        start = prompt if past == 0 else 0
        states, weights = recorded(HIDDEN_STATES), recorded(ATTENTIONS)
        return BaseModelOutputWithPast(
            last_hidden_state=hidden[:, start:],
            past_key_values=cache,
            hidden_states=states and tuple(state[:, start:] for state in states),
            attentions=weights and tuple(weight[..., start:, prompt:] for weight in weights),
        )

    def read_padding(
        self, input_ids: Tensor, attention_mask: Tensor | None, past: int, context_length: int | None
    ) -> tuple[Tensor, Tensor]:
        """Segments, and what is not padding, of all positions (batch, prompt + past + new)."""
        if attention_mask is None:
            text = torch.nn.functional.pad(input_ids != 0, (past, 0), value=True)
            place = torch.arange(text.shape[1], device=text.device)
            if context_length is not None:
                text = text | (place >= context_length)  # what the model writes is never padding
            real = place >= (~text).sum(1, keepdim=True)
        else:
            text = real = attention_mask != 0
        ahead = (self.config.prompt_length, 0)
        segments = torch.nn.functional.pad(text.long() * TEXT, ahead, value=PROMPT)
        return segments, torch.nn.functional.pad(real, ahead, value=True)


def recorded(name: str) -> list[Tensor] | None:
    """What the call under way has collected under `name`, if it was asked to."""
    return None if current.recording is None else current.recording.taken.get(name)


class CpmAntForCausalLM(ForCausalLM, CpmAntPreTrainedModel):
    """CPM-Ant with scores over the vocabulary and the prompt tokens; labels are not shifted."""

    base_class = CpmAntModel
    shift_labels = False

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        rows = config.vocab_size + config.prompt_types * config.prompt_length
        return Linear(config.hidden_size, rows, bias=False)

    def generate(self, inputs: Tensor | None = None, *args: Any, **kwargs: Any) -> Tensor | ModelOutput:
        """As `GenerationMixin.generate`; the prompt is read in both directions."""
        prompt = kwargs.get("input_ids") if inputs is None else inputs
        if prompt is not None:
            kwargs.setdefault("context_length", prompt.shape[1])
            if kwargs.get("attention_mask") is None and not bool((prompt != 0).all()):
                kwargs["attention_mask"] = (prompt != 0).long()
        return super().generate(inputs, *args, **kwargs)
