"""Pix2Struct: an encoder of patches that know their row and column, and a T5 decoder."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.seq2seq import ForConditionalGeneration
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, CausalLMOutputWithCrossAttentions, ModelOutput
from zoo_core.modeling.seq2seq import Seq2SeqModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.stack import run_layers
from zoo_multimodal.pix2struct.config import Pix2StructConfig, Pix2StructTextConfig, Pix2StructVisionConfig
from zoo_text.t5.model import T5Layer, T5Stack


class Pix2StructPreTrainedModel(PreTrainedModel):
    """What all Pix2Struct classes share."""

    config_class = Pix2StructConfig


class Pix2StructVisionLayer(PreNormLayer):
    """Unscaled self-attention and a gated feed-forward block."""

    hub_names = {
        "self_attn": "attention",
        "self_attn.q_proj": "attention.query",
        "self_attn.k_proj": "attention.key",
        "self_attn.v_proj": "attention.value",
        "self_attn.o_proj": "attention.output",
        "input_layernorm": "pre_attention_layer_norm",
        "mlp.gate_proj": "mlp.wi_0",
        "mlp.up_proj": "mlp.wi_1",
        "mlp.down_proj": "mlp.wo",
        "post_attention_layernorm": "pre_mlp_layer_norm",
    }

    def __init__(self, config: Pix2StructVisionConfig) -> None:
        super().__init__(
            config.hidden_size,
            partial(RMSNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                head_dim=config.d_kv,
                bias=False,
                scale=1.0,
                dropout=config.attention_dropout,
            ),
            mlp=GatedMLP(config.hidden_size, config.d_ff, config.dense_act_fn, dropout=config.dropout_rate),
        )


class Pix2StructVisionModel(Pix2StructPreTrainedModel):
    """The encoder of patches."""

    config_class = Pix2StructVisionConfig
    main_input_name = "flattened_patches"
    hub_names = {
        "patch_projection": "embeddings.patch_projection",
        "row_embedder": "embeddings.row_embedder",
        "column_embedder": "embeddings.column_embedder",
        "layers": "encoder.layer",
        "norm": "layernorm",
    }

    def __init__(self, config: Pix2StructVisionConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.patch_projection = Linear(config.patch_embed_hidden_size, size)
        self.row_embedder = nn.Embedding(config.seq_len, size)
        self.column_embedder = nn.Embedding(config.seq_len, size)
        self.dropout = nn.Dropout(config.dropout_rate)
        self.layers = nn.ModuleList(Pix2StructVisionLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(size, config.layer_norm_eps)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_projection

    def forward(
        self,
        flattened_patches: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutput:
        """(batch, patches, 2 + values of a patch) to states (batch, patches, hidden).

        A patch begins with its row and its column, counted from 1; `attention_mask` (batch, patches) is 0
        for padding, by default where all numbers of a patch add up to zero.
        """
        width = 2 + self.config.patch_embed_hidden_size
        if flattened_patches is None or flattened_patches.dim() != 3 or flattened_patches.shape[-1] != width:
            seen = "nothing" if flattened_patches is None else f"shape {tuple(flattened_patches.shape)}"
            raise ValueError(
                f"pass flattened_patches (batch, patches, {width}), row and column first; got {seen}"
            )
        if attention_mask is None:
            attention_mask = flattened_patches.sum(-1) != 0
        place = flattened_patches[..., :2].long()
        hidden = self.patch_projection(flattened_patches[..., 2:].to(self.row_embedder.weight.dtype))
        hidden = hidden + self.column_embedder(place[..., 1]) + self.row_embedder(place[..., 0])
        hidden = self.dropout(hidden)
        context = AttentionContext(hidden, attention_mask)
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask)
        return BaseModelOutput(last_hidden_state=self.norm(hidden))


def _attention_names(ours: str, theirs: str) -> dict[str, str]:
    parts = {"q_proj": "query", "k_proj": "key", "v_proj": "value", "o_proj": "output"}
    return {
        ours: f"{theirs}.attention",
        **{f"{ours}.{a}": f"{theirs}.attention.{b}" for a, b in parts.items()},
    }


class Pix2StructTextLayer(T5Layer):
    """A layer of T5's decoder under other names."""

    def __init__(self, config: Any, layer_idx: int, *, decoder: bool) -> None:
        super().__init__(config, layer_idx, decoder=decoder)
        self.hub_names = {
            **_attention_names("self_attn", "self_attention"),
            **_attention_names("cross_attn", "encoder_decoder_attention"),
            "input_layernorm": "self_attention.layer_norm",
            "cross_attn_layernorm": "encoder_decoder_attention.layer_norm",
            "mlp.gate_proj": "mlp.DenseReluDense.wi_0",
            "mlp.up_proj": "mlp.DenseReluDense.wi_1",
            "mlp.down_proj": "mlp.DenseReluDense.wo",
            "post_attention_layernorm": "mlp.layer_norm",
        }


class Pix2StructTextStack(T5Stack):
    """T5's decoder without its head."""

    config_class = Pix2StructTextConfig
    base_model_prefix = ""
    keep_in_float32 = ()
    hub_names = {"layers": "layer", "norm": "final_layer_norm"}

    def make_layer(self, config: Any, layer_idx: int) -> nn.Module:
        return Pix2StructTextLayer(config, layer_idx, decoder=self.is_decoder)


class Pix2StructTextModel(ForCausalLM, Pix2StructPreTrainedModel):
    """The decoder with scores of the next token; labels (batch, sequence) are the next tokens already."""

    config_class = Pix2StructTextConfig
    base_class = Pix2StructTextStack
    base_options = {"decoder": True}
    base_name = ""
    output_class = CausalLMOutputWithCrossAttentions
    shift_labels = False


class Pix2StructModel(Seq2SeqModel, Pix2StructPreTrainedModel):
    """Encoder and decoder without the head."""

    def __init__(self, config: Pix2StructConfig) -> None:
        super().__init__(config)
        self.encoder = Pix2StructVisionModel(config.vision_config)
        self.decoder = Pix2StructTextStack(config.text_config, decoder=True)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.decoder.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.decoder.set_input_embeddings(value)


class Pix2StructForConditionalGeneration(ForConditionalGeneration, Pix2StructPreTrainedModel):
    """Pix2Struct that writes."""

    main_input_name = "flattened_patches"
    base_class = Pix2StructModel
    base_name = ""
    head_names = {"lm_head": "decoder.lm_head"}
    tied_weights = {"lm_head.weight": "model.decoder.embed_tokens.weight"}

    def build_head(self, config: PretrainedConfig) -> None:
        text = config.get_text_config()
        self.lm_head = Linear(text.hidden_size, text.vocab_size, bias=False)

    def forward(
        self,
        flattened_patches: Tensor | None = None,
        *,
        decoder_input_ids: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Patches (batch, patches, 2 + values of a patch) and ids (batch, target) to logits.

        Decoder inputs that are made from `labels` (batch, target; -100 does not count) come with a mask
        that hides their padding.
        """
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
            if decoder_attention_mask is None:
                decoder_attention_mask = decoder_input_ids != self.config.pad_token_id
                decoder_attention_mask[:, 0] = True
        return super().forward(
            flattened_patches,
            decoder_input_ids=decoder_input_ids,
            decoder_inputs_embeds=decoder_inputs_embeds,
            decoder_attention_mask=decoder_attention_mask,
            labels=labels,
            **inputs,
        )
