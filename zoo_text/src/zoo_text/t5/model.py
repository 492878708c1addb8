"""T5: pre-norm stacks without biases, with scalar relative positions that all layers share."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import T5, T5_DECODER_LAYER, T5_ENCODER_LAYER
from zoo_core.heads.seq2seq import (
    ForConditionalGeneration,
    ForSeq2SeqQuestionAnswering,
    ForSeq2SeqSequenceClassification,
)
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    ModelOutput,
)
from zoo_core.modeling.seq2seq import Seq2SeqModel, Seq2SeqStack, shift_tokens_right
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext
from zoo_core.nn.mlp import MLP, GatedMLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.relative_bias import RelativeBias
from zoo_text.t5.config import T5Config


class T5PreTrainedModel(PreTrainedModel):
    """What all T5 classes share."""

    config_class = T5Config
    base_model_prefix = "transformer"
    ignored_names = (
        "decoder.layers.0.cross_attn.relative_attention_bias",
        "layer.1.EncDecAttention.relative*",
    )
    keep_in_float32 = ("mlp.fc2", "mlp.down_proj")

    def _init_weights(self, module: nn.Module) -> None:
        config, factor = self.config, self.config.initializer_factor
        wide = factor * config.d_model**-0.5
        if isinstance(module, RMSNorm):
            nn.init.constant_(module.weight, factor)
        elif isinstance(module, T5Attention):
            nn.init.normal_(module.q_proj.weight, std=wide * config.d_kv**-0.5)
            nn.init.normal_(module.o_proj.weight, std=factor * (config.num_heads * config.d_kv) ** -0.5)
        elif isinstance(module, nn.Linear) and module.in_features == config.d_ff:
            nn.init.normal_(module.weight, std=factor * config.d_ff**-0.5)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=wide)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=wide if isinstance(module, RelativeBias) else factor)


def relative_bias(config: T5Config, *, decoder: bool) -> RelativeBias:
    """The biases of a stack."""
    return RelativeBias(
        config.num_heads,
        buckets=config.relative_attention_num_buckets,
        max_distance=config.relative_attention_max_distance,
        bidirectional=not decoder,
    )


class T5Attention(Attention):
    """Unscaled attention; the first layer of a stack holds the relative bias and computes it for all."""

    def __init__(self, config: T5Config, layer_idx: int, *, decoder: bool, cross: bool = False) -> None:
        super().__init__(
            config.d_model,
            config.num_heads,
            head_dim=config.d_kv,
            bias=False,
            scale=1.0,
            dropout=config.dropout_rate,
            rule=CAUSAL if decoder and not cross else FULL,
            layer_idx=layer_idx,
            cross=cross,
        )
        self.relative_attention_bias: RelativeBias | None = None
        if layer_idx == 0 and not cross:
            self.relative_attention_bias = relative_bias(config, decoder=decoder)

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor | None:
        if self.cross:
            return None
        if self.relative_attention_bias is not None:
            keys = torch.arange(key.shape[2], device=key.device)
            context.shared["relative_bias"] = self.relative_attention_bias(context.positions, keys)
        return context.shared["relative_bias"]


class T5Norm(RMSNorm):
    """Gives its weight's dtype, also where float32 feed-forward blocks have made the states wider."""

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight
        assert weight is not None
        if x.dtype is weight.dtype:
            return super().forward(x)
        return weight * F.rms_norm(x.float(), x.shape[-1:], None, self.eps).to(weight.dtype)


