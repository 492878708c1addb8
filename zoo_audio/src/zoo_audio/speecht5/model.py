"""SpeechT5: one encoder-decoder for speech and text, between nets for each kind of input and output."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.speecht5 import nets
from zoo_audio.speecht5.config import SpeechT5Config
from zoo_audio.speecht5.synthesis import shifted_frames, speak, spectrogram_loss
from zoo_core.heads.seq2seq import ForConditionalGeneration, SeqToSeqHead
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutput,
    BaseModelOutputWithPastAndCrossAttentions,
    ModelOutput,
    Seq2SeqLMOutput,
    Seq2SeqModelOutput,
    Seq2SeqSpectrogramOutput,
)
from zoo_core.modeling.seq2seq import Seq2SeqModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers

_MLP = {"mlp.fc1": "feed_forward.intermediate_dense", "mlp.fc2": "feed_forward.output_dense"}


class SpeechT5PreTrainedModel(PreTrainedModel):
    """What all SpeechT5 classes share."""

    config_class = SpeechT5Config
    base_model_prefix = "speecht5"
    main_input_name = "input_values"
    ignored_names = (
        "encoder.prenet.pos_sinusoidal_embed.weights",
        "decoder.prenet.embed_positions.weights",
        "encode_positions.pe",
    )


class RelativeAttention(Attention):
    """Keys are met together with the embedding of their distance (https://arxiv.org/abs/1803.02155)."""

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        return torch.einsum("bhqd,qkd->bhqk", query, context.shared["distances"]) * self.scale


class SpeechT5EncoderLayer(PostNormLayer):
    """A layer of the encoder."""

    hub_names = {
        **_MLP,
        "self_attn": "attention",
        "self_attn.o_proj": "attention.out_proj",
        "self_attn_layer_norm": "layer_norm",
    }


class SpeechT5DecoderLayer(PostNormLayer):
    """A layer of the decoder."""

    hub_names = {
        **_MLP,
        "self_attn.o_proj": "self_attn.out_proj",
        "cross_attn": "encoder_attn",
        "cross_attn.o_proj": "encoder_attn.out_proj",
        "cross_attn_layer_norm": "encoder_attn_layer_norm",
    }


def speecht5_layer(config: SpeechT5Config, layer_idx: int, *, decoder: bool) -> nn.Module:
    """Layer number `layer_idx` of either side."""
    size, dropout = config.hidden_size, config.attention_dropout
    options: dict[str, Any] = {"dropout": config.hidden_dropout}
    if decoder:
        attention = partial(
            Attention, size, config.decoder_attention_heads, dropout=dropout, layer_idx=layer_idx
        )
        options |= {"self_attn": attention(rule=CAUSAL), "cross_attn": attention(cross=True)}
    else:
        options["self_attn"] = RelativeAttention(size, config.encoder_attention_heads, dropout=dropout)
    return (SpeechT5DecoderLayer if decoder else SpeechT5EncoderLayer)(
        size,
        partial(nn.LayerNorm, eps=config.layer_norm_eps),
        mlp=MLP(
            size,
            config.decoder_ffn_dim if decoder else config.encoder_ffn_dim,
            config.hidden_act,
            activation_dropout=config.activation_dropout,
        ),
        **options,
    )


class SpeechT5Encoder(SpeechT5PreTrainedModel):
    """A prenet (none for states that are already made), a norm, and layers with relative positions."""

    hub_names = {
        "layers": "wrapped_encoder.layers",
        "norm": "wrapped_encoder.layer_norm",
        "distances": "wrapped_encoder.embed_positions.pe_k",
    }

    def __init__(self, config: SpeechT5Config, prenet: nn.Module | None = None) -> None:
        super().__init__(config)
        self.prenet = prenet
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout)
        head = config.hidden_size // config.encoder_attention_heads
        self.distances = nn.Embedding(2 * config.encoder_max_relative_position, head)
        self.layers = nn.ModuleList(
            speecht5_layer(config, i, decoder=False) for i in range(config.encoder_layers)
        )
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.prenet.embed_tokens if isinstance(self.prenet, nets.TextEncoderPrenet) else self.norm

    def frame_mask(self, frames: int, attention_mask: Tensor) -> Tensor:
        """The mask of the encoder's states, from that of its input."""
        if isinstance(self.prenet, nets.SpeechEncoderPrenet):
            return self.prenet.feature_encoder.frame_mask(frames, attention_mask)
        return attention_mask

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutput:
        """What the prenet takes, ids or waveforms (batch, length), to states (batch, states, hidden)."""
        if input_values is None:
            raise ValueError("pass the encoder's input: waveforms, ids or states, by the kind of the model")
        hidden, mask = input_values, attention_mask
        if self.prenet is not None:
            hidden, mask = self.prenet(input_values, attention_mask)
        hidden = self.dropout(self.norm(hidden))
        context = AttentionContext(hidden, mask)
        places = torch.arange(hidden.shape[1], device=hidden.device)
        reach = self.config.encoder_max_relative_position
        away = (places[:, None] - places).clamp(-reach, reach - 1) + reach
        context.shared["distances"] = self.distances(away)
        return BaseModelOutput(
            last_hidden_state=run_layers(self.layers, hidden, context, head_mask=head_mask)
        )


