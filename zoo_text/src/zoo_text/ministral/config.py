"""Configuration of Ministral."""

from __future__ import annotations

from zoo_text.mistral.config import MistralConfig


class MinistralConfig(MistralConfig):
    """Sizes and switches of a Ministral."""

    model_type = "ministral"

    layer_types: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layer_types is None:
            kind = "full_attention" if self.sliding_window is None else "sliding_attention"
            self.layer_types = [kind] * self.num_hidden_layers
