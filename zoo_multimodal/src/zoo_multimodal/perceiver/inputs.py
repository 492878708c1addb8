"""Positions, and how each kind of input becomes an array of vectors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from zoo_core.nn.patch import interpolate_positions
from zoo_multimodal.perceiver.config import PerceiverConfig


class PerceiverTrainablePositionEncoding(nn.Module):
    """A vector for each place of an array of sizes `index_dims`."""

    def __init__(self, index_dims: int | Sequence[int], num_channels: int = 128) -> None:
        super().__init__()
        self.index_dims = (index_dims,) if isinstance(index_dims, int) else tuple(index_dims)
        self.output_size = num_channels
        self.position_embeddings = nn.Parameter(torch.empty(math.prod(self.index_dims), num_channels))
        nn.init.normal_(self.position_embeddings, std=0.02)

    def forward(
        self, index_dims: Sequence[int], *, points: Tensor | None = None, stretch: bool = False
    ) -> Tensor:
        """(1, places, channels); with `stretch` a square table is interpolated to `index_dims`."""
        table = self.position_embeddings[None]
        if stretch:
            side = math.isqrt(table.shape[1])
            return interpolate_positions(table, (side, side), tuple(index_dims), prefix=0)
        return table


class PerceiverFourierPositionEncoding(nn.Module):
    """Sines and cosines of places in [-1, 1], at `num_bands` frequencies up to the Nyquist frequency.

    Args:
        max_resolution: sizes of the array that the highest frequencies fit.
    """

    def __init__(
        self,
        num_bands: int,
        max_resolution: Sequence[int],
        concat_pos: bool = True,
        sine_only: bool = False,
    ) -> None:
        super().__init__()
        self.num_bands, self.max_resolution = num_bands, tuple(max_resolution)
        self.concat_pos, self.sine_only = concat_pos, sine_only

    @property
    def output_size(self) -> int:
        """Features of a place."""
        dims = len(self.max_resolution)
        return dims * (self.num_bands * (1 if self.sine_only else 2) + (1 if self.concat_pos else 0))

    def forward(
        self, index_dims: Sequence[int], *, points: Tensor | None = None, stretch: bool = False
    ) -> Tensor:
        """(1, places, features) of all places of an array, or of `points` (places, dimensions) in [-1, 1]."""
        if points is None:
            axes = [torch.linspace(-1.0, 1.0, size) for size in index_dims]
            points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, -2)
        bands = [torch.linspace(1.0, size / 2, self.num_bands) for size in self.max_resolution]
        angles = math.pi * (points[..., None] * torch.stack(bands).to(points.device)).flatten(1)
        parts = [angles.sin()] if self.sine_only else [angles.sin(), angles.cos()]
        return torch.cat([points, *parts] if self.concat_pos else parts, dim=-1)[None]


def position_encoding(
    kind: str,
    *,
    trainable_position_encoding_kwargs: Mapping[str, Any] | None = None,
    fourier_position_encoding_kwargs: Mapping[str, Any] | None = None,
) -> nn.Module:
    """The encoding that `kind` names: "trainable" or "fourier"."""
    if kind == "trainable":
        return PerceiverTrainablePositionEncoding(**trainable_position_encoding_kwargs or {})
    if kind == "fourier":
        return PerceiverFourierPositionEncoding(**fourier_position_encoding_kwargs or {})
    raise ValueError(f"position_encoding_type={kind!r}: must be trainable or fourier")


class Prepared(NamedTuple):
    """Inputs as an array: vectors (batch, places, channels), with and without their positions."""

    inputs: Tensor
    without_positions: Tensor | dict[str, Tensor]


class PerceiverTextPreprocessor(nn.Module):
    """Ids of bytes to vectors of `d_model`, positions added."""

    def __init__(self, config: PerceiverConfig) -> None:
        super().__init__()
        self.num_channels = config.d_model
        self.embeddings = nn.Embedding(config.vocab_size, config.d_model)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.d_model)

    def forward(self, inputs: Tensor, *, stretch: bool = False) -> Prepared:
        """(batch, sequence) ids to (batch, sequence, d_model)."""
        if inputs.shape[1] > self.position_embeddings.num_embeddings:
            raise ValueError(
                f"{inputs.shape[1]} tokens; max_position_embeddings={self.position_embeddings.num_embeddings}"
            )
        embedded = self.embeddings(inputs)
        return Prepared(embedded + self.position_embeddings.weight[: inputs.shape[1]], embedded)


class PositionedPreprocessor(nn.Module):
    """Arrays of vectors, with positions beside them or added to them.

    Args:
        channels: width of the vectors. project_pos_dim: width that the positions are brought to, if not -1.
    """

    def __init__(
        self,
        channels: int,
        position_encoding_type: str,
        *,
        concat_or_add_pos: str = "concat",
        project_pos_dim: int = -1,
        **positions: Any,
    ) -> None:
        super().__init__()
        if concat_or_add_pos not in ("concat", "add"):
            raise ValueError(f"concat_or_add_pos={concat_or_add_pos!r}: must be concat or add")
        self.position_embeddings = position_encoding(position_encoding_type, **positions)
        width = self.position_embeddings.output_size
        self.positions_projection = (
            nn.Linear(width, project_pos_dim) if project_pos_dim > 0 else nn.Identity()
        )
        self.adds = concat_or_add_pos == "add"
        width = project_pos_dim if project_pos_dim > 0 else width
        self.num_channels = width if self.adds else channels + width

    def placed(self, array: Tensor, *, stretch: bool = False) -> Prepared:
        """(batch, sizes..., channels) to (batch, places, channels), with positions."""
        vectors = array.flatten(1, -2)
        positions = self.position_embeddings(array.shape[1:-1], stretch=stretch).to(vectors)
        positions = self.positions_projection(positions).expand(len(vectors), -1, -1)
        if positions.shape[1] != vectors.shape[1]:
            raise ValueError(
                f"an input of {vectors.shape[1]} places {tuple(array.shape[1:-1])}; there are positions for "
                f"{positions.shape[1]}; resize it, or pass interpolate_pos_encoding=True"
            )
        return Prepared(vectors + positions if self.adds else torch.cat((vectors, positions), -1), vectors)


def space_to_depth(images: Tensor, *, temporal: int = 1, spatial: int = 1) -> Tensor:
    """(batch, channels, height, width) or (batch, time, channels, ...) to patches, channels last."""
    if images.dim() == 4:
        parts = images.unflatten(3, (-1, spatial)).unflatten(2, (-1, spatial))
        return parts.permute(0, 2, 4, 3, 5, 1).flatten(3)
    parts = images.unflatten(4, (-1, spatial)).unflatten(3, (-1, spatial)).unflatten(1, (-1, temporal))
    return parts.permute(0, 1, 4, 6, 2, 5, 7, 3).flatten(4)


class Downsampling(nn.Module):
    """A convolution and a maximum over neighbours: a quarter of height and width."""

    def __init__(self, in_channels: int, out_channels: int, *, batchnorm: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 7, stride=2, padding=3, bias=False)
        self.batchnorm = nn.BatchNorm2d(out_channels) if batchnorm else nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.max_pool2d(self.batchnorm(self.conv(images)).relu(), 3, stride=2)


class PerceiverImagePreprocessor(PositionedPreprocessor):
    """Images or videos as pixels, patches, or the output of a convolution.

    Args:
        prep_type: "conv", "conv1x1", "pixels" or "patches".
        spatial_downsample, temporal_downsample: size of a patch, or step between pixels.
        conv_after_patching: map patches of `conv_after_patching_in_channels` to `out_channels`.
    """

    def __init__(
        self,
        config: PerceiverConfig,
        prep_type: str = "conv",
        spatial_downsample: int = 4,
        temporal_downsample: int = 1,
        position_encoding_type: str = "fourier",
        in_channels: int = 3,
        out_channels: int = 64,
        conv_after_patching: bool = False,
        conv_after_patching_in_channels: int = 54,
        conv2d_use_batchnorm: bool = True,
        **positions: Any,
    ) -> None:
        if prep_type not in ("conv", "conv1x1", "pixels", "patches"):
            raise ValueError(f"prep_type={prep_type!r}: must be conv, conv1x1, pixels or patches")
        patch = temporal_downsample * spatial_downsample**2
        channels = {"pixels": in_channels, "patches": in_channels * patch}.get(prep_type, out_channels)
        if conv_after_patching:
            channels = out_channels
        super().__init__(channels, position_encoding_type, **positions)
        self.prep_type = prep_type
        self.spatial_downsample, self.temporal_downsample = spatial_downsample, temporal_downsample
        if prep_type == "conv":
            self.convnet = Downsampling(in_channels, out_channels, batchnorm=conv2d_use_batchnorm)
        elif prep_type == "conv1x1":
            self.convnet_1x1 = nn.Conv2d(in_channels, out_channels, 1, stride=spatial_downsample)
        self.conv_after_patches = (
            nn.Linear(conv_after_patching_in_channels, out_channels) if conv_after_patching else nn.Identity()
        )

    def forward(self, inputs: Tensor, *, stretch: bool = False) -> Prepared:
        """(batch, channels, height, width) or (batch, time, channels, height, width) to an array."""
        step = self.spatial_downsample
        if self.prep_type == "patches":
            array = space_to_depth(inputs, temporal=self.temporal_downsample, spatial=step)
            if array.dim() == 5 and array.shape[1] == 1:
                array = array.squeeze(1)
            return self.placed(self.conv_after_patches(array), stretch=stretch)
        if self.prep_type == "pixels":
            inputs = inputs[..., ::step, ::step]
            inputs = inputs[:, :: self.temporal_downsample] if inputs.dim() == 5 else inputs
        else:
            inputs = self.convnet(inputs) if self.prep_type == "conv" else self.convnet_1x1(inputs)
        return self.placed(inputs.movedim(-3, -1), stretch=stretch)


class PerceiverAudioPreprocessor(PositionedPreprocessor):
    """A waveform (batch, samples, 1) as patches of `samples_per_patch`."""

    def __init__(
        self,
        config: PerceiverConfig,
        prep_type: str = "patches",
        samples_per_patch: int = 96,
        position_encoding_type: str = "fourier",
        **positions: Any,
    ) -> None:
        if prep_type != "patches":
            raise ValueError(f"prep_type={prep_type!r}: must be patches")
        super().__init__(samples_per_patch, position_encoding_type, **positions)
        self.samples_per_patch = samples_per_patch

    def forward(self, inputs: Tensor, *, stretch: bool = False) -> Prepared:
        """(batch, samples, 1) to (batch, samples / samples_per_patch, channels)."""
        return self.placed(inputs.reshape(len(inputs), -1, self.samples_per_patch))


class PerceiverOneHotPreprocessor(nn.Module):
    """A label as one vector of `num_labels`."""

    def __init__(self, config: PerceiverConfig) -> None:
        super().__init__()
        self.num_channels = config.num_labels

    def forward(self, inputs: Tensor, *, stretch: bool = False) -> Prepared:
        """(batch, labels) to (batch, 1, labels)."""
        return Prepared(inputs[:, None], inputs[:, None])


class PerceiverMultimodalPreprocessor(nn.Module):
    """Several kinds of inputs one after the other, brought to one width by trained channels.

    Args:
        mask_probs: of each modality, how likely each of its vectors is hidden behind a trained one.
        min_padding_size: trained channels of the widest modality.
    """

    def __init__(
        self,
        modalities: Mapping[str, nn.Module],
        mask_probs: Mapping[str, float] | None = None,
        min_padding_size: int = 2,
    ) -> None:
        super().__init__()
        self.modalities = nn.ModuleDict(modalities)
        self.mask_probs = dict(mask_probs or {})
        widths = {name: module.num_channels for name, module in modalities.items()}
        self.num_channels = max(widths.values()) + min_padding_size
        self.padding = nn.ParameterDict(
            {name: nn.Parameter(torch.randn(1, self.num_channels - width)) for name, width in widths.items()}
        )
        self.mask = nn.ParameterDict(
            {name: nn.Parameter(torch.randn(1, self.num_channels)) for name in self.mask_probs}
        )

    def forward(self, inputs: Mapping[str, Tensor], *, stretch: bool = False) -> Prepared:
        """{modality: its input} to (batch, all places, channels), modalities in alphabetical order."""
        if set(inputs) != set(self.modalities):
            raise ValueError(f"inputs of {sorted(inputs)}; this model takes {sorted(self.modalities)}")
        arrays, plain = {}, {}
        for name in sorted(self.modalities):
            vectors, plain[name] = self.modalities[name](inputs[name], stretch=stretch)
            beside = self.padding[name].expand(*vectors.shape[:2], -1)
            arrays[name] = torch.cat((vectors, beside), -1)
            if name in self.mask_probs:
                chance = torch.full(vectors.shape[:2], self.mask_probs[name], device=vectors.device)
                arrays[name] = torch.where(
                    torch.bernoulli(chance)[..., None] > 0, self.mask[name], arrays[name]
                )
        return Prepared(torch.cat(list(arrays.values()), 1), plain)
