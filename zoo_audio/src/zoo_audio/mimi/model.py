"""Mimi: EnCodec's convolutions, a transformer on either side, and codebooks for meaning and for sound."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.encodec.model import EncodecConv, EncodecConvTranspose, EncodecDecoder, EncodecEncoder
from zoo_audio.mimi.config import MimiConfig
from zoo_core.modeling.decoder import attention_of, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache
from zoo_core.nn.masks import AttentionContext, MaskRule
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers


class MimiOutput(ModelOutput):
    """Codes (batch, codebooks, frames) and the waveforms (batch, channels, samples) they stand for."""

    audio_codes: Tensor
    audio_values: Tensor
    encoder_past_key_values: Cache | None = None
    decoder_past_key_values: Cache | None = None


class MimiEncoderOutput(ModelOutput):
    """Codes (batch, codebooks, frames)."""

    audio_codes: Tensor
    encoder_past_key_values: Cache | None = None


class MimiDecoderOutput(ModelOutput):
    """Waveforms (batch, channels, samples)."""

    audio_values: Tensor
    decoder_past_key_values: Cache | None = None


class LayerScale(nn.Module):
    """A learned factor for each channel (https://arxiv.org/abs/2103.17239)."""

    def __init__(self, config: MimiConfig) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((config.hidden_size,), config.layer_scale_initial_scale))

    def forward(self, hidden: Tensor) -> Tensor:
        return self.scale * hidden


class MimiLayer(nn.Module):
    """A pre-norm layer whose branches are scaled; frames see a window of earlier ones."""

    def __init__(self, config: MimiConfig, layer_idx: int) -> None:
        super().__init__()
        norm = partial(nn.LayerNorm, config.hidden_size, eps=config.norm_eps)
        rule = MaskRule(causal=True, window=config.sliding_window)
        self.input_layernorm, self.post_attention_layernorm = norm(), norm()
        self.self_attn = attention_of(config, layer_idx, rule=rule)
        self.mlp = MLP(config.hidden_size, config.intermediate_size, config.hidden_act, bias=False)
        self.self_attn_layer_scale, self.mlp_layer_scale = LayerScale(config), LayerScale(config)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        attended = self.self_attn(self.input_layernorm(hidden), context, **attention)
        hidden = hidden + self.self_attn_layer_scale(attended)
        return hidden + self.mlp_layer_scale(self.mlp(self.post_attention_layernorm(hidden)))


