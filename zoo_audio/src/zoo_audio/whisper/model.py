"""Whisper: two convolutions over a mel spectrogram, then a pre-norm encoder and decoder."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.blocks.spec_augment import hide_spans
from zoo_audio.blocks.transcription import ForTranscription
from zoo_audio.whisper.config import WhisperConfig
from zoo_audio.whisper.generation import WhisperGeneration
from zoo_core.checkpoint.dialects import BART_PRE_NORM_LAYER
from zoo_core.heads.audio import ForAudioClassification
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, CausalLMOutputWithCrossAttentions, ModelOutput
from zoo_core.modeling.seq2seq import Seq2SeqModel, Seq2SeqStack
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import LearnedPositions
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext, MaskRule
from zoo_core.nn.mlp import MLP
from zoo_core.nn.sinusoid import SinusoidalTable
from zoo_core.nn.stack import run_layers


class WhisperPreTrainedModel(PreTrainedModel):
    """What all Whisper classes share."""

    config_class = WhisperConfig
    base_model_prefix = "model"
    main_input_name = "input_features"


class WhisperLayer(PreNormLayer):
    """A layer of the encoder, or with `decoder` of the decoder; Whisper's keys have no bias."""

    hub_names = BART_PRE_NORM_LAYER

    def __init__(
        self, config: WhisperConfig, layer_idx: int, *, decoder: bool = False, key_bias: bool = False
    ) -> None:
        heads = config.decoder_attention_heads if decoder else config.encoder_attention_heads
        inner = config.decoder_ffn_dim if decoder else config.encoder_ffn_dim

        def attention(rule: MaskRule = FULL, *, cross: bool = False) -> Attention:
            return Attention(
                config.d_model,
                heads,
                key_bias=key_bias,
                dropout=config.attention_dropout,
                rule=rule,
                layer_idx=layer_idx if decoder else None,
                cross=cross,
            )

        super().__init__(
            config.d_model,
            nn.LayerNorm,
            self_attn=attention(CAUSAL if decoder else FULL),
            cross_attn=attention(cross=True) if decoder else None,
            mlp=MLP(
                config.d_model,
                inner,
                config.activation_function,
                activation_dropout=config.activation_dropout,
            ),
            dropout=config.dropout,
        )


class WhisperEncoder(WhisperPreTrainedModel):
    """Mel frames to states, half as many."""

    hub_names = {"norm": "layer_norm"}

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        size = config.d_model
        self.conv1 = nn.Conv1d(config.num_mel_bins, size, 3, padding=1)
        self.conv2 = nn.Conv1d(size, size, 3, stride=2, padding=1)
        self.embed_positions = SinusoidalTable(config.max_source_positions, size)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(WhisperLayer(config, i) for i in range(config.encoder_layers))
        self.norm = nn.LayerNorm(size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.conv1

    def freeze(self) -> None:
        """Keep the encoder as it is in training."""
        self.requires_grad_(False)

    freeze_feature_encoder = freeze

    def frame_mask(self, frames: int, attention_mask: Tensor, *, adapted: bool = True) -> Tensor:
        """Bool (batch, frames): those that hold no padding, from the mask of mel frames."""
        lengths = (attention_mask.sum(-1) - 1) // 2 + 1
        return torch.arange(frames, device=lengths.device) < lengths[:, None]

    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutput:
        """(batch, mels, 2 x positions) to (batch, positions, size).

        The attention mask is taken and changes nothing: silence is part of what Whisper was trained on.
        """
        if input_features is None:
            raise ValueError("pass input_features (batch, mels, frames)")
        wanted = 2 * self.config.max_source_positions
        if input_features.shape[-1] != wanted:
            raise ValueError(
                f"Whisper takes mel spectrograms of {wanted} frames, got {input_features.shape[-1]}; the "
                "feature extractor pads to that with padding='max_length', its default"
            )
        hidden = F.gelu(self.conv1(input_features.to(self.conv1.weight.dtype)))
        hidden = F.gelu(self.conv2(hidden)).transpose(1, 2)
        hidden = self.dropout(hidden + self.embed_positions(None, 0, hidden))
        context = self.make_context(hidden, attention_mask)
        hidden = run_layers(self.layers, hidden, context, norm=self.finish, head_mask=head_mask)
        return BaseModelOutput(last_hidden_state=hidden)

    def make_context(self, hidden: Tensor, attention_mask: Tensor | None) -> AttentionContext:
        """What the layers share: nothing, as all frames see all."""
        return AttentionContext(hidden)

    def finish(self, hidden: Tensor) -> Tensor:
        """What happens to the states after the last layer."""
        return self.norm(hidden)


class WhisperDecoder(Seq2SeqStack, WhisperPreTrainedModel):
    """Tokens and the encoder's states to states."""

    main_input_name = "input_ids"
    hub_names = {"norm": "layer_norm"}
    embedding_norm = False
    final_norm = True

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config, decoder=True)

    def make_positions(self, config: WhisperConfig) -> nn.Module:
        return LearnedPositions(config.max_target_positions, config.d_model)

    def make_layer(self, config: WhisperConfig, layer_idx: int) -> nn.Module:
        return WhisperLayer(config, layer_idx, decoder=True)