class SpeechT5Decoder(SpeechT5PreTrainedModel):
    """A prenet (none for states that are already made) and layers that attend to the encoder."""

    hub_names = {"layers": "wrapped_decoder.layers"}

    def __init__(self, config: SpeechT5Config, prenet: nn.Module | None = None) -> None:
        super().__init__(config)
        self.prenet = prenet
        self.layers = nn.ModuleList(
            speecht5_layer(config, i, decoder=True) for i in range(config.decoder_layers)
        )
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        if isinstance(self.prenet, nets.TextDecoderPrenet):
            return self.prenet.embed_tokens
        raise NotImplementedError("this decoder takes mel frames, not tokens")

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.prenet.embed_tokens = value

    def forward(
        self,
        input_values: Tensor,
        attention_mask: Tensor | None = None,
        *,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        speaker_embeddings: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        head_mask: Tensor | None = None,
        cross_attn_head_mask: Tensor | None = None,
    ) -> BaseModelOutputWithPastAndCrossAttentions:
        """What the prenet takes, ids (batch, target) or frames (batch, target, mels), to states."""
        cache = self.cache_for(past_key_values, use_cache)
        past = 0 if cache is None else cache.length
        hidden = input_values
        if self.prenet is not None:
            hidden = self.prenet(input_values, speaker_embeddings, past)
        context = AttentionContext(
            hidden,
            attention_mask,
            cache=cache,
            positions=cache_position,
            encoder_states=encoder_hidden_states,
            encoder_padding=encoder_attention_mask,
        )
        context.cross_head_mask = cross_attn_head_mask
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask)
        return BaseModelOutputWithPastAndCrossAttentions(last_hidden_state=hidden, past_key_values=cache)


class SpeechT5Model(Seq2SeqModel, SpeechT5PreTrainedModel):
    """Encoder and decoder alone, of states; `source` and `target` put a prenet before each."""

    def __init__(
        self,
        config: SpeechT5Config,
        *,
        source: type[nn.Module] | None = None,
        target: type[nn.Module] | None = None,
    ) -> None:
        super().__init__(config)
        self.encoder = SpeechT5Encoder(config, None if source is None else source(config))
        self.decoder = SpeechT5Decoder(config, None if target is None else target(config))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        text_in = isinstance(self.encoder.prenet, nets.TextEncoderPrenet)
        return (self.encoder if text_in else self.decoder).get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        text_in = isinstance(self.encoder.prenet, nets.TextEncoderPrenet)
        (self.encoder if text_in else self.decoder).prenet.embed_tokens = value

    def freeze_feature_encoder(self) -> None:
        """Keep the convolutions over the waveform as they are in training."""
        if isinstance(self.encoder.prenet, nets.SpeechEncoderPrenet):
            self.encoder.prenet.feature_encoder.requires_grad_(False)

    def encoder_padding(self, attention_mask: Tensor | None, encoded: ModelOutput) -> Tensor | None:
        if attention_mask is None:
            return None
        return self.encoder.frame_mask(encoded.last_hidden_state.shape[1], attention_mask)

    def forward(  # type: ignore[override]
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_values: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        speaker_embeddings: Tensor | None = None,
        **inputs: Any,
    ) -> Seq2SeqModelOutput:
        """What the two prenets take, and speakers (batch, size), to states (batch, target, hidden)."""
        if decoder_input_values is None:
            raise ValueError("pass the decoder's input: ids, frames or states, by the kind of the model")
        return super().forward(
            input_values,
            attention_mask,
            decoder_input_values,
            decoder_attention_mask,
            decoder_extra={"speaker_embeddings": speaker_embeddings},
            **inputs,
        )


