"""Funnel Transformer: an encoder that halves the sequence from block to block, and a decoder that undoes it.

See https://arxiv.org/abs/2006.03236.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Reshaped, Transposed
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForMaskedLM
from zoo_core.heads.pooled import ForMultipleChoice, ForSequenceClassification, Pooled
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import Mask
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record
from zoo_text.electra.model import ElectraForPreTrainingOutput, ForReplacedTokens
from zoo_text.funnel.config import FunnelConfig
from zoo_text.relative_attention import SegmentAttention

CLS_SEGMENT = 2
"""The segment of the first token, which is of one segment with all others."""


def pooled(states: Tensor, config: FunnelConfig, kind: str) -> Tensor:
    """(batch, sequence, features) with each two neighbours made one: by "mean", "max" or "min"."""
    if config.separate_cls:
        rest = states[:, :-1] if config.truncate_seq else states
        states = torch.cat((states[:, :1], rest), dim=1)
    features = states.transpose(1, 2)
    if kind == "mean":
        made = F.avg_pool1d(features, 2, ceil_mode=True)
    elif kind == "max":
        made = F.max_pool1d(features, 2, ceil_mode=True)
    else:
        made = -F.max_pool1d(-features, 2, ceil_mode=True)
    return made.transpose(1, 2)


@dataclass(frozen=True)
class Level:
    """A sequence at one resolution: states `step` tokens apart, the first at `start`.

    segments: (batch, sequence). mask: (batch, sequence), 1 for what may be seen, 0 for padding.
    """

    start: int
    step: int
    segments: Tensor
    mask: Tensor

    def pooled(self, config: FunnelConfig) -> Level:
        """The next, coarser level; a pair of which one is padding is padding."""
        mask = pooled(self.mask[..., None], config, "min")[..., 0]
        if not config.separate_cls:
            return Level(self.start, 2 * self.step, self.segments[:, ::2], mask)
        last = -1 if config.truncate_seq else None
        segments = torch.cat((self.segments[:, :1], self.segments[:, 1:last:2]), dim=1)
        return Level(self.start - self.step, 2 * self.step, segments, mask)


@dataclass(frozen=True)
class View:
    """How the Q states of one level see the K states of another or the same.

    distances: (1, D, hidden), sinusoids of the distances that occur. index: (Q, K) which of them lies between
    query and key. same: bool (batch, 1, Q, K), of one segment. mask: what padding adds to the scores.
    """

    distances: Tensor
    index: Tensor
    same: Tensor
    mask: Tensor

    @classmethod
    def between(cls, query: Level, key: Level, hidden: Tensor) -> View:
        """The view of `key` from `query`; `hidden` has the dtype and the width of the states."""
        queries, keys = query.segments.shape[1], key.segments.shape[1]
        offset, stride = (query.start - key.start) // key.step, query.step // key.step
        first, last = offset - (keys - 1), offset + stride * (queries - 1)
        device, half = hidden.device, hidden.shape[-1] // 2
        distances = torch.arange(first, last + 1, device=device, dtype=torch.float32) * key.step
        angles = distances[:, None] / 10000 ** (torch.arange(half, device=device) / half)
        rows = offset + stride * torch.arange(queries, device=device)
        one, other = query.segments[:, None, :, None], key.segments[:, None, None, :]
        lowest = max(-1e6, torch.finfo(hidden.dtype).min)
        return cls(
            distances=torch.cat((angles.sin(), angles.cos()), dim=-1)[None].to(hidden.dtype),
            index=rows[:, None] - torch.arange(keys, device=device) - first,
            same=(one == other) | (one == CLS_SEGMENT) | (other == CLS_SEGMENT),
            mask=lowest * (1 - key.mask[:, None, None].to(hidden.dtype)),
        )


class FunnelAttention(SegmentAttention):
    """Attention to the states of one's own level, or of the finer one."""

    implementation = "eager"  # rows that see padding alone depend on the order of additions

    def __init__(self, config: FunnelConfig) -> None:
        size, heads = config.d_model, config.n_head
        super().__init__(size, heads, head_dim=config.d_head, dropout=config.attention_dropout)
        self.q_proj = Linear(size, heads * config.d_head, bias=False)
        self.separate_cls = config.separate_cls
        self.position_dropout = nn.Dropout(config.hidden_dropout)
        self.hub_names = {
            **{f"{part}_proj": f"{part}_head" for part in "qkv"},
            "o_proj": "post_proj",
            "r_proj.weight": Transposed(Reshaped("r_kernel", (size, heads, -1))),
            "content_bias": "r_w_bias",
            "position_bias": "r_r_bias",
            "segment_bias": "r_s_bias",
            "segment_embed": "seg_embed",
        }

    def forward(self, hidden: Tensor, view: View, *, source: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """States (batch, Q, hidden) attend to `source` (batch, K, hidden), by default to themselves."""
        source = hidden if source is None else source
        query, key, value = (
            self.split(part(x))
            for part, x in ((self.q_proj, hidden), (self.k_proj, source), (self.v_proj, source))
        )
        relative = self.split(self.r_proj(self.position_dropout(view.distances)))
        bias = self.position_scores(query, relative, view.index) + self.segment_scores(query, view.same)
        if self.separate_cls:  # the first state stands nowhere
            bias = F.pad(bias[..., 1:, 1:], (1, 0, 1, 0))
        content = query + self.content_bias[:, None]
        bias = bias * self.scale
        attended, weights = self.weigh(content, key, value, Mask(bias=view.mask), bias=bias)
        record(ATTENTIONS, weights)
        return self.merge(attended)


class FunnelLayer(PostNormLayer):
    """Attention and a feed-forward block."""

    hub_names = {
        "self_attn": "attention",
        "self_attn_layer_norm": "attention.layer_norm",
        "mlp.fc1": "ffn.linear_1",
        "mlp.fc2": "ffn.linear_2",
        "final_layer_norm": "ffn.layer_norm",
    }

    def __init__(self, config: FunnelConfig) -> None:
        dropout, size = config.activation_dropout, config.d_model
        super().__init__(
            size,
            lambda size: nn.LayerNorm(size, eps=config.layer_norm_eps),
            self_attn=FunnelAttention(config),
            mlp=MLP(size, config.d_inner, config.hidden_act, activation_dropout=dropout),
            dropout=config.hidden_dropout,
        )


class FunnelEncoder(nn.Module):
    """Blocks of layers, each but the first at half the resolution of the one before."""

    def __init__(self, config: FunnelConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleList(
            nn.ModuleList(FunnelLayer(config) for _ in range(size)) for size in config.block_sizes
        )

    def forward(self, hidden: Tensor, level: Level) -> tuple[Tensor, Tensor]:
        """States (batch, sequence, hidden) to those of the last block, and of the first at full length."""
        config, done = self.config, 0
        full = hidden
        record(HIDDEN_STATES, hidden)
        for i, (block, repeats) in enumerate(zip(self.blocks, config.block_repeats or (), strict=True)):
            halves = i > 0 and hidden.shape[1] > (2 if config.separate_cls else 1)
            finer, level = level, level.pooled(config) if halves else level
            view = View.between(level, level, hidden)
            assert isinstance(block, nn.ModuleList)
            for layer in (layer for layer in block for _ in range(repeats)):
                if halves:
                    source, hidden = hidden, pooled(hidden, config, config.pooling_type)
                    halves = False
                    if config.pool_q_only:
                        hidden = layer(hidden, View.between(level, finer, hidden), source=source)
                    else:
                        hidden = layer(hidden, view)
                else:
                    hidden = layer(hidden, view)
                record(HIDDEN_STATES, hidden)
                done += 1
                if done == config.block_sizes[0]:  # of the first block also where its layers repeat
                    full = hidden
        return hidden, full


class FunnelDecoder(nn.Module):
    """Layers at full length, on the coarse states repeated and the states of the first block."""

    def __init__(self, config: FunnelConfig) -> None:
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(FunnelLayer(config) for _ in range(config.num_decoder_layers))

    def forward(self, coarse: Tensor, full: Tensor, level: Level) -> Tensor:
        """(batch, few, hidden) and (batch, sequence, hidden) to (batch, sequence, hidden)."""
        config, length = self.config, full.shape[1]
        stride = 2 ** (len(config.block_sizes) - 1)
        kept = int(config.separate_cls)
        repeated = coarse[:, kept:].repeat_interleave(stride, dim=1)
        if config.separate_cls and config.truncate_seq:
            repeated = F.pad(repeated, (0, 0, 0, stride - 1))
        hidden = full + torch.cat((coarse[:, :kept], repeated), dim=1)[:, :length]
        view = View.between(level, level, hidden)
        record(HIDDEN_STATES, hidden)
        for layer in self.layers:
            hidden = layer(hidden, view)
            record(HIDDEN_STATES, hidden)
        return hidden


class FunnelPreTrainedModel(PreTrainedModel):
    """What all Funnel classes share."""

    config_class = FunnelConfig
    base_model_prefix = "funnel"
    supports_gradient_checkpointing = False

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        std, bound = self.config.initializer_std, self.config.initializer_range
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=std or sum(module.weight.shape) ** -0.5)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=1.0 if std is None else std)
        elif isinstance(module, FunnelAttention):
            for own in (module.r_proj.weight, *module.parameters(recurse=False)):
                nn.init.uniform_(own, -bound, bound)


