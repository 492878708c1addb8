"""Speech2Text: strided convolutions with gates over filterbanks, then a pre-norm encoder and decoder."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.blocks.transcription import ForTranscription
from zoo_audio.speech_to_text.config import Speech2TextConfig
from zoo_core.checkpoint.dialects import BART_PRE_NORM_LAYER
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.modeling.seq2seq import Seq2SeqModel, Seq2SeqStack
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.sinusoid import PaddedSinusoids
from zoo_core.nn.stack import run_layers


class Speech2TextPreTrainedModel(PreTrainedModel):
    """What all Speech2Text classes share."""

    config_class = Speech2TextConfig
    base_model_prefix = "model"
    main_input_name = "input_features"
    ignored_names = ("embed_positions.weights", "embed_positions._float_tensor")


class Subsampler(nn.Module):
    """Convolutions of stride 2, each with a gated linear unit (https://arxiv.org/abs/1911.08460)."""

    def __init__(self, config: Speech2TextConfig) -> None:
        super().__init__()
        last = config.num_conv_layers - 1
        widths = [config.input_feat_per_channel * config.input_channels]
        widths += [config.conv_channels // 2] * last
        outputs = [config.conv_channels] * last + [config.d_model * 2]
        self.conv_layers = nn.ModuleList(
            nn.Conv1d(width, output, kernel, stride=2, padding=kernel // 2)
            for width, output, kernel in zip(widths, outputs, config.conv_kernel_sizes, strict=True)
        )

    def forward(self, features: Tensor) -> Tensor:
        """(batch, frames, bands) to (batch, fewer frames, size)."""
        hidden = features.transpose(1, 2)
        for conv in self.conv_layers:
            hidden = F.glu(conv(hidden), dim=1)
        return hidden.transpose(1, 2)


def layer_parts(config: PretrainedConfig, layer_idx: int, *, decoder: bool) -> dict[str, Any]:
    """The parts of a layer of the encoder or of the decoder, whatever the wiring."""
    heads = config.decoder_attention_heads if decoder else config.encoder_attention_heads
    attention = partial(Attention, config.d_model, heads, dropout=config.attention_dropout)
    cached = layer_idx if decoder else None
    return {
        "self_attn": attention(rule=CAUSAL if decoder else FULL, layer_idx=cached),
        "cross_attn": attention(cross=True, layer_idx=cached) if decoder else None,
        "mlp": MLP(
            config.d_model,
            config.decoder_ffn_dim if decoder else config.encoder_ffn_dim,
            config.activation_function,
            activation_dropout=config.activation_dropout,
        ),
        "dropout": config.dropout,
    }


class Speech2TextLayer(PreNormLayer):
    """A layer of the encoder, or with `decoder` of the decoder."""

    hub_names = BART_PRE_NORM_LAYER

    def __init__(self, config: Speech2TextConfig, layer_idx: int, *, decoder: bool = False) -> None:
        super().__init__(config.d_model, nn.LayerNorm, **layer_parts(config, layer_idx, decoder=decoder))


class Speech2TextEncoder(Speech2TextPreTrainedModel):
    """Filterbanks to states, a quarter as many with two convolutions."""

    hub_names = {"norm": "layer_norm"}

    def __init__(self, config: Speech2TextConfig) -> None:
        super().__init__(config)
        assert config.pad_token_id is not None
        self.embed_scale = config.d_model**0.5 if config.scale_embedding else 1.0
        self.conv = Subsampler(config)
        self.embed_positions = PaddedSinusoids(
            config.max_source_positions, config.d_model, config.pad_token_id
        )
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(Speech2TextLayer(config, i) for i in range(config.encoder_layers))
        self.norm = nn.LayerNorm(config.d_model)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError("Speech2Text's encoder takes filterbanks, not tokens")

    def frame_mask(self, frames: int, attention_mask: Tensor) -> Tensor:
        """Bool (batch, frames): those that hold no padding, from the mask of filterbank frames."""
        lengths = attention_mask.sum(-1)
        for _ in self.conv.conv_layers:
            lengths = (lengths - 1) // 2 + 1
        return torch.arange(frames, device=lengths.device) < lengths[:, None]

    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutput:
        """(batch, frames, bands) to (batch, fewer frames, size)."""
        if input_features is None:
            raise ValueError("pass input_features (batch, frames, bands)")
        hidden = self.conv(input_features.to(self.dtype)) * self.embed_scale
        mask = None if attention_mask is None else self.frame_mask(hidden.shape[1], attention_mask)
        # Positions count frames as the decoder's count tokens: padding has none.
        kept = hidden.new_ones(hidden.shape[:2]) if mask is None else mask
        ids = torch.where(kept.bool(), self.embed_positions.pad + 1, self.embed_positions.pad)
        hidden = self.dropout(hidden + self.embed_positions(ids, 0, hidden))
        context = AttentionContext(hidden, mask)
        hidden = run_layers(self.layers, hidden, context, norm=self.norm, head_mask=head_mask)
        return BaseModelOutput(last_hidden_state=hidden)


class Speech2TextDecoder(Seq2SeqStack, Speech2TextPreTrainedModel):
    """Tokens and the encoder's states to states."""

    hub_names = {"norm": "layer_norm"}
    embedding_norm = False
    final_norm = True

    def __init__(self, config: Speech2TextConfig) -> None:
        super().__init__(config, decoder=True)

    def make_positions(self, config: Speech2TextConfig) -> nn.Module:
        assert config.pad_token_id is not None
        return PaddedSinusoids(config.max_target_positions, config.d_model, config.pad_token_id)

    def make_layer(self, config: Speech2TextConfig, layer_idx: int) -> nn.Module:
        return Speech2TextLayer(config, layer_idx, decoder=True)

    def positions(
        self, input_ids: Tensor | None, hidden: Tensor, past: int, position_ids: Tensor | None
    ) -> Tensor:
        return self.embed_positions(input_ids, past, hidden)


class Speech2TextModel(Seq2SeqModel, Speech2TextPreTrainedModel):
    """Encoder and decoder."""

    def __init__(self, config: Speech2TextConfig) -> None:
        super().__init__(config)
        self.encoder = Speech2TextEncoder(config)
        self.decoder = Speech2TextDecoder(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.decoder.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.decoder.embed_tokens = value

    def encoder_padding(self, attention_mask: Tensor | None, encoded: ModelOutput) -> Tensor | None:
        if attention_mask is None:
            return None
        return self.encoder.frame_mask(encoded.last_hidden_state.shape[1], attention_mask)

    def forward(self, input_features: Tensor | None = None, **inputs: Any) -> ModelOutput:
        """(batch, frames, bands) and decoder_input_ids (batch, target) to states (batch, target, size)."""
        return super().forward(input_features, **inputs)


class Speech2TextForConditionalGeneration(ForTranscription, Speech2TextPreTrainedModel):
    """Speech2Text that transcribes and translates."""

    base_class = Speech2TextModel
    tied_weights = {"lm_head.weight": "model.decoder.embed_tokens.weight"}
