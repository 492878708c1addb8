"""How latents become outputs: queries that attend to them, and what is made of the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.nn.masks import AttentionContext
from zoo_multimodal.perceiver.config import PerceiverConfig
from zoo_multimodal.perceiver.inputs import Prepared, position_encoding
from zoo_multimodal.perceiver.layers import PerceiverLayer

Points = Tensor | Mapping[str, Tensor | None] | None
"""Indices (points,) into the flattened output, for each modality where there are several; None for all."""


class PerceiverProjectionDecoder(nn.Module):
    """The mean of the latents, projected to classes."""

    def __init__(self, config: PerceiverConfig) -> None:
        super().__init__()
        self.classifier = nn.Linear(config.d_latents, config.num_labels)

    def decoder_query(self, prepared: Prepared, points: Points = None) -> None:
        """Nothing is asked."""

    def forward(self, query: Tensor | None, latents: Tensor) -> Tensor:
        """(batch, latents, d_latents) to (batch, classes)."""
        return self.classifier(latents.mean(1))


class PerceiverBasicDecoder(nn.Module):
    """Queries made of positions, one cross-attention, and a projection.

    Args:
        num_channels: width of the queries. output_index_dims: sizes of the output.
        position_encoding_type: of the queries; "none" where they come from elsewhere.
        position_encoding_only: make queries, but do not answer them.
    """

    def __init__(
        self,
        config: PerceiverConfig,
        output_num_channels: int,
        position_encoding_type: str = "trainable",
        output_index_dims: int | Sequence[int] | None = None,
        num_channels: int = 128,
        qk_channels: int | None = None,
        v_channels: int | None = None,
        num_heads: int = 1,
        widening_factor: int = 1,
        use_query_residual: bool = False,
        concat_preprocessed_input: bool = False,
        final_project: bool = True,
        position_encoding_only: bool = False,
        **positions: Any,
    ) -> None:
        super().__init__()
        dims = output_index_dims
        self.output_index_dims = (dims,) if isinstance(dims, int) else tuple(dims or ())
        self.concat_preprocessed_input = concat_preprocessed_input
        self.output_position_encodings = None
        self.num_query_channels = num_channels
        if position_encoding_type != "none":
            self.output_position_encodings = position_encoding(position_encoding_type, **positions)
            if position_encoding_only:
                self.num_query_channels = self.output_position_encodings.output_size
        if position_encoding_only:
            return
        self.decoding_cross_attention = PerceiverLayer(
            config,
            num_channels,
            num_heads,
            source_size=config.d_latents,
            qk_channels=qk_channels,
            v_channels=v_channels,
            widening=widening_factor,
            query_residual=use_query_residual,
        )
        self.final_layer = nn.Linear(num_channels, output_num_channels) if final_project else nn.Identity()

    def decoder_query(self, prepared: Prepared, points: Tensor | None = None) -> Tensor:
        """(batch, places, channels): the positions of all places, or of some `points`."""
        if self.output_position_encodings is None:
            raise ValueError("a decoder with position_encoding_type='none' has no queries of its own")
        spread = None
        if points is not None:
            sizes = torch.tensor(self.output_index_dims, device=points.device)
            spread = -1 + 2 * torch.stack(torch.unravel_index(points, self.output_index_dims), 1) / sizes
        like = prepared.inputs
        query = self.output_position_encodings(self.output_index_dims, points=spread).to(like)
        query = query.expand(len(like), -1, -1)
        if self.concat_preprocessed_input:
            query = torch.cat((prepared.without_positions, query), -1)
        return query

    def forward(self, query: Tensor, latents: Tensor) -> Tensor:
        """Queries (batch, places, channels) answered, (batch, places, output_num_channels)."""
        context = AttentionContext(query, encoder_states=latents)
        return self.final_layer(self.decoding_cross_attention(query, context))


class PerceiverClassificationDecoder(nn.Module):
    """One query, whose answer are the scores of the classes."""

    def __init__(self, config: PerceiverConfig, **options: Any) -> None:
        super().__init__()
        self.decoder = PerceiverBasicDecoder(
            config, output_num_channels=config.num_labels, output_index_dims=1, **options
        )
        self.num_query_channels = self.decoder.num_query_channels

    def decoder_query(self, prepared: Prepared, points: Tensor | None = None) -> Tensor:
        """(batch, 1, channels)."""
        return self.decoder.decoder_query(prepared)

    def forward(self, query: Tensor, latents: Tensor) -> Tensor:
        """(batch, classes)."""
        return self.decoder(query, latents)[:, 0]


class PerceiverOpticalFlowDecoder(nn.Module):
    """The inputs are the queries; answers are the flow of each pixel times `rescale_factor`."""

    def __init__(
        self,
        config: PerceiverConfig,
        output_image_shape: Sequence[int],
        output_num_channels: int = 2,
        rescale_factor: float = 100.0,
        **options: Any,
    ) -> None:
        super().__init__()
        self.output_image_shape, self.rescale_factor = tuple(output_image_shape), rescale_factor
        self.decoder = PerceiverBasicDecoder(config, output_num_channels=output_num_channels, **options)

    def decoder_query(self, prepared: Prepared, points: Points = None) -> Tensor:
        """The inputs with their positions."""
        return prepared.inputs

    def forward(self, query: Tensor, latents: Tensor) -> Tensor:
        """(batch, height, width, 2)."""
        flow = self.decoder(query, latents) / self.rescale_factor
        if flow.shape[1] != self.output_image_shape[0] * self.output_image_shape[1]:
            raise ValueError(
                f"inputs of {flow.shape[1]} pixels; this model takes train_size={self.output_image_shape}"
            )
        return flow.unflatten(1, self.output_image_shape)


class PerceiverBasicVideoAutoencodingDecoder(nn.Module):
    """A query for each pixel of a video, `output_shape` (batch, frames, height, width)."""

    def __init__(
        self,
        config: PerceiverConfig,
        output_shape: Sequence[int],
        position_encoding_type: str,
        **options: Any,
    ) -> None:
        super().__init__()
        if len(output_shape) != 4:
            raise ValueError(f"output_shape={list(output_shape)}: must be batch, frames, height, width")
        self.output_shape = tuple(output_shape)
        self.decoder = PerceiverBasicDecoder(
            config,
            output_index_dims=self.output_shape[1:],
            position_encoding_type=position_encoding_type,
            **options,
        )
        self.num_query_channels = self.decoder.num_query_channels

    def decoder_query(self, prepared: Prepared, points: Tensor | None = None) -> Tensor:
        """(batch, pixels or points, channels)."""
        return self.decoder.decoder_query(prepared, points)

    def forward(self, query: Tensor, latents: Tensor) -> Tensor:
        """(batch, frames, height, width, channels)."""
        return self.decoder(query, latents).unflatten(1, self.output_shape[1:])


class PerceiverMultimodalDecoder(nn.Module):
    """Queries of several decoders, brought to one width by trained channels, and answered together."""

    def __init__(
        self,
        config: PerceiverConfig,
        modalities: Mapping[str, nn.Module],
        num_outputs: int | None = None,
        output_num_channels: int = 512,
        min_padding_size: int = 2,
        **options: Any,
    ) -> None:
        super().__init__()
        self.modalities = nn.ModuleDict(modalities)
        widths = {name: module.num_query_channels for name, module in modalities.items()}
        self.num_query_channels = max(widths.values()) + min_padding_size
        self.decoder = PerceiverBasicDecoder(
            config,
            output_num_channels,
            position_encoding_type="none",
            num_channels=self.num_query_channels,
            **options,
        )
        self.padding = nn.ParameterDict(
            {
                name: nn.Parameter(torch.randn(1, self.num_query_channels - width))
                for name, width in widths.items()
            }
        )

    def decoder_query(
        self, prepared: Prepared, points: Mapping[str, Tensor | None] | None = None
    ) -> dict[str, Tensor]:
        """Queries (batch, places, channels) of each modality, in alphabetical order."""
        found = {}
        for name in sorted(self.modalities):
            query = self.modalities[name].decoder_query(prepared, (points or {}).get(name))
            found[name] = torch.cat((query, self.padding[name].expand(*query.shape[:2], -1)), -1)
        return found

    def forward(self, query: Mapping[str, Tensor], latents: Tensor) -> dict[str, Tensor]:
        """Answers (batch, places, output_num_channels) to the queries of each modality."""
        answers = self.decoder(torch.cat(list(query.values()), 1), latents)
        parts = answers.split([part.shape[1] for part in query.values()], dim=1)
        return dict(zip(query, parts, strict=True))


class PerceiverEmbeddingDecoder(nn.Module):
    """States to scores of the vocabulary, by the table of the embeddings and a bias."""

    def __init__(self, config: PerceiverConfig) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, hidden: Tensor, embeddings: nn.Embedding) -> Tensor:
        """(batch, sequence, d_model) to (batch, sequence, vocabulary)."""
        return hidden @ embeddings.weight.T + self.bias


class PerceiverProjectionPostprocessor(nn.Module):
    """A linear map of each answer."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(in_channels, out_channels)

    def forward(self, answers: Tensor) -> Tensor:
        """(batch, places, in_channels) to (batch, places, out_channels)."""
        return self.classifier(answers)


