"""What makes sound of Qwen2.5-Omni's codes: a flow-matching transformer, then a vocoder.

The transformer is F5-TTS's (https://arxiv.org/abs/2410.06885) over blocks, so that sound can be streamed.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.rotary import RotaryTables, StoredRotary
from zoo_multimodal.qwen2_5_omni.config import Qwen2_5OmniDiTConfig, Qwen2_5OmniToken2WavConfig
from zoo_multimodal.qwen2_5_omni.speaker import SpeakerEncoder
from zoo_multimodal.qwen2_5_omni.vocoder import Qwen2_5OmniToken2WavBigVGANModel

_LONGEST = 30_000
"""Frames of noise that are drawn, so that what is drawn does not depend on the length."""


class FirstHeadAttention(Attention):
    """Attention of which only the first head turns with the position, as in F5-TTS."""

    hub_names = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "o_proj": "to_out.0"}

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = super().heads(hidden, None)
        if rotary is not None:
            query, key = (torch.cat((rotary(x[:, :1]), x[:, 1:]), dim=1) for x in (query, key))
        return query, key, value


class DiTLayer(nn.Module):
    """Attention and MLP, shifted, scaled and gated by the time (https://arxiv.org/abs/2212.09748)."""

    hub_names = {"modulation": "attn_norm.linear", "fc1": "ff.ff.0", "fc2": "ff.ff.3"}

    def __init__(self, config: Any) -> None:
        super().__init__()
        size = config.hidden_size
        self.modulation = nn.Linear(size, 6 * size)
        self.attn = FirstHeadAttention(
            size, config.num_attention_heads, head_dim=config.head_dim, bias=True, out_bias=True
        )
        self.fc1, self.fc2 = nn.Linear(size, config.ff_mult * size), nn.Linear(config.ff_mult * size, size)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, time: Tensor, rotary: RotaryTables
    ) -> Tensor:
        """`time` (batch, hidden) is the embedded time."""
        shift, scale, gate, *of_mlp = self.modulation(F.silu(time))[:, None].chunk(6, dim=-1)
        attended = self.attn(normed(hidden) * (1 + scale) + shift, context, rotary=rotary)
        hidden = hidden + gate * self.dropout(attended)
        shift, scale, gate = of_mlp
        inner = self.fc1(normed(hidden) * (1 + scale) + shift)
        return hidden + gate * self.fc2(self.dropout(F.gelu(inner, approximate="tanh")))


def normed(hidden: Tensor) -> Tensor:
    """Layer norm without weights."""
    return F.layer_norm(hidden, hidden.shape[-1:], eps=1e-6)


class TimeEmbedding(nn.Module):
    """Sinusoids of a time from 0 to 1, and two linear maps."""

    hub_names = {"fc1": "time_mlp.0", "fc2": "time_mlp.2"}

    def __init__(self, size: int, width: int = 256) -> None:
        super().__init__()
        self.half = width // 2
        self.fc1, self.fc2 = nn.Linear(width, size), nn.Linear(size, size)

    def forward(self, time: Tensor) -> Tensor:
        """(batch,) to (batch, size)."""
        steps = torch.arange(self.half, device=time.device).float() / (self.half - 1)
        angles = 1000 * time[:, None].float() * torch.exp(-math.log(10000) * steps)
        waves = torch.cat((angles.sin(), angles.cos()), dim=-1).to(self.fc1.weight.dtype)
        return self.fc2(F.silu(self.fc1(waves)))


class DiTInput(nn.Module):
    """A noisy spectrogram, who speaks, and the codes, joined."""

    hub_names = {"speaker": "spk_encoder"}

    def __init__(self, config: Any) -> None:
        super().__init__()
        width = config.mel_dim + config.enc_dim + config.enc_emb_dim + config.emb_dim
        self.proj = nn.Linear(width, config.hidden_size)
        self.speaker = SpeakerEncoder(config)

    def forward(self, hidden: Tensor, condition: Tensor, codes: Tensor, speaker: Tensor) -> Tensor:
        """(batch, frames, ...) each, but `condition`, the mel frames of a voice."""
        voice = self.speaker(condition)[:, None].expand(-1, hidden.shape[1], -1)
        return self.proj(torch.cat((hidden, voice, codes, speaker), dim=-1))


