"""Configuration of OLMo 3."""

from __future__ import annotations

from zoo_text.olmo2.config import Olmo2Config


class Olmo3Config(Olmo2Config):
    """Sizes and switches of an OLMo 3; every fourth layer sees everything, the others a window."""

    model_type = "olmo3"

    sliding_window: int | None = 4096
    layer_types: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layer_types is None:
            kinds = ("sliding_attention", "full_attention")
            self.layer_types = [kinds[i % 4 == 3] for i in range(self.num_hidden_layers)]
