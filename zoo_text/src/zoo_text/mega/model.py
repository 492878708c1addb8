"""Mega: attention of a single gated head, on what moving averages have mixed (https://arxiv.org/abs/2209.10655)."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.heads.first_token import ForFirstTokenClassification
from zoo_core.heads.language import ForCausalLM, ForMaskedLM
from zoo_core.heads.pooled import ForMultipleChoice
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
)
from zoo_core.nn.activation import activation
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import embed
from zoo_core.nn.layer import has_source
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_text.bert.model import Pooler
from zoo_text.mega.attention import GatedAttention, GatedCrossAttention, MegaDropout, make_norm
from zoo_text.mega.config import MegaConfig


class FeedForward(nn.Module):
    """x + fc2(act(fc1(norm(x)))), or with the norm at the end."""

    def __init__(self, config: MegaConfig) -> None:
        super().__init__()
        self.norm = make_norm(config)
        self.pre_norm = config.normalize_before_ffn
        self.fc1 = Linear(config.hidden_size, config.nffn_hidden_size)
        self.fc2 = Linear(config.nffn_hidden_size, config.hidden_size)
        self.act = activation(config.activation)
        self.activation_dropout = MegaDropout(config.nffn_activation_dropout_prob, config)
        self.dropout = MegaDropout(config.hidden_dropout_prob, config)

    def forward(self, hidden: Tensor) -> Tensor:
        normed = self.norm(hidden) if self.pre_norm else hidden
        changed = self.dropout(self.fc2(self.activation_dropout(self.act(self.fc1(normed)))))
        return hidden + changed if self.pre_norm else self.norm(hidden + changed)


class MegaLayer(nn.Module):
    """Gated attention, cross-attention in a decoder that has it, and a feed-forward block."""

    hub_names = {
        "self_attn": "mega_layer",
        "self_attn.ema": "mega_layer.ema_gate",
        "self_attn.norm": "mega_layer.norm.norm",
        "cross_attn.norm": "cross_attn.norm.norm",
        "mlp": "nffn",
        "mlp.norm": "nffn.norm.norm",
    }

    def __init__(self, config: MegaConfig, layer_idx: int) -> None:
        super().__init__()
        self.self_attn = GatedAttention(config, layer_idx)
        self.cross_attn = GatedCrossAttention(config, layer_idx) if config.add_cross_attention else None
        self.mlp = FeedForward(config) if config.use_normalized_ffn else None

    def forward(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        hidden = self.self_attn(hidden, context)
        if self.cross_attn is not None and has_source(context):
            hidden = self.cross_attn(hidden, context)
        return hidden if self.mlp is None else self.mlp(hidden)


class MegaPreTrainedModel(PreTrainedModel):
    """What all Mega classes share."""

    config_class = MegaConfig
    base_model_prefix = "mega"
    supports_gradient_checkpointing = False

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, GatedAttention):
            nn.init.normal_(module.qk_weight, std=self.config.initializer_range)
            nn.init.zeros_(module.qk_bias)


class MegaModel(MegaPreTrainedModel):
    """Embeddings, layers, and unless switched off the pooler.

    With `is_decoder` in the config attention is causal; where moving averages read from one side too
    (`bidirectional` off) a cache may be used.
    """

    hub_names = {
        "embed_tokens": "embedding_layer.word_embeddings",
        "embed_token_types": "embedding_layer.token_type_embeddings",
    }

    def __init__(self, config: MegaConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.embed_tokens = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_token_id)
        types = nn.Embedding(config.type_vocab_size, size) if config.add_token_type_embeddings else None
        self.embed_token_types = types
        self.layers = nn.ModuleList(MegaLayer(config, i) for i in range(config.num_hidden_layers))
        self.pooler = Pooler(size) if add_pooling_layer else None
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, hidden)."""
        config = self.config
        caches = config.is_decoder and not config.bidirectional
        cache = self.cache_for(past_key_values, use_cache) if caches else None
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        if self.embed_token_types is not None:
            table = self.embed_token_types
            hidden = hidden + (table.weight[0] if token_type_ids is None else table(token_type_ids))
        context = AttentionContext(
            hidden,
            attention_mask,
            cache=cache,
            encoder_states=encoder_hidden_states,
            encoder_padding=encoder_attention_mask,
        )
        hidden = run_layers(self.layers, hidden, context)
        return BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden,
            pooler_output=None if self.pooler is None else self.pooler(hidden),
            past_key_values=cache,
        )


class LMHead(nn.Module):
    """A dense layer and tanh where the config has them, and scores of the vocabulary."""

    def __init__(self, config: PretrainedConfig, dropout: float = 0.0) -> None:
        super().__init__()
        size = config.hidden_size
        self.dense = nn.Linear(size, size) if config.add_lm_hidden_dense_layer else None
        self.dropout = nn.Dropout(dropout)
        self.decoder = Linear(size, config.vocab_size)

    def forward(self, hidden: Tensor) -> Tensor:
        if self.dense is not None:
            hidden = self.dense(hidden).tanh()
        return self.decoder(self.dropout(hidden))


class WithoutPooler(Headed):
    """A head on the states of all tokens."""

    base_class = MegaModel
    base_options = {"add_pooling_layer": False}


class LanguageModel(WithoutPooler):
    """Scores by the matrix of the embeddings."""

    tied_weights = {"lm_head.decoder.weight": "model.embed_tokens.weight"}


class MegaForMaskedLM(LanguageModel, ForMaskedLM, MegaPreTrainedModel):
    """Mega with a masked language modeling head."""

    head_names = {"lm_head": "", "lm_head.decoder": "mlm_head"}

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        return LMHead(config, config.hidden_dropout_prob)


class MegaForCausalLM(LanguageModel, ForCausalLM, MegaPreTrainedModel):
    """Mega with a language modeling head; set `is_decoder`, and `bidirectional` off, for a causal one."""

    head_names = {"lm_head": "", "lm_head.decoder": "lm_head"}
    output_class = CausalLMOutputWithCrossAttentions

    @property
    def caches(self) -> bool | None:  # type: ignore[override]
        """False where a token changes what those before it are."""
        return None if self.config.is_decoder and not self.config.bidirectional else False

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        return LMHead(config)


class MegaForSequenceClassification(ForFirstTokenClassification, MegaPreTrainedModel):
    """Mega with a classifier on the first token."""

    base_class = MegaModel


class MegaForMultipleChoice(ForMultipleChoice, MegaPreTrainedModel):
    """Mega with one score for each choice."""

    base_class = MegaModel


class MegaForTokenClassification(WithoutPooler, ForTokenClassification, MegaPreTrainedModel):
    """Mega with a classifier on each token."""


class MegaForQuestionAnswering(WithoutPooler, ForQuestionAnswering, MegaPreTrainedModel):
    """Mega with scores of an answer's first and last token."""
