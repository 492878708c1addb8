"""Configuration of a masked autoencoder."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_vision.vit.config import ViTConfig


class ViTMAEConfig(ViTConfig):
    """Sizes and switches of a masked autoencoder; those of the encoder as in ViTConfig."""

    model_type = "vit_mae"

    decoder_num_attention_heads: int = 16
    decoder_hidden_size: int = 512
    decoder_num_hidden_layers: int = 8
    decoder_intermediate_size: int = 2048
    mask_ratio: float = 0.75
    norm_pix_loss: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if not 0 <= self.mask_ratio < 1:
            yield "mask_ratio", "must be at least 0 and less than 1"