class T5Output(Linear):
    """The last matrix of a feed-forward block, which is float32 where the rest is float16."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.to(self.weight.dtype))


class T5Layer(PreNormLayer):
    """Self-attention, in a decoder cross-attention, and a feed-forward block that may be gated."""

    def __init__(self, config: T5Config, layer_idx: int, *, decoder: bool) -> None:
        self_attn = T5Attention(config, layer_idx, decoder=decoder)
        if config.is_gated_act:
            mlp: nn.Module = GatedMLP(
                config.d_model, config.d_ff, config.dense_act_fn, dropout=config.dropout_rate
            )
            mlp.down_proj = T5Output(config.d_ff, config.d_model, bias=False)
        else:
            mlp = MLP(
                config.d_model,
                config.d_ff,
                config.dense_act_fn,
                bias=False,
                activation_dropout=config.dropout_rate,
            )
            mlp.fc2 = T5Output(config.d_ff, config.d_model, bias=False)
        super().__init__(
            config.d_model,
            partial(T5Norm, eps=config.layer_norm_epsilon),
            self_attn=self_attn,
            mlp=mlp,
            cross_attn=T5Attention(config, layer_idx, decoder=True, cross=True) if decoder else None,
            dropout=config.dropout_rate,
        )
        self.hub_names = T5_DECODER_LAYER if decoder else T5_ENCODER_LAYER


class T5Stack(T5PreTrainedModel, Seq2SeqStack):
    """The encoder, or the decoder."""

    hub_names = T5

    def depth(self, config: T5Config) -> int:
        return config.num_decoder_layers if self.is_decoder else config.num_layers

    def make_embeddings(self, config: T5Config) -> nn.Embedding:
        return nn.Embedding(config.vocab_size, config.d_model)

    def make_inputs(self, config: T5Config) -> None:
        self.dropout = nn.Dropout(config.dropout_rate)

    def make_layer(self, config: T5Config, layer_idx: int) -> nn.Module:
        return T5Layer(config, layer_idx, decoder=self.is_decoder)

    def make_norm(self, config: T5Config) -> nn.Module:
        return T5Norm(config.d_model, config.layer_norm_epsilon)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        return self.dropout(embed(self.embed_tokens, input_ids, inputs_embeds))

    def finish(self, hidden: Tensor) -> Tensor:
        return self.dropout(hidden)


class T5Model(Seq2SeqModel, T5PreTrainedModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class: ClassVar[type[T5Stack]] = T5Stack

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.make_stacks(config)
        self.post_init()

    def make_stacks(self, config: T5Config) -> None:
        """Create `encoder` and `decoder`."""
        self.encoder = self.stack_class(config)
        self.decoder = self.stack_class(config, decoder=True)


class T5EncoderModel(T5PreTrainedModel):
    """The encoder alone, under the names of the whole model."""

    stack_class: ClassVar[type[T5Stack]] = T5Stack

    def __init__(self, config: T5Config) -> None:
        super().__init__(config)
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = self.stack_class(config)
        self.post_init()

    def ties(self) -> dict[str, str]:
        return {"encoder.embed_tokens.weight": "shared.weight"}

    def get_encoder(self) -> nn.Module:
        return self.encoder

    def forward(self, input_ids: Tensor | None = None, **inputs: Any) -> ModelOutput:
        return self.encoder(input_ids, **inputs)


class T5ForConditionalGeneration(ForConditionalGeneration, T5PreTrainedModel):
    """T5 with a language modeling head; tied to the embeddings it takes scaled states."""

    base_class = T5Model
    base_name = ""
    tied_weights = {"lm_head.weight": "model.shared.weight"}

    def score(self, hidden: Tensor) -> Tensor:
        if self.config.tie_word_embeddings:
            hidden = hidden * self.config.d_model**-0.5
        return super().score(hidden)


class T5InputsFromSource(T5PreTrainedModel):
    """The decoder of a classifier reads the source, shifted, unless told otherwise."""

    def forward(
        self, input_ids: Tensor | None = None, *, decoder_input_ids: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        if (
            decoder_input_ids is None
            and inputs.get("decoder_inputs_embeds") is None
            and input_ids is not None
        ):
            start = self.config.decoder_start_token_id
            decoder_input_ids = shift_tokens_right(input_ids, self.config.pad_token_id, start)
        return super().forward(input_ids, decoder_input_ids=decoder_input_ids, **inputs)


class T5ForSequenceClassification(T5InputsFromSource, ForSeq2SeqSequenceClassification):
    """T5 with a classifier on the last end-of-sequence token."""

    base_class = T5Model


class T5ForQuestionAnswering(T5InputsFromSource, ForSeq2SeqQuestionAnswering):
    """T5 with scores of an answer's first and last token."""

    base_class = T5Model
    base_name = ""


class T5ForTokenClassification(ForTokenClassification, T5PreTrainedModel):
    """T5's encoder with a classifier on each token."""

    base_class = T5EncoderModel
