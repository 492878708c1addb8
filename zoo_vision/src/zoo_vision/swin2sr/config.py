"""Configuration of Swin2SR."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field

UPSAMPLERS = ("pixelshuffle", "pixelshuffle_aux", "pixelshuffledirect", "nearest+conv", "")


class Swin2SRConfig(PretrainedConfig):
    """Sizes and switches of a Swin2SR; the defaults are those of the classical model.

    `upsampler` says how pixels come about: by shuffling channels ("pixelshuffle"; "_aux" adds to an image
    that is enlarged bicubically, "direct" does it in one step), by copying ("nearest+conv"), or not at all
    ("", for an image of the same size). Pixels times `img_range` are seen.
    """

    model_type = "swin2sr"
    attribute_map = {
        "hidden_size": "embed_dim",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
    }

    image_size: int = 64
    patch_size: int = 1
    num_channels: int = 3
    num_channels_out: int | None = None
    embed_dim: int = 180
    depths: list[int] = field([6, 6, 6, 6, 6, 6])
    num_heads: list[int] = field([6, 6, 6, 6, 6, 6])
    window_size: int = 8
    mlp_ratio: float = 2.0
    qkv_bias: bool = True
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    drop_path_rate: float = 0.1
    hidden_act: str = "gelu"
    use_absolute_embeddings: bool = False
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    upscale: int = 2
    img_range: float = 1.0
    resi_connection: str = "1conv"
    upsampler: str = "pixelshuffle"

    def __post_init__(self) -> None:
        self.num_channels_out = self.num_channels_out or self.num_channels

    @property
    def num_layers(self) -> int:
        """Stages."""
        return len(self.depths)

    @property
    def pretrained_window_sizes(self) -> list[int]:
        """Offsets are measured by each stage's own window."""
        return [0] * len(self.depths)

    def check(self) -> Iterator[tuple[str, str]]:
        if self.upsampler not in UPSAMPLERS:
            yield "upsampler", f"must be one of {', '.join(map(repr, UPSAMPLERS))}"
        if self.resi_connection not in ("1conv", "3conv"):
            yield "resi_connection", "must be '1conv' or '3conv'"
        if len(self.num_heads) != len(self.depths):
            yield "num_heads", f"must be {len(self.depths)}, as many as depths"
        shuffled = self.upsampler in ("pixelshuffle", "pixelshuffle_aux")
        if shuffled and self.upscale != 3 and self.upscale & (self.upscale - 1):
            yield "upscale", "must be a power of 2, or 3"
