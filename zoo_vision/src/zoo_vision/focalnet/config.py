"""Configuration of FocalNet."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import BackboneConfig, field


class FocalNetConfig(BackboneConfig):
    """Sizes and switches of a FocalNet; the defaults are those of the tiny model.

    `embed_dim` is the width of the first stage and doubles with each; `hidden_sizes` are those after the
    stages. `focal_levels` and `focal_windows` are the number of a stage's contexts and the first's size.
    """

    model_type = "focalnet"

    image_size: int | list[int] = 224
    patch_size: int | list[int] = 4
    num_channels: int = 3
    embed_dim: int = 96
    use_conv_embed: bool = False
    hidden_sizes: list[int] = field([192, 384, 768, 768])
    depths: list[int] = field([2, 2, 6, 2])
    focal_levels: list[int] = field([2, 2, 2, 2])
    focal_windows: list[int] = field([3, 3, 3, 3])
    hidden_act: str = "gelu"
    mlp_ratio: float = 4.0
    hidden_dropout_prob: float = 0.0
    drop_path_rate: float = 0.1
    use_layerscale: bool = False
    layerscale_value: float = 1e-4
    use_post_layernorm: bool = False
    use_post_layernorm_in_modulation: bool = False
    normalize_modulator: bool = False
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    encoder_stride: int = 32

    def check(self) -> Iterator[tuple[str, str]]:
        for name in ("focal_levels", "focal_windows"):
            if len(getattr(self, name)) < len(self.depths):
                yield name, f"must have one entry for each of the {len(self.depths)} stages in depths"