class Qwen2_5OmniToken2WavDiTModel(PreTrainedModel):
    """A noisy spectrogram (batch, frames, mels) to the direction in which the clean one is."""

    config_class = Qwen2_5OmniDiTConfig
    main_input_name = "hidden_states"
    hub_names = {
        "layers": "transformer_blocks",
        "embed_codes": "text_embed.codec_embed",
        "norm_out": "norm_out.linear",
        "rotary": "rotary_embed",
    }

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.time_embed = TimeEmbedding(size)
        self.embed_codes = nn.Embedding(config.num_embeds + 1, config.emb_dim)
        self.input_embed = DiTInput(config)
        self.rotary = StoredRotary(config.head_dim, theta=config.rope_theta, interleaved=True)
        self.layers = nn.ModuleList(DiTLayer(config) for _ in range(config.num_hidden_layers))
        self.norm_out = nn.Linear(size, 2 * size)
        self.proj_out = nn.Linear(size, config.mel_dim)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embed_codes

    def contexts(self, hidden: Tensor) -> list[AttentionContext]:
        """What each layer may see: the block of a frame, and maybe its neighbours."""
        block = torch.arange(hidden.shape[1], device=hidden.device) // self.config.block_size
        apart = block - block[:, None]
        made: dict[tuple[bool, bool], AttentionContext] = {}
        found = []
        for i in range(len(self.layers)):
            ahead, back = i in self.config.look_ahead_layers, i in self.config.look_backward_layers
            if (ahead, back) not in made:
                seen = (apart >= -int(back)) & (apart <= int(ahead))
                made[ahead, back] = AttentionContext(hidden, seen.expand(len(hidden), -1, -1))
            found.append(made[ahead, back])
        return found

    def forward(
        self,
        hidden_states: Tensor,
        condition_vector: Tensor,
        speaker_embedding: Tensor,
        quantized_code: Tensor,
        time_step: Tensor,
        drop_audio_conditioning: bool = False,
        drop_code: bool = False,
        apply_cfg: bool = True,
    ) -> Tensor:
        """Directions (batch, frames, mels); with `apply_cfg` then those without voice and codes.

        Args:
            condition_vector: (batch, voice frames, mels) a spectrogram of the voice.
            speaker_embedding: (batch, frames, enc_emb_dim). quantized_code: (batch, frames / repeats).
            time_step: () or (batch,), from 0 (noise) to 1. drop_audio_conditioning, drop_code: leave voice
                or codes out.
        """
        codes = self.embed_codes(torch.zeros_like(quantized_code) if drop_code else quantized_code)
        if drop_audio_conditioning:
            condition_vector = torch.zeros_like(condition_vector)
            speaker_embedding = torch.zeros_like(speaker_embedding)
        if apply_cfg:
            none = self.embed_codes(torch.zeros_like(quantized_code))
            hidden_states = torch.cat((hidden_states, hidden_states))
            condition_vector = torch.cat((condition_vector, torch.zeros_like(condition_vector)))
            speaker_embedding = torch.cat((speaker_embedding, torch.zeros_like(speaker_embedding)))
            codes = torch.cat((codes, none))
        codes = codes.repeat_interleave(self.config.repeats, dim=1)
        hidden = self.input_embed(hidden_states, condition_vector, codes, speaker_embedding)
        time = self.time_embed(time_step.expand(len(hidden)))
        rotary = self.rotary(torch.arange(hidden.shape[1], device=hidden.device), dtype=hidden.dtype)
        for layer, context in zip(self.layers, self.contexts(hidden), strict=True):
            hidden = layer(hidden, context, time=time, rotary=rotary)
        scale, shift = self.norm_out(F.silu(time))[:, None].chunk(2, dim=-1)
        return self.proj_out(normed(hidden) * (1 + scale) + shift)

    @torch.no_grad()
    def sample(
        self,
        conditioning_vector: Tensor,
        reference_mel_spectrogram: Tensor,
        quantized_code: Tensor,
        num_steps: int = 10,
        guidance_scale: float = 0.5,
        sway_coefficient: float | None = -1.0,
    ) -> Tensor:
        """A spectrogram (1, mels, frames) of codes (1, codes), from noise along the directions.

        Args:
            conditioning_vector: (1, enc_emb_dim). reference_mel_spectrogram: (1, frames, mels).
            num_steps: times at which directions are asked for. guidance_scale: how far to go beyond what
                voice and codes change. sway_coefficient: negative: more of the times early.
        """
        frames = quantized_code.shape[1] * self.config.repeats
        if len(quantized_code) != 1:
            raise ValueError(
                f"codes of {len(quantized_code)} rows were given; sound is made of one at a time"
            )
        if frames > _LONGEST:
            raise ValueError(f"{frames} frames are too many; at most {_LONGEST} are made at once")
        noise = torch.randn(1, _LONGEST, self.config.mel_dim, dtype=reference_mel_spectrogram.dtype)
        state = noise[:, :frames].to(quantized_code.device)
        speaker = conditioning_vector[:, None].expand(-1, frames, -1)

        def direction(time: Tensor, state: Tensor) -> Tensor:
            guided = guidance_scale >= 1e-5
            found = self(state, reference_mel_spectrogram, speaker, quantized_code, time, apply_cfg=guided)
            if not guided:
                return found
            known, unknown = found.chunk(2)
            return known + (known - unknown) * guidance_scale

        times = torch.linspace(0, 1, num_steps, device=state.device, dtype=noise.dtype)
        if sway_coefficient is not None:
            times = times + sway_coefficient * (torch.cos(torch.pi / 2 * times) - 1 + times)
        for start, end in pairwise(times):
            state = state + runge_kutta(direction, start, end, state)
        return state.transpose(1, 2)


