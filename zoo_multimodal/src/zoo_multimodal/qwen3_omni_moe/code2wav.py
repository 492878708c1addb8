"""What makes sound of Qwen3-Omni's codes: a transformer over frames, then causal convolutions.

All of it looks backwards only, so that sound can be made while codes are still being written.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.drop_path import ScaledPreNormLayer
from zoo_multimodal.qwen2_5_omni.vocoder import SnakeBeta
from zoo_multimodal.qwen3_omni_moe.config import Qwen3OmniMoeCode2WavConfig


class FrameLayer(ScaledPreNormLayer):
    """A layer whose branches are scaled."""

    hub_names = {
        "layer_scale1.weight": "self_attn_layer_scale.scale",
        "layer_scale2.weight": "mlp_layer_scale.scale",
    }


class Qwen3OmniMoeCode2WavTransformerModel(DecoderModel):
    """Vectors of frames (batch, frames, hidden) to states; each frame sees a window of those before it."""

    config_class = Qwen3OmniMoeCode2WavConfig
    layer_class = FrameLayer

    def make_embeddings(self, config: PretrainedConfig) -> None:
        """None: it is given vectors."""

    def layer_options(self, config: PretrainedConfig) -> dict[str, Any]:
        return {"layer_scale": config.layer_scale_initial_scale}

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        if input_ids is not None or inputs_embeds is None:
            raise ValueError(f"{type(self).__name__} takes vectors; pass inputs_embeds, and no input_ids")
        return inputs_embeds

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError(f"{type(self).__name__} takes vectors of frames, not tokens")


class CausalConv(nn.Conv1d):
    """A convolution (batch, channels, frames) over the last frames."""

    hub_names = {"weight": "conv.weight", "bias": "conv.bias"}

    def forward(self, hidden: Tensor) -> Tensor:
        before = (self.kernel_size[0] - 1) * self.dilation[0]
        return super().forward(F.pad(hidden, (before, 0)))


class CausalTransposedConv(nn.ConvTranspose1d):
    """A convolution that raises the rate; what its kernel is longer than a step is cut off at both ends."""

    hub_names = CausalConv.hub_names

    def forward(self, hidden: Tensor, output_size: Any = None) -> Tensor:
        hidden = super().forward(hidden, output_size)
        cut = self.kernel_size[0] - self.stride[0]
        return hidden[..., cut : hidden.shape[-1] - cut]


class CausalConvNeXt(nn.Module):
    """A ConvNeXt block (https://arxiv.org/abs/2201.03545) in one dimension."""

    hub_names = {"fc1": "pwconv1", "fc2": "pwconv2"}

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = CausalConv(width, width, 7, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, hidden: Tensor) -> Tensor:
        inner = self.norm(self.dwconv(hidden).transpose(1, 2))
        return hidden + (self.gamma * self.fc2(F.gelu(self.fc1(inner)))).transpose(1, 2)


class DilatedUnit(nn.Module):
    """Two convolutions, each after an activation, around which the input is added."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.act1, self.act2 = SnakeBeta(width), SnakeBeta(width)
        self.conv1, self.conv2 = CausalConv(width, width, 7, dilation=dilation), CausalConv(width, width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.conv2(self.act2(self.conv1(self.act1(hidden))))


class UpsamplingBlock(nn.Module):
    """Half the width at `rate` times the rate, and three units that look further and further back."""

    def __init__(self, width: int, rate: int) -> None:
        super().__init__()
        up = CausalTransposedConv(width, width // 2, 2 * rate, stride=rate)
        units = (DilatedUnit(width // 2, dilation) for dilation in (1, 3, 9))
        self.block = nn.Sequential(SnakeBeta(width), up, *units)

    def forward(self, hidden: Tensor) -> Tensor:
        found: Tensor = self.block(hidden)
        return found


class Qwen3OmniMoeCode2Wav(PreTrainedModel):
    """Codes (batch, quantizers, frames) to waveforms (batch, 1, samples)."""

    config_class = Qwen3OmniMoeCode2WavConfig
    base_model_prefix = "code2wav"
    main_input_name = "codes"
    ignored_names = ("thinker.*", "talker.*")

    def __init__(self, config: Qwen3OmniMoeCode2WavConfig) -> None:
        super().__init__(config)
        size, width, rates = config.hidden_size, config.decoder_dim, config.upsample_rates
        self.code_embedding = nn.Embedding(config.codebook_size * config.num_quantizers, size)
        self.pre_transformer = Qwen3OmniMoeCode2WavTransformerModel(config)
        self.upsample = nn.Sequential(
            *(
                nn.Sequential(CausalTransposedConv(size, size, ratio, stride=ratio), CausalConvNeXt(size))
                for ratio in config.upsampling_ratios
            )
        )
        blocks = (UpsamplingBlock(width >> number, rate) for number, rate in enumerate(rates))
        last = width >> len(rates)
        self.decoder = nn.Sequential(
            CausalConv(size, width, 7), *blocks, SnakeBeta(last), CausalConv(last, 1, 7)
        )
        self.total_upsample = math.prod((*rates, *config.upsampling_ratios))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.code_embedding

    def forward(self, codes: Tensor) -> Tensor:
        """`total_upsample` samples from -1 to 1 a frame, less what the first ones lack before them.

        Raises:
            ValueError: `codes` has another number of quantizers, no frame, or codes beyond `codebook_size`.
        """
        config = self.config
        if codes.dim() != 3 or codes.shape[1] != config.num_quantizers or not codes.shape[2]:
            raise ValueError(
                f"codes have shape {tuple(codes.shape)}; pass (batch, {config.num_quantizers}, frames), "
                "at least one frame"
            )
        if int(codes.min()) < 0 or int(codes.max()) >= config.codebook_size:
            raise ValueError(
                f"codes are from {int(codes.min())} to {int(codes.max())}; those of this model are from 0 to "
                f"{config.codebook_size - 1}"
            )
        first = torch.arange(config.num_quantizers, device=codes.device) * config.codebook_size
        vectors = self.code_embedding(codes + first[:, None]).mean(1)
        states = self.pre_transformer(inputs_embeds=vectors, use_cache=False).last_hidden_state
        wave: Tensor = self.decoder(self.upsample(states.transpose(1, 2)))
        return wave.clamp(-1, 1)

    def chunked_decode(self, codes: Tensor, chunk_size: int = 300, left_context_size: int = 25) -> Tensor:
        """As `forward`, `chunk_size` frames at a time, each with the `left_context_size` before it."""
        if chunk_size < 1 or left_context_size < 0:
            raise ValueError(
                f"chunk_size={chunk_size} and left_context_size={left_context_size}: pass at least 1 and 0"
            )
        waves = []
        for start in range(0, codes.shape[-1], chunk_size):
            context = min(left_context_size, start)
            wave = self(codes[..., start - context : start + chunk_size])
            waves.append(wave[..., context * self.total_upsample :])
        return torch.cat(waves, dim=-1) if waves else self(codes)