class WhisperModel(Seq2SeqModel, WhisperPreTrainedModel):
    """Encoder and decoder."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        self.encoder = WhisperEncoder(config)
        self.decoder = WhisperDecoder(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.decoder.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.decoder.embed_tokens = value

    def freeze_encoder(self) -> None:
        """Keep the encoder as it is in training."""
        self.encoder.freeze()

    def encoder_padding(self, attention_mask: Tensor | None, encoded: ModelOutput) -> Tensor | None:
        return None

    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        decoder_position_ids: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """(batch, mels, frames) and decoder_input_ids (batch, target) to states (batch, target, size)."""
        if input_features is not None and self.training:
            frames = input_features.transpose(1, 2)
            silence = frames.new_zeros(frames.shape[-1])
            frames = hide_spans(frames, self.config, fill=silence, training=True, mask=attention_mask)
            input_features = frames.transpose(1, 2)
        places = {"position_ids": decoder_position_ids}
        return super().forward(input_features, attention_mask, decoder_extra=places, **inputs)


class WhisperForConditionalGeneration(WhisperGeneration, ForTranscription, WhisperPreTrainedModel):
    """Whisper that transcribes and translates."""

    base_class = WhisperModel
    head_names = {"lm_head": "proj_out"}
    tied_weights = {"lm_head.weight": "model.decoder.embed_tokens.weight"}

    def freeze_encoder(self) -> None:
        """Keep the encoder as it is in training."""
        self.model.freeze_encoder()


class WhisperForCausalLM(ForCausalLM, WhisperPreTrainedModel):
    """Whisper's decoder alone, for assisted decoding; it may attend to given encoder states."""

    main_input_name = "input_ids"
    base_class = WhisperDecoder
    base_name = "model.decoder"
    head_names = {"lm_head": "proj_out"}
    tied_weights = {"lm_head.weight": "model.embed_tokens.weight"}
    output_class = CausalLMOutputWithCrossAttentions
    shift_labels = False

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As the decoder; `encoder_outputs` is another way to give the encoder's states."""
        if encoder_outputs is not None:
            states = encoder_outputs[0] if not isinstance(encoder_outputs, Tensor) else encoder_outputs
            inputs["encoder_hidden_states"] = states
        return super().forward(input_ids, **inputs)


class WhisperForAudioClassification(ForAudioClassification, WhisperPreTrainedModel):
    """Whisper's encoder with a classifier of the whole sound."""

    base_class = WhisperEncoder
    base_name = "encoder"
    main_input_name = "input_features"

    def freeze_encoder(self) -> None:
        """Keep the encoder as it is in training."""
        self.model.freeze()

    def forward(self, input_features: Tensor | None = None, **inputs: Any) -> ModelOutput:
        """(batch, mels, frames) to logits (batch, labels)."""
        return super().forward(input_features, **inputs)