def runge_kutta(direction: Any, start: Tensor, end: Tensor, state: Tensor) -> Tensor:
    """The change of `state` from `start` to `end`, by Kutta's rule of three eighths."""
    step = end - start
    first = direction(start, state)
    second = direction(start + step / 3, state + step * first / 3)
    third = direction(start + step * 2 / 3, state + step * (second - first / 3))
    fourth = direction(end, state + step * (first - second + third))
    return (first + 3 * (second + third) + fourth) * step / 8


class Qwen2_5OmniToken2WavModel(PreTrainedModel):
    """Codes (1, codes) to a waveform (samples,)."""

    config_class = Qwen2_5OmniToken2WavConfig
    base_model_prefix = "token2wav"
    main_input_name = "code"
    ignored_names = ("thinker.*", "talker.*")
    hub_names = {"dit": "code2wav_dit_model", "vocoder": "code2wav_bigvgan_model"}

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.dit = Qwen2_5OmniToken2WavDiTModel(config.dit_config)
        self.vocoder = Qwen2_5OmniToken2WavBigVGANModel(config.bigvgan_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.dit.embed_codes

    def forward(
        self,
        code: Tensor,
        conditioning: Tensor,
        reference_mel: Tensor,
        num_steps: int = 10,
        guidance_scale: float = 0.5,
        sway_coefficient: float | None = -1.0,
    ) -> Tensor:
        """As `sample` of the transformer, then the vocoder."""
        mels = self.dit.sample(conditioning, reference_mel, code, num_steps, guidance_scale, sway_coefficient)
        return self.vocoder(mels)
