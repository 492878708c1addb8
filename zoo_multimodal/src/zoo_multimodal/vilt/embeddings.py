"""Embeddings of ViLT: a text, then an image of any size as patches that its mask leaves."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.patch import PatchEmbedding
from zoo_multimodal.vilt.config import ViltConfig


class ViltEmbeddings(nn.Module):
    """Tokens, a class token and patches, each with the embedding of its modality."""

    hub_names = {"text_embeddings.layer_norm": "text_embeddings.LayerNorm"}

    def __init__(self, config: ViltConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.text_embeddings = TextEmbeddings(
            config.vocab_size,
            size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.patch_embeddings = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size
        )
        self.position_embeddings = nn.Parameter(torch.zeros(1, self.patch_embeddings.num_patches + 1, size))
        self.token_type_embeddings = nn.Embedding(config.modality_type_vocab_size, size)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.limit = config.max_image_length

    def forward(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        token_type_ids: Tensor | None,
        pixel_values: Tensor | None,
        pixel_mask: Tensor | None,
        *,
        inputs_embeds: Tensor | None,
        image_embeds: Tensor | None,
        image_type: int,
    ) -> tuple[Tensor, Tensor]:
        """States (batch, tokens + patches, hidden), and their mask (batch, tokens + patches)."""
        text = self.text_embeddings(input_ids, inputs_embeds=inputs_embeds, token_type_ids=token_type_ids)
        if attention_mask is None:
            attention_mask = torch.ones(text.shape[:2], dtype=torch.int64, device=text.device)
        if image_embeds is not None:
            image = image_embeds
            seen = image.new_ones(image.shape[:2]) if pixel_mask is None else pixel_mask.flatten(1)
        else:
            assert pixel_values is not None
            image, seen = self.see(pixel_values, pixel_mask)
        if len(image) != len(text):
            raise ValueError(f"{len(text)} texts came with {len(image)} images; pass one image for each text")
        kinds = self.token_type_embeddings.weight
        hidden = torch.cat((text + kinds[0], image + kinds[image_type]), dim=1)
        return hidden, torch.cat((attention_mask != 0, seen != 0), dim=1)

    def see(self, pixel_values: Tensor, pixel_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Class token and patches (batch, 1 + patches, hidden) of images of one size, and their mask."""
        patches = self.patch_embeddings(pixel_values, any_size=True)
        size = self.patch_embeddings.patch_size
        rows, columns = pixel_values.shape[-2] // size[0], pixel_values.shape[-1] // size[1]
        if pixel_mask is None:
            pixel_mask = torch.ones_like(pixel_values[:, 0])
        if pixel_mask.shape != pixel_values[:, 0].shape:
            raise ValueError(
                f"pixel_mask is {tuple(pixel_mask.shape)} for pixel_values {tuple(pixel_values.shape)}; it "
                "must be (batch, height, width)"
            )
        kept = F.interpolate(pixel_mask[:, None].float(), size=(rows, columns))[:, 0] != 0
        index, seen = chosen(kept.flatten(1), self.limit)
        hidden = patches + self.positions(kept).to(patches.dtype)
        hidden = hidden.gather(1, index[..., None].expand(-1, -1, hidden.shape[-1]))
        first = (self.cls_token + self.position_embeddings[:, :1]).expand(len(hidden), -1, -1)
        return self.dropout(torch.cat((first, hidden), dim=1)), F.pad(seen, (1, 0), value=True)

    def positions(self, kept: Tensor) -> Tensor:
        """Embeddings (batch, rows x columns, hidden) for masks (batch, rows, columns).

        The trained grid is stretched over the part of each image that its mask leaves.
        """
        table = self.position_embeddings[:, 1:].unflatten(1, self.patch_embeddings.grid).permute(0, 3, 1, 2)
        total = kept.shape[1:]
        heights, widths = kept[:, :, 0].sum(1).tolist(), kept[:, 0].sum(1).tolist()
        made = []
        for height, width in zip(heights, widths, strict=True):
            grown = F.interpolate(table.float(), size=(height, width), mode="bilinear", align_corners=True)
            made.append(F.pad(grown, (0, total[1] - width, 0, total[0] - height)))
        return torch.cat(made).flatten(2).transpose(1, 2)


def chosen(kept: Tensor, limit: int) -> tuple[Tensor, Tensor]:
    """Which patches are read: indices (batch, n), and a mask (batch, n), from a mask (batch, patches).

    Args:
        limit: the most patches of an image; more are drawn from at random, from torch's generator. An image
            with fewer than the others is filled up with patches that its mask hides.
    """
    most = int(kept.sum(1).max())
    length = most if limit < 0 else min(most, limit)
    index, seen = [], []
    for row in kept:
        inside, outside = row.nonzero()[:, 0], (~row).nonzero()[:, 0]
        count = min(len(inside), length)
        if len(inside) >= length:
            inside = inside[torch.multinomial(torch.ones(len(inside)), length).to(inside.device)]
        else:
            filler = torch.multinomial(torch.ones(len(outside)), length - count, replacement=True)
            inside = torch.cat((inside, outside[filler.to(outside.device)]))
        index.append(inside)
        seen.append(torch.arange(length, device=kept.device) < count)
    return torch.stack(index), torch.stack(seen)
