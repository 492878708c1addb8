"""Segment Anything in High Quality: a further mask, of finer features, corrects those of SAM."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.activation import activation
from zoo_vision.nn.norm import ChannelNorm
from zoo_vision.sam.encoder import SamVisionEncoder, SamVisionEncoderOutput, SamVisionModel
from zoo_vision.sam.model import SamFeedForward, SamImageSegmentationOutput, SamMaskDecoder, SamModel
from zoo_vision.sam_hq.config import SamHQConfig, SamHQMaskDecoderConfig, SamHQVisionConfig


class SamHQVisionEncoderOutput(SamVisionEncoderOutput):
    """With `intermediate_embeddings`, (batch, rows, columns, hidden) after each layer that sees all."""

    intermediate_embeddings: list[Tensor] | None = None


class SamHQImageSegmentationOutput(SamImageSegmentationOutput):
    """As SamImageSegmentationOutput."""


class SamHQVisionEncoder(SamVisionEncoder):
    """SAM's, whose states of some layers are returned as well."""

    config_class = SamHQVisionConfig

    def answer(self, embedding: Tensor, whole: list[Tensor]) -> SamHQVisionEncoderOutput:
        return SamHQVisionEncoderOutput(last_hidden_state=embedding, intermediate_embeddings=whole)


class SamHQVisionModel(SamVisionModel):
    """The image encoder alone."""

    config_class = SamHQVisionConfig
    base_model_prefix = "sam_hq"
    encoder_class = SamHQVisionEncoder


class SamHQMaskDecoder(SamMaskDecoder):
    """SAM's, with a token whose mask is drawn on features of all depths."""

    def __init__(self, config: SamHQMaskDecoderConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.hq_token = nn.Embedding(1, size)
        self.hq_mask_mlp = SamFeedForward(size, size, size // 8, 3)
        self.compress_vit_conv1 = nn.ConvTranspose2d(config.vit_dim, size, 2, 2)
        self.compress_vit_norm = ChannelNorm(size)
        self.compress_vit_conv2 = nn.ConvTranspose2d(size, size // 8, 2, 2)
        self.encoder_conv1 = nn.ConvTranspose2d(size, size // 4, 2, 2)
        self.encoder_norm = ChannelNorm(size // 4)
        self.encoder_conv2 = nn.ConvTranspose2d(size // 4, size // 8, 2, 2)
        self.mask_conv1, self.mask_norm = nn.Conv2d(size // 8, size // 4, 3, 1, 1), ChannelNorm(size // 4)
        self.mask_conv2 = nn.Conv2d(size // 4, size // 8, 3, 1, 1)
        self.smooth = activation("gelu")

    def canvas(self, before: Tensor, after: Tensor, grid: tuple[int, int]) -> Tensor:
        # unlike the paper's, transformers 4.57 takes the cells before, rows and columns exchanged
        return before.transpose(1, 2).unflatten(2, grid).transpose(2, 3)

    def own_tokens(self) -> Tensor:
        return torch.cat((super().own_tokens(), self.hq_token.weight))

    def refine(  # type: ignore[override]
        self,
        masks: Tensor,
        scores: Tensor,
        tokens: Tensor,
        x: Tensor,
        image: Tensor,
        *,
        intermediate: list[Tensor] | None = None,
        hq_token_only: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """SAM's masks, the best first, plus the finer one; or that alone."""
        detail = self.encoder_conv2(self.smooth(self.encoder_norm(self.encoder_conv1(image))))
        if intermediate:
            early = self.compress_vit_conv1(intermediate[0].permute(0, 3, 1, 2))
            detail = detail + self.compress_vit_conv2(self.smooth(self.compress_vit_norm(early)))
        fine = self.mask_conv2(self.smooth(self.mask_norm(self.mask_conv1(x))))
        prompts = masks.shape[1]
        fine = fine.unflatten(0, (-1, prompts)) + detail[:, None]
        weights = self.hq_mask_mlp(tokens[:, self.count]).unflatten(0, (-1, prompts))
        corrected = torch.einsum("bpc,bpchw->bphw", weights, fine)[:, :, None]
        scores, order = scores.sort(dim=2, descending=True)
        if hq_token_only:
            return corrected, scores
        return masks.take_along_dim(order[..., None, None], 2) + corrected, scores


class SamHQModel(SamModel):
    """Image encoder, prompt encoder and mask decoder."""

    config_class = SamHQConfig
    base_model_prefix = "sam_hq"
    encoder_class = SamHQVisionEncoder
    decoder_class = SamHQMaskDecoder

    @torch.no_grad()
    def get_image_embeddings(self, pixel_values: Tensor, **flags: Any) -> tuple[Tensor, list[Tensor]]:  # type: ignore[override]
        """The embedding, and the states to be passed as `intermediate_embeddings` with it."""
        found = self.vision_encoder(pixel_values, **flags)
        return found.last_hidden_state, found.intermediate_embeddings

    def seen(self, vision: ModelOutput) -> dict[str, Any]:
        return {"intermediate": vision.intermediate_embeddings}

    def forward(
        self,
        pixel_values: Tensor | None = None,
        input_points: Tensor | None = None,
        input_labels: Tensor | None = None,
        input_boxes: Tensor | None = None,
        input_masks: Tensor | None = None,
        image_embeddings: Tensor | None = None,
        multimask_output: bool = True,
        hq_token_only: bool = False,
        attention_similarity: Tensor | None = None,
        target_embedding: Tensor | None = None,
        intermediate_embeddings: list[Tensor] | None = None,
        *,
        original_sizes: Any = None,
        reshaped_input_sizes: Any = None,
    ) -> SamHQImageSegmentationOutput:
        """Masks of what the prompts point at; see `SamModel.forward`.

        Args:
            hq_token_only: the finer mask alone, one for each prompt.
            intermediate_embeddings: with `image_embeddings`, what `get_image_embeddings` returns.
        """
        decoding: dict[str, Any] = {"hq_token_only": hq_token_only}
        if image_embeddings is not None:
            decoding["intermediate"] = intermediate_embeddings
        found = self.segment(
            pixel_values,
            input_points,
            input_labels,
            input_boxes,
            input_masks,
            image_embeddings,
            multimask_output=multimask_output,
            attention_similarity=attention_similarity,
            target_embedding=target_embedding,
            **decoding,
        )
        return SamHQImageSegmentationOutput(**found)
