"""GPTSAN-japanese: a prefix language model of switch layers, steered by a vector, the spout."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MoeCausalLMOutputWithPast, MoeModelOutputWithPast
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import check_positions, embed
from zoo_core.nn.layer import BranchNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, AttentionContext, Mask
from zoo_core.nn.mlp import MLP
from zoo_core.nn.moe import Router
from zoo_core.nn.stack import run_layers
from zoo_text.gptsan_japanese.config import GPTSanJapaneseConfig
from zoo_text.switch_transformers.model import SwitchExperts, SwitchMLP


class GPTSanJapanesePreTrainedModel(PreTrainedModel):
    """What all GPTSAN classes share."""

    config_class = GPTSanJapaneseConfig
    base_model_prefix = "model"

    def _init_weights(self, module: nn.Module) -> None:
        factor, size = self.config.initializer_factor, self.config.d_model
        if isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=factor)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=factor * module.in_features**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, SwitchExperts):
            nn.init.normal_(module.fc1, std=factor * size**-0.5)
            nn.init.normal_(module.fc2, std=factor * size**-0.5)
        elif isinstance(module, Router):
            nn.init.normal_(module.weight, std=factor)
        elif isinstance(module, nn.LayerNorm):
            nn.init.constant_(module.weight, factor)
            nn.init.zeros_(module.bias)


class SpoutAttention(Attention):
    """Causal attention whose first key and value come from the spout, where there is one."""

    def remember(self, key: Tensor, value: Tensor, context: AttentionContext) -> tuple[Tensor, Tensor, Mask]:
        key, value, mask = super().remember(key, value, context)
        spout = context.shared.get("spout")
        if spout is None or self.layer_idx is None:
            return key, value, mask
        first = spout[:, self.layer_idx]  # (batch, key and value, heads, width)
        key, value = (torch.cat((first[:, i, :, None], x), dim=2) for i, x in enumerate((key, value)))
        return key, value, Mask(bias=None if mask.bias is None else F.pad(mask.bias, (1, 0)))


class GPTSanMLP(SwitchMLP):
    """One expert for each token, and a dense bypass; tokens that find theirs full stay as they are."""

    def __init__(self, config: GPTSanJapaneseConfig) -> None:
        super().__init__(config)  # type: ignore[arg-type]
        self.bypass = Linear(config.d_model, config.d_model, bias=False)

    def unvisited(self, hidden: Tensor, weight: Tensor) -> Tensor:
        return hidden * weight[..., None]

    def forward(self, hidden: Tensor) -> Tensor:
        return super().forward(hidden) + self.bypass(hidden).tanh()


class GPTSanLayer(BranchNormLayer):
    """Attention and feed-forward block; `extra` is added to the outcome of the last switch layer."""

    hub_names = {
        "self_attn": "self_attn.self_attn",
        "self_attn.o_proj": "self_attn.self_attn.out_proj",
        "post_attention_layernorm": "self_attn.norm",
        "mlp": "feed_forward.mlp",
        "mlp.fc1": "feed_forward.mlp.wi",
        "mlp.fc2": "feed_forward.mlp.wo",
        "mlp.bypass": "feed_forward.soft_bypass_mlp",
        "post_feedforward_layernorm": "feed_forward.norm",
    }

    def __init__(self, config: GPTSanJapaneseConfig, layer_idx: int) -> None:
        size, dense = config.d_model, layer_idx >= config.num_switch_layers
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_epsilon),
            self_attn=SpoutAttention(size, config.num_heads, bias=False, rule=CAUSAL, layer_idx=layer_idx),
            mlp=MLP(size, config.d_ext, "silu") if dense else GPTSanMLP(config),
        )

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, extra: Tensor | None = None, **attention: Any
    ) -> Tensor:
        hidden = super().forward(hidden, context, **attention)
        return hidden if extra is None else hidden + extra


class GPTSanJapaneseModel(GPTSanJapanesePreTrainedModel):
    """The model without a head.

    Tokens of `token_type_ids` 1, the prefix, are seen by all; others by later ones alone. `spout`
    (batch, d_spout) becomes the keys and values of a position before the first.
    """

    hub_names = {"layers": "blocks"}

    def __init__(self, config: GPTSanJapaneseConfig) -> None:
        super().__init__(config)
        size, positions, layers = config.d_model, config.max_position_embeddings, config.num_hidden_layers
        self.embed_tokens = nn.Embedding(config.vocab_size, size)
        self.position_embeddings = nn.Embedding(positions, size)
        self.extra_position_embeddings = nn.Embedding(positions, size) if config.num_ext_layers else None
        self.layers = nn.ModuleList(GPTSanLayer(config, i) for i in range(layers))
        self.last_project = Linear(size, size)
        self.spout = spout_projection(config.d_spout, layers * 2 * size) if config.d_spout else None
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        spout: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        position_ids: Tensor | None = None,
        use_cache: bool | None = None,
    ) -> MoeModelOutputWithPast:
        """ids (batch, sequence) to states (batch, sequence, hidden)."""
        cache = self.cache_for(past_key_values, use_cache)
        past = 0 if cache is None else cache.length
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        if position_ids is None:
            position_ids = torch.arange(past, past + hidden.shape[1], device=hidden.device)[None]
            if attention_mask is not None:  # positions begin where a row's padding ends
                before = (attention_mask.cumsum(1) == 0).sum(1, keepdim=True)
                position_ids = (position_ids - before).clamp(min=0)
        position_ids = position_ids + (spout is not None)
        check_positions(position_ids, self.position_embeddings.num_embeddings, past + hidden.shape[1] + 1)
        hidden = hidden + self.position_embeddings(position_ids)
        extra: list[Tensor | None] = [None] * len(self.layers)
        if self.extra_position_embeddings is not None:
            added = self.extra_position_embeddings(position_ids)
            if self.config.num_switch_layers:
                extra[self.config.num_switch_layers - 1] = added
            else:
                hidden = hidden + added
        mask = attention_mask
        if spout is not None or token_type_ids is not None:
            mask = prefix_scores(hidden, past, attention_mask, token_type_ids)
        context = AttentionContext(hidden, mask, cache=cache)
        context.blind_queries_average = True
        if spout is not None:
            context.shared["spout"] = self.spouted(spout)
        hidden = run_layers(
            self.layers,
            hidden,
            context,
            norm=lambda states: F.silu(self.last_project(states)),
            per_layer={"extra": extra},
            head_mask=head_mask,
            record_after=True,
        )
        return MoeModelOutputWithPast(last_hidden_state=hidden, past_key_values=cache)

    def spouted(self, spout: Tensor) -> Tensor:
        """Keys and values (batch, layers, 2, heads, width) of a spout (batch, d_spout)."""
        if self.spout is None:
            raise ValueError("this model has d_spout 0 and takes no spout")
        heads = self.config.num_attention_heads
        return self.spout(spout).view(len(spout), len(self.layers), 2, heads, -1)


def spout_projection(width: int, out: int) -> nn.Sequential:
    """Eight layers of `width`, and one to the keys and values of all layers."""
    steps = [part for _ in range(8) for part in (Linear(width, width, bias=False), nn.Tanh())]
    return nn.Sequential(*steps, Linear(width, out, bias=False))


def prefix_scores(
    hidden: Tensor, past: int, attention_mask: Tensor | None, token_type_ids: Tensor | None
) -> Tensor:
    """What is added to the scores (batch, 1, queries, keys): the lowest number where a key is not seen."""
    batch, length = hidden.shape[:2]
    key = torch.arange(past + length, device=hidden.device)
    seen = (key <= key[past:, None]).expand(batch, -1, -1)
    if token_type_ids is not None:
        seen = seen | F.pad(token_type_ids, (past, 0))[:, None, :].bool()
    if attention_mask is not None:
        seen = seen & attention_mask[:, None, :].bool()
    scores = torch.zeros(seen.shape, dtype=hidden.dtype, device=hidden.device)
    return scores.masked_fill(~seen, torch.finfo(hidden.dtype).min)[:, None]


class GPTSanJapaneseForConditionalGeneration(ForCausalLM, GPTSanJapanesePreTrainedModel):
    """GPTSAN with a language modeling head; labels stand where their tokens are predicted."""

    base_class = GPTSanJapaneseModel
    output_class = MoeCausalLMOutputWithPast
    shift_labels = False
    constant_inputs = ForCausalLM.constant_inputs | {"spout"}
    final_logits_bias: Tensor

    def build_head(self, config: GPTSanJapaneseConfig) -> None:
        super().build_head(config)
        self.register_buffer("final_logits_bias", torch.zeros(1, config.vocab_size))

    def score(self, hidden: Tensor) -> Tensor:
        return super().score(hidden) + self.final_logits_bias.to(hidden.dtype)
