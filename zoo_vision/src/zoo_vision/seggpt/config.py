"""Configuration of SegGPT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class SegGptConfig(PretrainedConfig):
    """Sizes and switches of a SegGPT.

    `image_size` is that of a prompt above an image. Both streams, of images and of masks, become one after
    layer `merge_index`. `beta`: below it the loss is quadratic.
    """

    model_type = "seggpt"

    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-6
    image_size: int | list[int] = field([896, 448])
    patch_size: int = 16
    num_channels: int = 3
    qkv_bias: bool = True
    mlp_dim: int | None = None
    drop_path_rate: float = 0.1
    pretrain_image_size: int = 224
    decoder_hidden_size: int = 64
    use_relative_position_embeddings: bool = True
    merge_index: int = 2
    intermediate_hidden_state_indices: list[int] = field([5, 11, 17, 23])
    beta: float = 0.01

    def __post_init__(self) -> None:
        self.mlp_dim = self.mlp_dim or 4 * self.hidden_size

    def check(self) -> Iterator[tuple[str, str]]:
        if any(i < self.merge_index for i in self.intermediate_hidden_state_indices):
            yield "merge_index", "must not come after intermediate_hidden_state_indices"
