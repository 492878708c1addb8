"""Configuration of MiniMax."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_text.mixtral.config import MixtralConfig


class MiniMaxConfig(MixtralConfig):
    """Sizes and switches of a MiniMax.

    `layer_types` says "linear_attention" or "full_attention" for each layer, by default in turns. The alpha
    factors weigh the normalised input of attention and MLP, the beta factors what is added to it.
    """

    model_type = "minimax"

    rope_theta: float = 1e6
    layer_types: list[str] | None = None
    block_size: int = 256
    full_attn_alpha_factor: float = 1
    full_attn_beta_factor: float = 1
    linear_attn_alpha_factor: float = 1
    linear_attn_beta_factor: float = 1
    mlp_alpha_factor: float = 1
    mlp_beta_factor: float = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layer_types is None:
            kinds = "full_attention", "linear_attention"
            self.layer_types = [kinds[i % 2] for i in range(self.num_hidden_layers)]

    def check(self) -> Iterator[tuple[str, str]]:
        if any(kind not in ("full_attention", "linear_attention") for kind in self.layer_types or ()):
            yield "layer_types", 'its entries must be "full_attention" or "linear_attention"'
