"""Configuration of NAT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import BackboneConfig, field


class NatConfig(BackboneConfig):
    """Sizes and switches of a NAT; the defaults are those of the mini model.

    `embed_dim` is the width of the first stage and doubles with each; `kernel_size` is the side of the
    neighbourhood that a cell attends to.
    """

    model_type = "nat"
    attribute_map = {"num_attention_heads": "num_heads", "num_hidden_layers": "num_layers"}

    patch_size: int = 4
    num_channels: int = 3
    embed_dim: int = 64
    depths: list[int] = field([3, 4, 6, 5])
    num_heads: list[int] = field([2, 4, 8, 16])
    kernel_size: int = 7
    mlp_ratio: float = 3.0
    qkv_bias: bool = True
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    drop_path_rate: float = 0.1
    hidden_act: str = "gelu"
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    layer_scale_init_value: float = 0.0

    def __post_init__(self) -> None:
        self.num_layers = len(self.depths)
        self.hidden_size = self.embed_dim * 2 ** (len(self.depths) - 1)
        super().__post_init__()

    def check(self) -> Iterator[tuple[str, str]]:
        if self.patch_size != 4:
            yield "patch_size", "must be 4: two convolutions of stride 2 make the patches"
        if self.kernel_size % 2 == 0:
            yield "kernel_size", "must be odd"
        if len(self.num_heads) != len(self.depths):
            yield "num_heads", f"must have one entry for each of the {len(self.depths)} stages in depths"
            return
        for stage, heads in enumerate(self.num_heads):
            width = self.embed_dim * 2**stage
            if width % heads:
                yield "num_heads", f"must divide each stage's width, which is {width} in stage {stage + 1}"

    def dilations_of(self, stage: int) -> list[int]:
        """How far apart the neighbours are in each layer of a stage."""
        return [1] * self.depths[stage]
