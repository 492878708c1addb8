"""MusicGen: a decoder of several codebooks at once, between a text encoder and a codec of any type."""

from __future__ import annotations

import os
from functools import partial
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_PRE_NORM_LAYER
from zoo_core.config import PretrainedConfig
from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationMixin
from zoo_core.generation.config import DEFAULTS, GenerationConfig
from zoo_core.generation.outputs import GenerateEncoderDecoderOutput
from zoo_core.generation.session import merged
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithCrossAttentions, ModelOutput, Seq2SeqLMOutput
from zoo_core.modeling.parts import build_part
from zoo_core.modeling.seq2seq import Seq2SeqStack, as_output, shift_tokens_right
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_core.nn.sinusoid import PaddedSinusoids, sinusoids
from zoo_multimodal.musicgen.config import MusicgenConfig, MusicgenDecoderConfig
from zoo_multimodal.musicgen.delay import Delayed, Delays


class MusicgenPreTrainedModel(PreTrainedModel):
    """What all MusicGen classes share."""

    config_class: type[PretrainedConfig] = MusicgenDecoderConfig
    base_model_prefix = "model"
    ignored_names = ("embed_positions.weights",)  # older files hold what is computed

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=self.config.initializer_factor)


class MusicgenPositions(PaddedSinusoids):
    """Cosines in the first half of the features, sines in the second; positions begin at 0."""

    def __init__(self, positions: int, hidden_size: int) -> None:
        super().__init__(positions, hidden_size, pad_token_id=-1)

    def _make(self, rows: int) -> Tensor:
        table = sinusoids(rows, self.size, spread=self.size // 2 - 1)
        return table.roll(self.size // 2, dims=1)


class MusicgenDecoder(Seq2SeqStack, MusicgenPreTrainedModel):
    """Rows of ids (batch x codebooks, frames), embedded and summed, to states (batch, frames, hidden)."""

    hub_names = {"norm": "layer_norm"}
    #: whether layers attend to the encoder's states
    attends_across: ClassVar[bool] = True

    def __init__(self, config: MusicgenDecoderConfig) -> None:
        super().__init__(config, decoder=True)

    def depth(self, config: MusicgenDecoderConfig) -> int:
        return config.num_hidden_layers

    def make_embeddings(self, config: MusicgenDecoderConfig) -> nn.ModuleList:  # type: ignore[override]
        tables = (
            nn.Embedding(config.vocab_size + 1, config.hidden_size) for _ in range(config.num_codebooks)
        )
        return nn.ModuleList(tables)

    def make_inputs(self, config: MusicgenDecoderConfig) -> None:
        self.embed_positions = MusicgenPositions(config.max_position_embeddings, config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)

    def make_norm(self, config: MusicgenDecoderConfig) -> nn.Module:
        return nn.LayerNorm(config.hidden_size)

    def make_layer(self, config: MusicgenDecoderConfig, layer_idx: int) -> nn.Module:
        attention = partial(
            Attention,
            config.hidden_size,
            config.num_attention_heads,
            bias=False,
            dropout=config.attention_dropout,
            layer_idx=layer_idx,
        )
        layer = PreNormLayer(
            config.hidden_size,
            nn.LayerNorm,
            self_attn=attention(rule=CAUSAL),
            cross_attn=attention(cross=True) if self.attends_across else None,
            mlp=MLP(
                config.hidden_size,
                config.ffn_dim,
                config.activation_function,
                bias=False,
                activation_dropout=config.activation_dropout,
            ),
            dropout=config.dropout,
        )
        layer.hub_names = BART_PRE_NORM_LAYER
        return layer

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        embedded = self.embed_codes(input_ids, inputs_embeds)
        return self.dropout(embedded + self.embed_positions(None, past, embedded))

    def embed_codes(self, input_ids: Tensor | None, inputs_embeds: Tensor | None) -> Tensor:
        """Ids (batch x codebooks, frames), or vectors, to (batch, frames, hidden)."""
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        if inputs_embeds is None:
            assert input_ids is not None
            if len(input_ids) % len(self.embed_tokens):
                raise ValueError(
                    f"input_ids have {len(input_ids)} rows; it must be {len(self.embed_tokens)} codebooks of "
                    "each sound, one after the other"
                )
            codes = input_ids.unflatten(0, (-1, len(self.embed_tokens))).unbind(1)
            inputs_embeds = sum(table(ids) for table, ids in zip(self.embed_tokens, codes, strict=True))
        assert inputs_embeds is not None
        return inputs_embeds


class MusicgenModel(MusicgenPreTrainedModel):
    """The decoder without a head; of a whole MusicGen's config, the decoder's part is taken."""

    aliases = {"^decoder.model": "model", "^decoder.lm_heads": "lm_heads"}
    decoder_class: ClassVar[type[MusicgenDecoder]] = MusicgenDecoder

    def __init__(self, config: MusicgenDecoderConfig | MusicgenConfig) -> None:
        config = config.decoder if isinstance(config, MusicgenConfig) else config
        super().__init__(config)
        self.decoder = self.decoder_class(config)
        self.post_init()

    def get_decoder(self) -> nn.Module:
        return self.decoder

    def forward(self, input_ids: Tensor | None = None, **inputs: Any) -> ModelOutput:
        return self.decoder(input_ids, **inputs)


class MusicgenForCausalLM(Delayed, Headed, MusicgenPreTrainedModel):
    """The decoder with a head for each codebook; logits (batch x codebooks, frames, vocabulary)."""

    base_class = MusicgenModel
    output_class: ClassVar[type[ModelOutput]] = CausalLMOutputWithCrossAttentions

    def __init__(self, config: MusicgenDecoderConfig | MusicgenConfig) -> None:
        super().__init__(config.decoder if isinstance(config, MusicgenConfig) else config)

    def build_head(self, config: MusicgenDecoderConfig) -> None:
        self.delays = Delays(config.num_codebooks, config.audio_channels)
        self.lm_heads = nn.ModuleList(
            Linear(config.hidden_size, config.vocab_size, bias=False) for _ in range(config.num_codebooks)
        )

    def get_decoder(self) -> nn.Module:
        return self.model

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_heads

    def set_output_embeddings(self, value: nn.Module) -> None:
        self.lm_heads = value

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Module:
        raise NotImplementedError("the vocabulary is that of the codec; it cannot be resized")

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        logits_to_keep: int = 0,
        guidance: float | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Ids (batch x codebooks, frames) and the encoder's states to logits.

        Args:
            labels: (batch, frames, codebooks); -100 and the start token do not count.
            guidance: the encoder has twice as many rows, and logits of the first half are led away from
                those of the second by this factor (https://arxiv.org/abs/2207.12598).
        """
        if guidance is not None and input_ids is not None:
            input_ids = input_ids.repeat(2, 1)
            mask = inputs.get("attention_mask")
            inputs["attention_mask"] = None if mask is None else mask.repeat(2, 1)
        outputs = self.model(input_ids, **inputs)
        hidden = outputs.last_hidden_state[:, -logits_to_keep:]
        logits = torch.stack([head(hidden) for head in self.lm_heads], dim=1)
        if guidance is not None:
            wanted, unwanted = logits.chunk(2)
            logits = unwanted + (wanted - unwanted) * guidance
        loss = None
        if labels is not None:
            kept = labels.masked_fill(labels == self.config.bos_token_id, -100)
            scores = logits[:, :, -labels.shape[1] :].unbind(1)
            losses = [token_loss(s, books) for s, books in zip(scores, kept.unbind(-1), strict=True)]
            loss = torch.stack(losses).mean()
        return self.output_class.carry(outputs, loss=loss, logits=logits.flatten(0, 1))


class MusicgenUnconditionalInput(ModelOutput):
    """What `generate` takes to write music of no description."""

    encoder_outputs: tuple[Tensor, ...]
    attention_mask: Tensor
    guidance_scale: float


class MusicgenForConditionalGeneration(GenerationMixin, MusicgenPreTrainedModel):
    """A text encoder, a codec, and the decoder that writes the codec's codes.

    Args:
        config: of all; may be left out when all models are given.
        text_encoder, audio_encoder, decoder: models to join; built from the config when None.
    """

    config_class: type[MusicgenConfig] = MusicgenConfig  # type: ignore[assignment]
    base_model_prefix = "encoder_decoder"
    decoder_class: ClassVar[type[MusicgenForCausalLM]] = MusicgenForCausalLM

    def __init__(
        self,
        config: MusicgenConfig | None = None,
        text_encoder: PreTrainedModel | None = None,
        audio_encoder: PreTrainedModel | None = None,
        decoder: MusicgenForCausalLM | None = None,
    ) -> None:
        if config is None:
            if text_encoder is None or audio_encoder is None or decoder is None:
                raise ValueError("pass a config, or all of text_encoder, audio_encoder and decoder")
            configs = (text_encoder.config, audio_encoder.config, decoder.config)
            config = self.config_class.from_sub_models_config(*configs)
        super().__init__(config)
        if text_encoder is None:
            text_encoder = build_part(config.text_encoder, "AutoModelForTextEncoding")
        self.text_encoder = text_encoder
        self.audio_encoder = build_part(config.audio_encoder) if audio_encoder is None else audio_encoder
        self.decoder = self.decoder_class(config.decoder) if decoder is None else decoder
        config.text_encoder, config.audio_encoder = self.text_encoder.config, self.audio_encoder.config
        config.decoder = self.decoder.config
        given, wanted = config.text_encoder.hidden_size, config.decoder.hidden_size
        expected = config.decoder.cross_attention_hidden_size
        if expected is not None and expected != given:
            raise ValueError(
                f"the decoder's cross_attention_hidden_size is {expected}, "
                f"the text encoder's states have {given}"
            )
        self.enc_to_dec_proj = nn.Linear(given, wanted) if given != wanted and expected is None else None
        self.post_init()

    def get_encoder(self) -> nn.Module:
        return self.text_encoder

    def get_text_encoder(self) -> nn.Module:
        return self.text_encoder

    def get_audio_encoder(self) -> nn.Module:
        return self.audio_encoder

    def get_decoder(self) -> nn.Module:
        return self.decoder

    def get_input_embeddings(self) -> nn.Module:
        return self.text_encoder.get_input_embeddings()

    def get_output_embeddings(self) -> nn.Module:
        return self.decoder.get_output_embeddings()

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Module:
        raise NotImplementedError("resize the text encoder: model.text_encoder.resize_token_embeddings(...)")

    def freeze_text_encoder(self) -> None:
        """Keep the text encoder as it is in training."""
        self.text_encoder.requires_grad_(False)

    def freeze_audio_encoder(self) -> None:
        """Keep the codec as it is in training."""
        self.audio_encoder.requires_grad_(False)

    @classmethod
    def from_sub_models_pretrained(
        cls,
        text_encoder_pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        audio_encoder_pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        decoder_pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        *model_args: Any,
        **kwargs: Any,
    ) -> Self:
        """Join three checkpoints, also the decoder of a whole MusicGen.

        Args:
            ..._pretrained_model_name_or_path: Hub names or folders.
            **kwargs: with the prefixes `text_encoder_`, `audio_encoder_` and `decoder_` for the load of each
                (also `text_encoder_model`, ...); the rest for the joint config.
        """
        from zoo_core import AutoModel, AutoModelForTextEncoding

        places: dict[str, tuple[Any, Any]] = {
            "text_encoder": (AutoModelForTextEncoding, text_encoder_pretrained_model_name_or_path),
            "audio_encoder": (AutoModel, audio_encoder_pretrained_model_name_or_path),
            "decoder": (cls.decoder_class, decoder_pretrained_model_name_or_path),
        }
        parts: dict[str, Any] = {}
        for part, (loader, name) in places.items():
            own = {
                key.removeprefix(f"{part}_"): kwargs.pop(key)
                for key in list(kwargs)
                if key.startswith(f"{part}_")
            }
            parts[part] = own.pop("model", None)
            if parts[part] is None:
                if name is None:
                    raise ValueError(f"pass {part}_model, or {part}_pretrained_model_name_or_path")
                parts[part] = loader.from_pretrained(name, *model_args, **own)
        configs = (parts[part].config for part in places)
        return cls(cls.config_class.from_sub_models_config(*configs, **kwargs), **parts).eval()

    # Text and sound

    def encode_text(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None,
        inputs_embeds: Tensor | None = None,
    ) -> tuple[ModelOutput, Tensor]:
        """The text encoder's output, and states (batch, source, hidden) for the decoder, zero at padding."""
        if encoder_outputs is None:
            encoder_outputs = self.text_encoder(
                input_ids=input_ids, attention_mask=attention_mask, inputs_embeds=inputs_embeds
            )
        encoded = as_output(encoder_outputs)
        states: Tensor = encoded.last_hidden_state
        if self.enc_to_dec_proj is not None:
            states = self.enc_to_dec_proj(states)
        if attention_mask is not None:
            states = states * attention_mask[..., None].to(states.dtype)
        return encoded, states

    def encode_audio(
        self, input_values: Tensor, padding_mask: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Rows of codes (batch x codebooks, frames) of sounds (batch, channels, samples); their scales."""
        wanted, given = self.config.decoder.audio_channels, input_values.shape[1]
        if given > wanted:
            raise ValueError(f"input_values have {given} channels; this model is mono and takes 1")
        sides = []
        for channel in range(given):
            mask = padding_mask
            if padding_mask is not None and padding_mask.dim() == 3:
                mask = padding_mask[:, min(channel, padding_mask.shape[1] - 1)]
            encoded = self.audio_encoder.encode(input_values[:, channel : channel + 1], mask)
            if len(encoded.audio_codes) != 1:
                raise ValueError(
                    f"the codec cut the sound into {len(encoded.audio_codes)} chunks; set "
                    "chunk_length_s=None in the audio encoder's config"
                )
            sides.append(encoded.audio_codes[0])
        codes = torch.stack(sides * (wanted // given), dim=2).flatten(1, 2)
        return codes.flatten(0, 1), encoded.audio_scales

    def decode_audio(self, codes: Tensor, scales: list[Tensor | None] | None = None) -> Tensor:
        """Waveforms (batch, channels, samples) of codes (batch, codebooks, frames)."""
        channels = self.config.decoder.audio_channels
        sides = [
            self.audio_encoder.decode(codes[None, :, side::channels], scales or [None]).audio_values
            for side in range(channels)
        ]
        return torch.cat(sides, dim=1)

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """Labels (batch, frames, codebooks) to ids (batch, codebooks, frames), shifted to the right."""
        config = self.config.decoder
        start: Any = config.decoder_start_token_id
        start = config.bos_token_id if start is None else start
        shifted = [shift_tokens_right(book, config.pad_token_id, start) for book in labels.unbind(-1)]
        return torch.stack(shifted, dim=1)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        input_values: Tensor | None = None,
        padding_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
    ) -> Seq2SeqLMOutput:
        """Texts (batch, source) and codes to logits (batch x codebooks, frames, vocabulary).

        Args:
            input_values: (batch, channels, samples), in place of ids (batch x codebooks, frames).
            labels: (batch, frames, codebooks), which make the decoder's ids where none are given.
        """
        encoded, states = self.encode_text(input_ids, attention_mask, encoder_outputs, inputs_embeds)
        if decoder_input_ids is None and decoder_inputs_embeds is None:
            if labels is not None:
                decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels).flatten(0, 1)
            elif input_values is not None:
                decoder_input_ids, _ = self.encode_audio(input_values, padding_mask)
        decoded = self.decoder(
            decoder_input_ids,
            attention_mask=decoder_attention_mask,
            encoder_hidden_states=states,
            encoder_attention_mask=attention_mask,
            inputs_embeds=decoder_inputs_embeds,
            past_key_values=past_key_values,
            use_cache=use_cache,
            labels=labels,
        )
        return Seq2SeqLMOutput.join(encoded, decoded, loss=decoded.loss, logits=decoded.logits)

    # Generation

    def get_unconditional_inputs(self, num_samples: int = 1) -> MusicgenUnconditionalInput:
        """Inputs of `generate` for `num_samples` sounds of no description."""
        states = torch.zeros(
            num_samples, 1, self.config.text_encoder.hidden_size, device=self.device, dtype=self.dtype
        )
        mask = torch.zeros(num_samples, 1, device=self.device, dtype=torch.long)
        return MusicgenUnconditionalInput(encoder_outputs=(states,), attention_mask=mask, guidance_scale=1.0)

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        inputs: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        *,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        input_values: Tensor | None = None,
        padding_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        **kwargs: Any,
    ) -> Tensor | ModelOutput:
        """Waveforms (batch x num_return_sequences, channels, samples) of texts.

        Args:
            inputs, input_ids: (batch, source) texts; without any, one sound of no description is made.
            input_values: (batch, channels, samples) sounds to continue; they begin the result.
            decoder_input_ids: (batch x codebooks, frames) codes to continue.
            **kwargs: `guidance_scale` (above 1 the text counts for more), and as of
                `GenerationMixin.generate`; beams are refused.
        """
        input_ids = inputs if input_ids is None else input_ids
        if input_ids is None and encoder_outputs is None:
            nothing = self.get_unconditional_inputs()
            encoder_outputs, attention_mask = nothing.encoder_outputs, nothing.attention_mask
        config = self.settings_of_call(generation_config, kwargs)
        encoded, states = self.encode_text(input_ids, attention_mask, encoder_outputs)
        scales = None
        if input_values is not None:
            if decoder_input_ids is not None:
                raise GenerationError("pass one of input_values and decoder_input_ids")
            decoder_input_ids, scales = self.encode_audio(input_values, padding_mask)
        decoder_input_ids = self.started(decoder_input_ids, config, len(states))
        session, output = self.decoder.delayed(
            decoder_input_ids, config, states, attention_mask, {**kwargs, "use_model_defaults": False}
        )
        if not isinstance(output, ModelOutput):
            return self.decode_audio(session.codes(output), scales)
        steps = session.prepared.record.parts
        return GenerateEncoderDecoderOutput(
            sequences=self.decode_audio(session.codes(output["sequences"]), scales),
            scores=output.get("scores"),
            logits=output.get("logits"),
            encoder_attentions=encoded.get("attentions"),
            encoder_hidden_states=encoded.get("hidden_states"),
            decoder_attentions=output.get("attentions"),
            cross_attentions=tuple(steps["cross_attentions"]) if "cross_attentions" in steps else None,
            decoder_hidden_states=output.get("hidden_states"),
            past_key_values=output.get("past_key_values"),
        )

    def settings_of_call(
        self, generation_config: GenerationConfig | None, kwargs: dict[str, Any]
    ) -> GenerationConfig:
        """The settings of a call of `generate`: its keywords, over its config, over the model's."""
        own = {name: kwargs[name] for name in kwargs if name in DEFAULTS}
        defaults = kwargs.pop("use_model_defaults", None) is not False
        return merged(self.settings(), generation_config, own, defaults)

    def started(self, ids: Tensor | None, config: GenerationConfig, batch: int) -> Tensor:
        """Rows of codes that begin with the start token; None: it alone."""
        own = self.config.decoder
        found = (config.decoder_start_token_id, config.bos_token_id, own.bos_token_id)
        start = next(value for value in found if value is not None)
        rows = batch * own.num_codebooks
        if ids is None:
            return torch.full((rows, 1), start, device=self.device)
        if len(ids) != rows:
            raise GenerationError(
                f"decoder_input_ids have {len(ids)} rows; "
                f"{batch} texts and {own.num_codebooks} codebooks make {rows}"
            )
        if bool((ids[:, 0] == start).all()):
            return ids
        return torch.cat((torch.full_like(ids[:, :1], start), ids), dim=1)