class SpeechT5ForSpeechToText(ForConditionalGeneration, SpeechT5PreTrainedModel):
    """SpeechT5 that transcribes."""

    base_class = SpeechT5Model
    base_options = {"source": nets.SpeechEncoderPrenet, "target": nets.TextDecoderPrenet}
    head_names = {"lm_head": "text_decoder_postnet.lm_head"}
    tied_weights = {"lm_head.weight": "model.decoder.prenet.embed_tokens.weight"}

    def build_head(self, config: SpeechT5Config) -> None:
        self.lm_head = Linear(config.hidden_size, config.vocab_size, bias=False)

    def freeze_feature_encoder(self) -> None:
        """Keep the convolutions over the waveform as they are in training."""
        self.model.freeze_feature_encoder()

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Waveforms (batch, samples) and ids (batch, target) to logits (batch, target, vocabulary)."""
        if labels is not None and decoder_input_ids is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        outputs = self.model(
            input_values, attention_mask, decoder_input_ids, decoder_attention_mask, **inputs
        )
        logits = self.lm_head(outputs.last_hidden_state)
        loss = None if labels is None else token_loss(logits, labels)
        return Seq2SeqLMOutput.carry(outputs, loss=loss, logits=logits)


class Speaking(SeqToSeqHead):
    """The head that gives spectrograms, and the loop that speaks."""

    base_class = SpeechT5Model

    def build_head(self, config: SpeechT5Config) -> None:
        self.speech_decoder_postnet = nets.SpeechDecoderPostnet(config)

    def freeze_feature_encoder(self) -> None:
        """Keep the convolutions over the waveform as they are in training."""
        self.model.freeze_feature_encoder()

    def spectrogram(
        self,
        values: Tensor | None,
        attention_mask: Tensor | None,
        decoder_input_values: Tensor | None,
        decoder_attention_mask: Tensor | None,
        labels: Tensor | None,
        **inputs: Any,
    ) -> tuple[ModelOutput, Tensor, Tensor, Tensor]:
        """The base model's output, then frames, refined frames and the logits of the end."""
        if labels is not None and decoder_input_values is None:
            decoder_input_values, decoder_attention_mask = shifted_frames(
                labels, self.config.reduction_factor, decoder_attention_mask
            )
        outputs = self.model(values, attention_mask, decoder_input_values, decoder_attention_mask, **inputs)
        return outputs, *self.speech_decoder_postnet(outputs.last_hidden_state)


class SpeechT5ForTextToSpeech(Speaking, SpeechT5PreTrainedModel):
    """SpeechT5 that reads aloud, in the voice of a speaker."""

    main_input_name = "input_ids"
    base_options = {"source": nets.TextEncoderPrenet, "target": nets.SpeechDecoderPrenet}

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_values: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        stop_labels: Tensor | None = None,
        **inputs: Any,
    ) -> Seq2SeqSpectrogramOutput:
        """ids (batch, sequence) and earlier frames (batch, steps, mels) to the spectrogram.

        Args:
            labels: (batch, frames, mels), -100 where padded; they make the decoder's inputs and the loss,
                which reads the end off their padding: `stop_labels` is taken and changes nothing.
            **inputs: see `SpeechT5Model`.
        """
        config = self.config
        guided = labels is not None and config.use_guided_attention_loss
        if guided:
            inputs["output_attentions"] = True
        outputs, frames, refined, ends = self.spectrogram(
            input_ids, attention_mask, decoder_input_values, decoder_attention_mask, labels, **inputs
        )
        loss = None
        if labels is not None:
            steps = outputs.encoder_last_hidden_state.shape[:2]
            loss = spectrogram_loss(
                config,
                labels[:, : frames.shape[1]],
                frames,
                refined,
                ends,
                source_mask=refined.new_ones(steps) if attention_mask is None else attention_mask,
                cross_attentions=outputs.cross_attentions if guided else (),
            )
        return Seq2SeqSpectrogramOutput.carry(outputs, loss=loss, spectrogram=refined)

    def generate(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        speaker_embeddings: Tensor | None = None,
        **options: Any,
    ) -> Any:
        """As `generate_speech`."""
        return speak(self, input_ids, speaker_embeddings, attention_mask, **options)

    def generate_speech(
        self,
        input_ids: Tensor,
        speaker_embeddings: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **options: Any,
    ) -> Any:
        """Read ids (batch, sequence) aloud; for the options and the result see `speak`."""
        return speak(self, input_ids, speaker_embeddings, attention_mask, **options)


class SpeechT5ForSpeechToSpeech(Speaking, SpeechT5PreTrainedModel):
    """SpeechT5 that says the same in another voice."""

    base_options = {"source": nets.SpeechEncoderPrenet, "target": nets.SpeechDecoderPrenet}

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_values: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        stop_labels: Tensor | None = None,
        **inputs: Any,
    ) -> Seq2SeqSpectrogramOutput:
        """Waveforms (batch, samples) and earlier frames (batch, steps, mels) to the spectrogram.

        `labels` (batch, frames, mels) make the decoder's inputs; this class has no loss.
        """
        outputs, _, refined, _ = self.spectrogram(
            input_values, attention_mask, decoder_input_values, decoder_attention_mask, labels, **inputs
        )
        return Seq2SeqSpectrogramOutput.carry(outputs, spectrogram=refined)

    def generate_speech(
        self,
        input_values: Tensor,
        speaker_embeddings: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **options: Any,
    ) -> Any:
        """Say what is said in waveforms (batch, samples); for the options and the result see `speak`."""
        if speaker_embeddings is None and self.config.speaker_embedding_dim is not None:
            size = self.config.speaker_embedding_dim
            speaker_embeddings = torch.zeros(1, size, device=input_values.device)
        return speak(self, input_values, speaker_embeddings, attention_mask, **options)
