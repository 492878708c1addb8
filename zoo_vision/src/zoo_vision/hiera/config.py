"""Configuration of Hiera."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import BackboneConfig, field


class HieraConfig(BackboneConfig):
    """Sizes and switches of a Hiera; the defaults are those of the base model.

    `embed_dim` is the width of the first stage, multiplied by `embed_dim_multiplier` from stage to stage.
    The first layers of the stages 1 to `num_query_pool` take the maximum of `query_stride` cells.
    `masked_unit_size` are the rows and columns of cells that are hidden together, and that see each other in
    the stages where `masked_unit_attention` is set.
    """

    model_type = "hiera"
    attribute_map = {"num_hidden_layers": "num_layers"}

    embed_dim: int = 96
    image_size: list[int] = field([224, 224])
    patch_size: list[int] = field([7, 7])
    patch_stride: list[int] = field([4, 4])
    patch_padding: list[int] = field([3, 3])
    mlp_ratio: float = 4.0
    depths: list[int] = field([2, 3, 16, 3])
    num_heads: list[int] = field([1, 2, 4, 8])
    embed_dim_multiplier: float = 2.0
    num_query_pool: int = 3
    query_stride: list[int] = field([2, 2])
    masked_unit_size: list[int] = field([8, 8])
    masked_unit_attention: list[bool] = field([True, True, False, False])
    drop_path_rate: float = 0.0
    num_channels: int = 3
    hidden_act: str = "gelu"
    initializer_range: float = 0.02
    layer_norm_init: float = 1.0
    layer_norm_eps: float = 1e-6
    decoder_hidden_size: int | None = None
    decoder_depth: int | None = None
    decoder_num_heads: int | None = None
    normalize_pixel_loss: bool = True
    mask_ratio: float = 0.6

    def __post_init__(self) -> None:
        self.num_layers = len(self.depths)
        self.hidden_size = self.widths[-1]
        super().__post_init__()

    @property
    def widths(self) -> list[int]:
        """The width of each stage."""
        return [int(self.embed_dim * self.embed_dim_multiplier**i) for i in range(len(self.depths))]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells of an image of the trained size."""
        rows, columns = (n // stride for n, stride in zip(self.image_size, self.patch_stride, strict=True))
        return rows, columns

    def check(self) -> Iterator[tuple[str, str]]:
        stages = len(self.depths)
        for name in ("num_heads", "masked_unit_attention"):
            if len(getattr(self, name)) != stages:
                yield name, f"must have one entry for each of the {stages} stages in depths"
        if self.num_query_pool >= stages:
            yield "num_query_pool", f"must be less than the number of stages in depths, {stages}"
        elif any(
            unit % stride ** (stages - 1)
            for unit, stride in zip(self.masked_unit_size, self.query_stride, strict=False)
        ):
            yield (
                "masked_unit_size",
                f"must be divisible by query_stride to the power of {stages - 1} (stages less one)",
            )