class MimiTransformer(nn.Module):
    """States (batch, hidden, frames) to the same shape."""

    def __init__(self, config: MimiConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(MimiLayer(config, i) for i in range(config.num_hidden_layers))
        self.rotary = rotary_of(config)

    def forward(self, hidden: Tensor, cache: Cache | None) -> Tensor:
        hidden = hidden.transpose(1, 2)
        context = AttentionContext(hidden, cache=cache)
        rotary = self.rotary(context.positions, dtype=hidden.dtype)
        return run_layers(self.layers, hidden, context, rotary=rotary).transpose(1, 2)


class Codebook(nn.Module):
    """Vectors of codes, stored as sums over the states that chose them."""

    embed_sum: Tensor
    cluster_usage: Tensor

    def __init__(self, config: MimiConfig) -> None:
        super().__init__()
        self.register_buffer("initialized", torch.ones(1))
        self.register_buffer("cluster_usage", torch.ones(config.codebook_size))
        self.register_buffer("embed_sum", torch.zeros(config.codebook_size, config.codebook_dim))

    @property
    def embed(self) -> Tensor:
        """(codes, size)."""
        return self.embed_sum / self.cluster_usage.clamp(min=1e-5)[:, None]

    def encode(self, states: Tensor) -> Tensor:
        """The nearest code of each state: (batch, frames, size) to (batch, frames)."""
        return torch.cdist(states.float(), self.embed.float()[None]).argmin(-1)

    def decode(self, codes: Tensor) -> Tensor:
        """(batch, frames) to (batch, frames, size)."""
        return F.embedding(codes, self.embed)


class CodebookLayer(nn.Module):
    """One step of the quantisation."""

    def __init__(self, config: MimiConfig) -> None:
        super().__init__()
        self.codebook = Codebook(config)


class ResidualQuantizer(nn.Module):
    """Each codebook quantises what the ones before it left over, in a space of its own."""

    def __init__(self, config: MimiConfig, count: int) -> None:
        super().__init__()
        outer, inner = config.hidden_size, config.vector_quantization_hidden_dimension
        same = outer == inner
        self.input_proj = nn.Identity() if same else nn.Conv1d(outer, inner, 1, bias=False)
        self.output_proj = nn.Identity() if same else nn.Conv1d(inner, outer, 1, bias=False)
        self.layers = nn.ModuleList(CodebookLayer(config) for _ in range(count))

    def encode(self, states: Tensor, count: int) -> list[Tensor]:
        """(batch, hidden, frames) to `count` times (batch, frames)."""
        left, found = self.input_proj(states).transpose(1, 2), []
        for layer in self.layers[:count]:
            codes = layer.codebook.encode(left)
            left = left - layer.codebook.decode(codes)
            found.append(codes)
        return found

    def decode(self, codes: Tensor) -> Tensor:
        """(batch, codebooks, frames) to (batch, hidden, frames)."""
        parts = [layer.codebook.decode(c) for layer, c in zip(self.layers, codes.unbind(1), strict=False)]
        return self.output_proj(torch.stack(parts).sum(0).transpose(1, 2))


class SplitQuantizer(nn.Module):
    """The first codebooks hold meaning, the others sound; both quantise the same states."""

    def __init__(self, config: MimiConfig) -> None:
        super().__init__()
        self.total, self.semantic = config.num_quantizers, config.num_semantic_quantizers
        self.semantic_residual_vector_quantizer = ResidualQuantizer(config, self.semantic)
        self.acoustic_residual_vector_quantizer = ResidualQuantizer(config, self.total - self.semantic)

    def encode(self, states: Tensor, count: int | None) -> Tensor:
        """(batch, hidden, frames) to (batch, count, frames).

        Raises:
            ValueError: fewer codebooks than those of meaning, or more than there are.
        """
        count = self.total if count is None else count
        if not self.semantic <= count <= self.total:
            raise ValueError(f"num_quantizers={count} must be from {self.semantic} to {self.total}")
        codes = self.semantic_residual_vector_quantizer.encode(states, self.semantic)
        codes += self.acoustic_residual_vector_quantizer.encode(states, count - self.semantic)
        return torch.stack(codes, dim=1)

    def decode(self, codes: Tensor) -> Tensor:
        """(batch, codebooks, frames) to (batch, hidden, frames)."""
        found = self.semantic_residual_vector_quantizer.decode(codes[:, : self.semantic])
        if codes.shape[1] > self.semantic:
            found = found + self.acoustic_residual_vector_quantizer.decode(codes[:, self.semantic :])
        return found


class MimiModel(PreTrainedModel):
    """The codec: encoder, quantiser and decoder."""

    config_class = MimiConfig
    base_model_prefix = "mimi"
    main_input_name = "input_values"

    def __init__(self, config: MimiConfig) -> None:
        super().__init__(config)
        size, joined = config.hidden_size, config.joined_frames
        self.encoder = EncodecEncoder(config)
        self.encoder_transformer = MimiTransformer(config)
        self.downsample: nn.Module | None = None
        self.upsample: nn.Module | None = None
        if joined > 1:
            self.downsample = EncodecConv(
                config, size, size, 2 * joined, joined, bias=False, mode="replicate"
            )
            self.upsample = EncodecConvTranspose(
                config, size, size, 2 * joined, joined, bias=False, groups=config.upsample_groups
            )
        self.decoder_transformer = MimiTransformer(config)
        self.decoder = EncodecDecoder(config)
        self.quantizer = SplitQuantizer(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError("Mimi takes waveforms, not tokens")

    def encode(
        self,
        input_values: Tensor,
        padding_mask: Tensor | None = None,
        num_quantizers: int | None = None,
        encoder_past_key_values: Cache | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """Codes of waveforms (batch, channels, samples); padding is encoded with the rest."""
        if input_values.dim() != 3 or input_values.shape[1] != self.config.audio_channels:
            raise ValueError(
                f"input_values are {tuple(input_values.shape)}; expected (batch, "
                f"{self.config.audio_channels} channels, samples)"
            )
        cache = self.cache_for(encoder_past_key_values, None)
        states = self.encoder_transformer(self.encoder(input_values.to(self.dtype)), cache)
        if self.downsample is not None:
            states = self.downsample(states)
        codes = self.quantizer.encode(states, num_quantizers)
        found = MimiEncoderOutput(audio_codes=codes, encoder_past_key_values=cache)
        return found.to_tuple() if return_dict is False else found

    def decode(
        self,
        audio_codes: Tensor,
        padding_mask: Tensor | None = None,
        decoder_past_key_values: Cache | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """The waveforms of codes (batch, codebooks, frames), as long as `padding_mask` says."""
        cache = self.cache_for(decoder_past_key_values, None)
        states = self.quantizer.decode(audio_codes)
        if self.upsample is not None:
            states = self.upsample(states)
        values = self.decoder(self.decoder_transformer(states, cache))
        if padding_mask is not None and padding_mask.shape[-1] < values.shape[-1]:
            values = values[..., : padding_mask.shape[-1]]
        found = MimiDecoderOutput(audio_values=values, decoder_past_key_values=cache)
        return found.to_tuple() if return_dict is False else found

    def forward(
        self,
        input_values: Tensor | None = None,
        padding_mask: Tensor | None = None,
        num_quantizers: int | None = None,
        audio_codes: Tensor | None = None,
        encoder_past_key_values: Cache | None = None,
        decoder_past_key_values: Cache | None = None,
    ) -> MimiOutput:
        """Waveforms (batch, channels, samples) through the codec; or, of given codes, the decoder alone."""
        if input_values is None:
            raise ValueError("pass input_values (batch, channels, samples)")
        if padding_mask is None:
            padding_mask = torch.ones_like(input_values).bool()
        if audio_codes is None:
            encoded = self.encode(input_values, padding_mask, num_quantizers, encoder_past_key_values)
            audio_codes, encoder_past_key_values = encoded.audio_codes, encoded.encoder_past_key_values
        decoded = self.decode(audio_codes, padding_mask, decoder_past_key_values)
        return MimiOutput(
            audio_codes=audio_codes,
            audio_values=decoded.audio_values,
            encoder_past_key_values=encoder_past_key_values,
            decoder_past_key_values=decoded.decoder_past_key_values,
        )
