"""Transformer-XL: attention over a memory of earlier segments, by relative positions.

What stands before the beginning of a text is a memory of zeros, which tokens attend to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.generation import GenerationMixin
from zoo_core.heads.base import Headed
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.loss import IGNORED
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput, SequenceClassifierOutput
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import embed
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_core.nn.ssm import hide_padding, started
from zoo_text.relative_attention import RelativeAttention
from zoo_text.transfo_xl.adaptive import AdaptiveEmbedding, AdaptiveSoftmax
from zoo_text.transfo_xl.config import TransfoXLConfig

Memory = Cache | Sequence[Tensor]


class TransfoXLModelOutput(ModelOutput):
    """States, and `mems` for the next segment: each layer's inputs (mem_len, batch, hidden), or the cache."""

    last_hidden_state: Tensor
    mems: Memory | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class TransfoXLLMHeadModelOutput(ModelOutput):
    """Log-probabilities of the next word, or with labels the `losses` (batch, sequence - 1)."""

    losses: Tensor | None = None
    prediction_scores: Tensor | None = None
    mems: Memory | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    loss: Tensor | None = None

    @property
    def logits(self) -> Tensor | None:
        """`prediction_scores`, under the name that generation uses."""
        return self.prediction_scores


class TransfoXLSequenceClassifierOutputWithPast(SequenceClassifierOutput):
    """Scores of the labels."""

    mems: Memory | None = None


class TransfoXLPreTrainedModel(PreTrainedModel):
    """What all Transformer-XL classes share."""

    config_class = TransfoXLConfig
    base_model_prefix = "transformer"
    supports_gradient_checkpointing = False
    always_float32 = ("distances.inv_freq",)
    ignored_names = ("^transformer.r_w_bias", "^transformer.r_r_bias", "^r_w_bias", "^r_r_bias")

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Module:
        raise ValueError(
            "the vocabulary of a Transformer-XL is parted by frequency (config.cutoffs) and cannot be resized"
        )

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, TransfoXLAttention):
            for bias in (module.content_bias, module.position_bias):
                nn.init.normal_(bias, std=self.config.init_std)


@dataclass(frozen=True)
class View:
    """What the layers of a forward share; K is the memory's length and the segment's Q together.

    distances: (1, K, hidden) sinusoids of the distances K - 1 to 0. index: (Q, K) which of them lies between
    a token and a key. mask: what a token may see. begun: see `started`.
    """

    distances: Tensor
    index: Tensor
    mask: Mask
    begun: Tensor | None


