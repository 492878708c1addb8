"""Configuration of Swin."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import BackboneConfig, PretrainedConfig, field


class SwinSizes(PretrainedConfig):
    """What the configs of the Swin family share; the defaults are those of the tiny model.

    `embed_dim` is the width of the first stage and doubles with each; `hidden_size` is that of the last.
    """

    attribute_map = {"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"}

    image_size: int | list[int] = 224
    patch_size: int | list[int] = 4
    num_channels: int = 3
    embed_dim: int = 96
    depths: list[int] = field([2, 2, 6, 2])
    num_heads: list[int] = field([3, 6, 12, 24])
    window_size: int = 7
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    drop_path_rate: float = 0.1
    hidden_act: str = "gelu"
    use_absolute_embeddings: bool = False
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        self.num_layers = len(self.depths)
        self.hidden_size = self.embed_dim * 2 ** (len(self.depths) - 1)
        super().__post_init__()

    def check(self) -> Iterator[tuple[str, str]]:
        if len(self.num_heads) != len(self.depths):
            yield "num_heads", f"must have one entry for each of the {len(self.depths)} stages in depths"
            return
        for stage, heads in enumerate(self.num_heads):
            width = self.embed_dim * 2**stage
            if width % heads:
                yield "num_heads", f"must divide each stage's width, which is {width} in stage {stage + 1}"


class SwinConfig(SwinSizes, BackboneConfig):
    """Sizes and switches of a Swin, and the stages that its backbone returns."""

    model_type = "swin"

    encoder_stride: int = 32
