"""DAC: a convolutional autoencoder of sound with snake activations and factorised residual codebooks."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.dac.config import DacConfig
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput


class DacOutput(ModelOutput):
    """Waveforms (batch, samples), and as `DacEncoderOutput` what they are made from."""

    loss: Tensor | None = None
    audio_values: Tensor
    quantized_representation: Tensor
    audio_codes: Tensor
    projected_latents: Tensor


class DacEncoderOutput(ModelOutput):
    """Quantised states (batch, hidden, frames), codes (batch, codebooks, frames), projected latents."""

    loss: Tensor | None = None
    quantized_representation: Tensor
    audio_codes: Tensor
    projected_latents: Tensor


class DacDecoderOutput(ModelOutput):
    """Waveforms (batch, samples)."""

    audio_values: Tensor


class Snake(nn.Module):
    """x + sin(alpha x)^2 / alpha, with an alpha for each channel (https://arxiv.org/abs/2006.08195)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, size, 1))

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + (self.alpha * hidden).sin().square() / (self.alpha + 1e-9)


class DacResidual(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, size: int, dilation: int) -> None:
        super().__init__()
        self.snake1, self.snake2 = Snake(size), Snake(size)
        self.conv1 = nn.Conv1d(size, size, 7, dilation=dilation, padding=3 * dilation)
        self.conv2 = nn.Conv1d(size, size, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + self.conv2(self.snake2(self.conv1(self.snake1(hidden))))


class DacResiduals(nn.Module):
    """Three residual units of growing dilation."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.res_unit1, self.res_unit2, self.res_unit3 = (DacResidual(size, d) for d in (1, 3, 9))

    def residuals(self, hidden: Tensor) -> Tensor:
        return self.res_unit3(self.res_unit2(self.res_unit1(hidden)))


class DacEncoderBlock(DacResiduals):
    """Residual units, then fewer frames of twice the width."""

    def __init__(self, size: int, stride: int) -> None:
        super().__init__(size // 2)
        self.snake1 = Snake(size // 2)
        self.conv1 = nn.Conv1d(size // 2, size, 2 * stride, stride=stride, padding=math.ceil(stride / 2))

    def forward(self, hidden: Tensor) -> Tensor:
        return self.conv1(self.snake1(self.residuals(hidden)))


class DacDecoderBlock(DacResiduals):
    """More frames of half the width, then residual units; `whole` gives `stride` for each, odd or even."""

    def __init__(self, size: int, stride: int, *, whole: bool = False) -> None:
        super().__init__(size // 2)
        self.snake1 = Snake(size)
        missing = stride % 2 if whole else 0
        self.conv_t1 = nn.ConvTranspose1d(
            size, size // 2, 2 * stride, stride, padding=math.ceil(stride / 2), output_padding=missing
        )

    def forward(self, hidden: Tensor) -> Tensor:
        return self.residuals(self.conv_t1(self.snake1(hidden)))


class DacEncoder(nn.Module):
    """Waveforms (batch, 1, samples) to states (batch, hidden, frames)."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        size = config.encoder_hidden_size
        self.conv1 = nn.Conv1d(1, size, 7, padding=3)
        self.block = nn.ModuleList(
            DacEncoderBlock(size * 2 ** (i + 1), stride)
            for i, stride in enumerate(config.downsampling_ratios)
        )
        size *= 2 ** len(self.block)
        self.snake1 = Snake(size)
        self.conv2 = nn.Conv1d(size, config.hidden_size, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.conv1(hidden)
        for block in self.block:
            hidden = block(hidden)
        return self.conv2(self.snake1(hidden))


class DacDecoder(nn.Module):
    """States (batch, hidden, frames) to waveforms (batch, 1, samples), with `squash` between -1 and 1."""

    def __init__(self, config: PretrainedConfig, *, squash: bool = True, whole: bool = False) -> None:
        super().__init__()
        self.squash = squash
        size = config.decoder_hidden_size
        self.conv1 = nn.Conv1d(config.hidden_size, size, 7, padding=3)
        self.block = nn.ModuleList(
            DacDecoderBlock(size // 2**i, stride, whole=whole)
            for i, stride in enumerate(config.upsampling_ratios)
        )
        size //= 2 ** len(self.block)
        self.snake1 = Snake(size)
        self.conv2 = nn.Conv1d(size, 1, 7, padding=3)

    def forward(self, hidden: Tensor) -> Tensor:
        hidden = self.conv1(hidden)
        for block in self.block:
            hidden = block(hidden)
        hidden = self.conv2(self.snake1(hidden))
        return hidden.tanh() if self.squash else hidden


class DacCodebook(nn.Module):
    """Looks states up in a narrow space, by their direction (https://arxiv.org/abs/2110.04627)."""

    def __init__(self, config: DacConfig) -> None:
        super().__init__()
        self.in_proj = nn.Conv1d(config.hidden_size, config.codebook_dim, 1)
        self.out_proj = nn.Conv1d(config.codebook_dim, config.hidden_size, 1)
        self.codebook = nn.Embedding(config.codebook_size, config.codebook_dim)

    def encode(self, latents: Tensor) -> Tensor:
        """The code of each projected latent: (batch, codebook_dim, frames) to (batch, frames)."""
        table = F.normalize(self.codebook.weight)
        flat = F.normalize(latents.transpose(1, 2).flatten(0, 1))
        distance = flat.square().sum(1, keepdim=True) - 2 * flat @ table.t() + table.square().sum(1)
        return (-distance).max(1)[1].view(latents.shape[0], -1)

    def vectors(self, codes: Tensor) -> Tensor:
        """(batch, frames) to (batch, codebook_dim, frames)."""
        return self.codebook(codes).transpose(1, 2)


class DacQuantizer(nn.Module):
    """Each codebook quantises what the ones before it left over."""

    def __init__(self, config: DacConfig) -> None:
        super().__init__()
        self.config = config
        self.quantizers = nn.ModuleList(DacCodebook(config) for _ in range(config.n_codebooks))

    def forward(self, states: Tensor, count: int | None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(batch, hidden, frames) to the quantised states, codes, latents and the loss (batch,).

        Args:
            count: codebooks to use; in training with `quantizer_dropout` rows take random numbers of them.
        """
        rows, total = len(states), len(self.quantizers)
        counts = torch.full((rows,), total if count is None else count, device=states.device)
        if self.training and count is None:
            dropped = int(rows * self.config.quantizer_dropout)
            counts[:dropped] = torch.randint(1, total + 1, (dropped,), device=states.device)
        found, left = torch.zeros_like(states), states
        codes, latents, losses = [], [], []
        for index, quantizer in enumerate(self.quantizers):
            if index >= int(counts.max()):
                break
            latent = quantizer.in_proj(left)
            code = quantizer.encode(latent)
            vector = quantizer.vectors(code)
            used = index < counts
            error = [F.mse_loss(a, b) for a, b in ((latent, vector.detach()), (vector, latent.detach()))]
            losses.append(torch.stack(error)[:, None] * used)
            quantized = quantizer.out_proj(latent + (vector - latent).detach())
            found = found + quantized * used[:, None, None]
            left = left - quantized
            codes.append(code)
            latents.append(latent)
        commitment, codebook = torch.stack(losses).sum(0)
        loss = self.config.commitment_loss_weight * commitment + self.config.codebook_loss_weight * codebook
        return found, torch.stack(codes, dim=1), torch.cat(latents, dim=1), loss

    def from_codes(self, audio_codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Codes (batch, codebooks, frames) to quantised states, their latents, and the codes."""
        latents = [q.vectors(code) for q, code in zip(self.quantizers, audio_codes.unbind(1), strict=False)]
        parts = [q.out_proj(latent) for q, latent in zip(self.quantizers, latents, strict=False)]
        return torch.stack(parts).sum(0), torch.cat(latents, dim=1), audio_codes


class DacModel(PreTrainedModel):
    """The codec: encoder, quantiser and decoder."""

    config_class = DacConfig
    base_model_prefix = "dac"
    main_input_name = "input_values"

    def __init__(self, config: DacConfig) -> None:
        super().__init__(config)
        self.encoder = DacEncoder(config)
        self.decoder = DacDecoder(config)
        self.quantizer = DacQuantizer(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError("DAC takes waveforms, not tokens")

    def encode(
        self, input_values: Tensor, n_quantizers: int | None = None, return_dict: bool | None = None
    ) -> Any:
        """Codes of waveforms (batch, 1, samples), with as many codebooks as `n_quantizers` says."""
        if input_values.dim() != 3 or input_values.shape[1] != 1:
            raise ValueError(f"input_values are {tuple(input_values.shape)}; expected (batch, 1, samples)")
        states = self.encoder(input_values.to(self.dtype))
        quantized, codes, latents, loss = self.quantizer(states, n_quantizers)
        found = DacEncoderOutput(
            loss=loss, quantized_representation=quantized, audio_codes=codes, projected_latents=latents
        )
        return found.to_tuple() if return_dict is False else found

    def decode(
        self,
        quantized_representation: Tensor | None = None,
        audio_codes: Tensor | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """The waveforms of quantised states, or of codes (batch, codebooks, frames)."""
        if quantized_representation is None and audio_codes is None:
            raise ValueError("pass quantized_representation or audio_codes")
        if audio_codes is not None:
            quantized_representation = self.quantizer.from_codes(audio_codes)[0]
        values = self.decoder(quantized_representation).squeeze(1)
        return (values,) if return_dict is False else DacDecoderOutput(audio_values=values)

    def forward(self, input_values: Tensor | None = None, n_quantizers: int | None = None) -> DacOutput:
        """Waveforms (batch, 1, samples) through the codec."""
        if input_values is None:
            raise ValueError("pass input_values (batch, 1, samples)")
        encoded = self.encode(input_values, n_quantizers)
        values = self.decode(encoded.quantized_representation).audio_values
        return DacOutput(audio_values=values[..., : input_values.shape[-1]], **encoded)