class Distances(nn.Module):
    """Sinusoids of distances, up to `clamp_len`."""

    inv_freq: Tensor

    def __init__(self, size: int, most: int) -> None:
        super().__init__()
        self.most = most
        self.register_buffer("inv_freq", torch.empty((size + 1) // 2))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        steps = torch.arange(len(self.inv_freq), dtype=torch.float32) / len(self.inv_freq)
        self.inv_freq.copy_(1 / 10000**steps)

    def forward(self, count: int) -> Tensor:
        """(1, count, size) for distances count - 1 to 0."""
        distances = torch.arange(count - 1, -1, -1, device=self.inv_freq.device, dtype=torch.float32)
        if self.most > 0:
            distances = distances.clamp(max=self.most)
        angles = distances[:, None] * self.inv_freq.float()
        return torch.cat((angles.sin(), angles.cos()), dim=-1)[None]


class TransfoXLAttention(RelativeAttention):
    """Attention of a segment to the memory and itself."""

    hub_names = {
        ("q_proj", "k_proj", "v_proj"): Fused("qkv_net"),
        "o_proj": "o_net",
        "r_proj": "r_net",
        "content_bias": "r_w_bias",
        "position_bias": "r_r_bias",
    }

    def forward(  # type: ignore[override]
        self, hidden: Tensor, both: Tensor, view: View, *, head_mask: Tensor | None = None
    ) -> Tensor:
        """Tokens (batch, Q, hidden) attend to memory and tokens (batch, K, hidden)."""
        query, key, value = (
            self.split(part(x))
            for part, x in ((self.q_proj, hidden), (self.k_proj, both), (self.v_proj, both))
        )
        relative = self.split(self.r_proj(view.distances))
        bias = self.position_scores(query, relative, view.index) * self.scale
        query = query + self.content_bias[:, None]
        return self.merge(self.attend(query, key, value, view.mask, bias=bias, head_mask=head_mask))


class TransfoXLLayer(PostNormLayer):
    """Attention and a feed-forward block, with norms after them or, with `pre_lnorm`, before."""

    hub_names = {
        "self_attn": "dec_attn",
        "self_attn_layer_norm": "dec_attn.layer_norm",
        "mlp.fc1": "pos_ff.CoreNet.0",
        "mlp.fc2": "pos_ff.CoreNet.3",
        "final_layer_norm": "pos_ff.layer_norm",
    }

    def __init__(self, config: TransfoXLConfig) -> None:
        super().__init__(
            config.d_model,
            lambda size: nn.LayerNorm(size, eps=config.layer_norm_epsilon),
            self_attn=TransfoXLAttention(
                config.d_model, config.n_head, head_dim=config.d_head, bias=False, dropout=config.dropatt
            ),
            mlp=MLP(config.d_model, config.d_inner, "relu", activation_dropout=config.dropout),
            dropout=config.dropout,
        )
        self.norm_first = config.pre_lnorm

    def forward(  # type: ignore[override]
        self, hidden: Tensor, memory: Tensor, view: View, *, head_mask: Tensor | None = None
    ) -> Tensor:
        both = torch.cat((memory, hidden), dim=1)
        if not self.norm_first:
            taken = self.dropout(self.self_attn(hidden, both, view, head_mask=head_mask))
            hidden = self.self_attn_layer_norm(hidden + taken)
            return self.final_layer_norm(hidden + self.dropout(self.mlp(hidden)))
        both = self.self_attn_layer_norm(both)
        taken = self.self_attn(both[:, memory.shape[1] :], both, view, head_mask=head_mask)
        hidden = hidden + self.dropout(taken)
        return hidden + self.dropout(self.mlp(self.final_layer_norm(hidden)))


class TransfoXLModel(TransfoXLPreTrainedModel):
    """The model without a head."""

    hub_names = {"embed_tokens": "word_emb", "distances": "pos_emb"}

    def __init__(self, config: TransfoXLConfig) -> None:
        super().__init__(config)
        self.embed_tokens = AdaptiveEmbedding(config)
        self.distances = Distances(config.d_model, config.clamp_len)
        self.layers = nn.ModuleList(TransfoXLLayer(config) for _ in range(config.n_layer))
        self.dropout = nn.Dropout(config.dropout)
        self.post_init()

    def ties(self) -> dict[str, str]:
        """Without `untie_r` all layers share their biases."""
        if self.config.untie_r:
            return {}
        names = ("self_attn.content_bias", "self_attn.position_bias")
        return {
            f"layers.{i}.{name}": f"layers.0.{name}" for name in names for i in range(1, len(self.layers))
        }

    def forward(
        self,
        input_ids: Tensor | None = None,
        mems: Memory | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        attention_mask: Tensor | None = None,
        use_cache: bool | None = None,
    ) -> TransfoXLModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden).

        Args:
            mems: what the call for the segment before returned, or a cache, which keeps as much as makes
                token by token the same as all at once.
            attention_mask: (batch, cached and new tokens), 0 for padding on the left: it stands for nothing.
        """
        hidden = self.dropout(embed(self.embed_tokens, input_ids, inputs_embeds))
        cache = mems if isinstance(mems, Cache) else None
        memory = self.memory(hidden, mems)
        context = AttentionContext(hidden, attention_mask, cache=cache)
        view = self.view(hidden, memory[0].shape[1] if memory else 0, context)
        limit = self.config.mem_len if cache is None or self.config.same_length else None
        kept = []
        masks: Any = [None] * len(self.layers)
        if head_mask is not None:
            table = head_mask.expand(len(self.layers), -1) if head_mask.dim() == 1 else head_mask
            masks = table[:, None, :, None, None]
        for layer, remembered, mask in zip(self.layers, memory, masks, strict=True):
            hidden = hide_padding(hidden, view.begun)
            record(HIDDEN_STATES, hidden)
            both = torch.cat((remembered, hidden), dim=1).detach()
            kept.append(both if limit is None else both[:, max(both.shape[1] - limit, 0) :])
            hidden = layer(hidden, remembered, view, head_mask=mask)
        record(HIDDEN_STATES, hidden)
        hidden = self.dropout(hidden)
        if cache is None:
            following = [states.transpose(0, 1) for states in kept] if self.config.mem_len else None
            return TransfoXLModelOutput(last_hidden_state=hidden, mems=following)
        for i, states in enumerate(kept):
            slot = cache.state(i)
            slot.state["memory"], slot.seen = states, slot.seen + hidden.shape[1]
        return TransfoXLModelOutput(last_hidden_state=hidden, mems=cache)

    def memory(self, hidden: Tensor, mems: Memory | None) -> list[Tensor]:
        """What each layer remembers, (batch, M, hidden); zeros at the beginning."""
        if isinstance(mems, Cache) and mems.length:
            return [mems.state(i).state["memory"] for i in range(len(self.layers))]
        if mems is not None and not isinstance(mems, Cache):
            if len(mems) != len(self.layers):
                raise ValueError(f"mems has {len(mems)} tensors; this model has {len(self.layers)} layers")
            return [states.transpose(0, 1) for states in mems]
        nothing = hidden.new_zeros(hidden.shape[0], self.config.mem_len, hidden.shape[2])
        return [nothing] * len(self.layers)

    def view(self, hidden: Tensor, past: int, context: AttentionContext) -> View:
        """Who sees whom and how far apart, for tokens after `past` remembered ones."""
        length, device = hidden.shape[1], hidden.device
        total = past + length
        query, key = torch.arange(length, device=device)[:, None], torch.arange(total, device=device)
        allowed = key <= query + past
        if self.config.same_length:  # as many as the last token sees, or as fit the memory
            unseen = total - self.config.mem_len
            allowed = allowed & (key > query - (length - unseen if unseen > 0 else length))
        begun = started(context)
        allowed = allowed[None, None]
        if context.padding is not None and not self.config.same_length:
            real = context.padding[:, :, -1:].cumsum(-1) > 0
            covered = real[..., :total][..., -total:]
            allowed = allowed & nn.functional.pad(covered, (total - covered.shape[-1], 0), value=True)
        index = (length - 1 - query + key).clamp(max=total - 1)
        distances = self.dropout(self.distances(total).to(hidden.dtype))
        return View(distances, index, Mask(allowed=allowed), begun)


class TransfoXLLMHeadModel(GenerationMixin, Headed, TransfoXLPreTrainedModel):
    """Transformer-XL with an adaptive softmax."""

    base_class = TransfoXLModel
    cache_name = "mems"

    def build_head(self, config: TransfoXLConfig) -> None:
        self.crit = AdaptiveSoftmax(config)

    def ties(self) -> dict[str, str]:
        """Output tables are the embeddings, and projections where `tie_projs` says so."""
        found, config = {}, self.config
        if config.tie_word_embeddings:
            for i in range(len(self.crit.tables)):
                found[f"crit.tables.{i}.weight"] = f"model.embed_tokens.tables.{i}.weight"
        for i, tied in enumerate((config.tie_projs or [])[: len(self.crit.projections)]):
            if tied:
                owner = i if config.div_val > 1 else 0
                found[f"crit.projections.{i}"] = f"model.embed_tokens.projections.{owner}"
        return found

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        logits_to_keep: int = 0,
        **inputs: Any,
    ) -> TransfoXLLMHeadModelOutput:
        """Log-probabilities (batch, sequence, vocab_size); with `labels` (batch, sequence) losses alone."""
        outputs = self.model(input_ids, **inputs)
        hidden = outputs.last_hidden_state
        if labels is None:
            scores = self.crit(hidden[:, -logits_to_keep:])
            return TransfoXLLMHeadModelOutput.carry(outputs, prediction_scores=scores)
        wanted = labels[:, 1:].to(hidden.device)
        losses = self.crit.loss(hidden[:, :-1].flatten(0, 1), wanted.flatten()).view(wanted.shape)
        loss = losses.sum() / (wanted != IGNORED).sum()
        return TransfoXLLMHeadModelOutput.carry(outputs, losses=losses, loss=loss)


class TransfoXLForSequenceClassification(ForLastTokenClassification, TransfoXLPreTrainedModel):
    """Transformer-XL with a classifier on the last token."""

    base_class = TransfoXLModel
    output_class = TransfoXLSequenceClassifierOutputWithPast