class FunnelBaseModel(FunnelPreTrainedModel):
    """The encoder alone: few states for a long sequence, the first for all of it."""

    def __init__(self, config: FunnelConfig) -> None:
        super().__init__(config)
        self.embeddings = TextEmbeddings(
            config.vocab_size,
            config.d_model,
            max_positions=0,
            type_vocab_size=0,
            pad_token_id=None,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout,
        )
        self.encoder = FunnelEncoder(config)
        self.decoder = self.make_decoder(config)
        self.post_init()

    def make_decoder(self, config: FunnelConfig) -> FunnelDecoder | None:
        """What restores the length; nothing here."""
        return None

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutput:
        """ids (batch, sequence) to states (batch, few, hidden), or with a decoder (batch, sequence, hidden).

        Args:
            attention_mask: (batch, sequence), 0 for padding.
            token_type_ids: (batch, sequence) segments; the tokenizer gives the first token one of its own.
            position_ids, head_mask: not read; they are inputs of the family all the same.
        """
        hidden = self.embeddings(input_ids, inputs_embeds=inputs_embeds)
        shape = hidden.shape[:2]
        level = Level(
            start=0,
            step=1,
            segments=hidden.new_zeros(shape, dtype=torch.long) if token_type_ids is None else token_type_ids,
            mask=hidden.new_ones(shape) if attention_mask is None else attention_mask.to(hidden.dtype),
        )
        hidden, full = self.encoder(hidden, level)
        if self.decoder is not None:
            hidden = self.decoder(hidden, full, level)
        return BaseModelOutput(last_hidden_state=hidden)


