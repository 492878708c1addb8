"""Configuration of Granite 4."""

from __future__ import annotations

from zoo_text.granitemoeshared.config import GraniteMoeSharedConfig


class GraniteMoeHybridConfig(GraniteMoeSharedConfig):
    """Sizes and switches of a Granite 4; `layer_types` names "attention" or "mamba" for each layer."""

    model_type = "granitemoehybrid"
    attribute_map = {"layers_block_type": "layer_types"}

    shared_intermediate_size: int = 1024
    position_embedding_type: str | None = None
    layer_types: list[str] | None = None
    mamba_n_heads: int = 128
    mamba_n_groups: int = 1
    mamba_d_state: int = 256
    mamba_d_head: int | str = "auto"
    mamba_d_conv: int = 4
    mamba_expand: int = 2
    mamba_chunk_size: int = 256
    mamba_conv_bias: bool = True
    mamba_proj_bias: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layer_types is None:
            self.layer_types = ["mamba"] * self.num_hidden_layers
        if self.mamba_d_head == "auto":
            self.mamba_d_head = self.mamba_expand * self.hidden_size // self.mamba_n_heads