class PerceiverClassificationPostprocessor(PerceiverProjectionPostprocessor):
    """The first answer to scores of the classes."""

    def __init__(self, config: PerceiverConfig, in_channels: int) -> None:
        super().__init__(in_channels, config.num_labels)

    def forward(self, answers: Tensor) -> Tensor:
        """(batch, 1, in_channels) to (batch, classes)."""
        return super().forward(answers)[:, 0]


class PerceiverAudioPostprocessor(PerceiverProjectionPostprocessor):
    """Each answer to a patch of samples."""

    def __init__(self, config: PerceiverConfig, in_channels: int, postproc_type: str = "patches") -> None:
        if postproc_type != "patches":
            raise ValueError(f"postproc_type={postproc_type!r}: must be patches")
        super().__init__(in_channels, config.samples_per_patch)

    def forward(self, answers: Tensor) -> Tensor:
        """(batch, patches, in_channels) to (batch, samples)."""
        return super().forward(answers).flatten(1)


class PerceiverMultimodalPostprocessor(nn.Module):
    """The answers of each modality to its own postprocessor."""

    def __init__(self, modalities: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.modalities = nn.ModuleDict(modalities)

    def forward(self, answers: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Answers (batch, places, channels) to the output of each modality."""
        return {name: self.modalities[name](part) for name, part in answers.items()}