class FunnelModel(FunnelBaseModel):
    """Encoder and decoder: a state for each token."""

    def make_decoder(self, config: FunnelConfig) -> FunnelDecoder:
        return FunnelDecoder(config)


class FunnelForPreTrainingOutput(ElectraForPreTrainingOutput):
    """Scores (batch, sequence): positive where a token was replaced."""


class FunnelForPreTraining(ForReplacedTokens, FunnelPreTrainedModel):
    """Funnel Transformer as ELECTRA's discriminator."""

    base_class = FunnelModel
    output_class = FunnelForPreTrainingOutput


class FunnelForMaskedLM(ForMaskedLM, FunnelPreTrainedModel):
    """Funnel Transformer with a language modeling head."""

    base_class = FunnelModel
    tied_weights = {"lm_head.weight": "model.embeddings.word_embeddings.weight"}

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        return Linear(config.hidden_size, config.vocab_size)


class ClassificationHead(nn.Module):
    """Dense layer, tanh, dropout, scores."""

    def __init__(self, config: FunnelConfig, labels: int) -> None:
        super().__init__()
        self.linear_hidden = nn.Linear(config.d_model, config.d_model)
        self.dropout = nn.Dropout(config.hidden_dropout)
        self.linear_out = nn.Linear(config.d_model, labels)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.linear_out(self.dropout(self.linear_hidden(hidden).tanh()))


class FirstState(Pooled):
    """A head on the first state of the encoder alone."""

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.dropout = nn.Identity()  # the head has its own
        assert isinstance(config, FunnelConfig)
        self.classifier = ClassificationHead(config, self.classifier.out_features)

    def pooled(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state[:, 0]


class FunnelForSequenceClassification(FirstState, ForSequenceClassification, FunnelPreTrainedModel):
    """Funnel encoder with a classifier on the first state."""

    base_class = FunnelBaseModel


class FunnelForMultipleChoice(FirstState, ForMultipleChoice, FunnelPreTrainedModel):
    """Funnel encoder with one score for each choice."""

    base_class = FunnelBaseModel


class FunnelForTokenClassification(ForTokenClassification, FunnelPreTrainedModel):
    """Funnel Transformer with a classifier on each token."""

    base_class = FunnelModel


class FunnelForQuestionAnswering(ForQuestionAnswering, FunnelPreTrainedModel):
    """Funnel Transformer with scores of an answer's first and last token."""

    base_class = FunnelModel
