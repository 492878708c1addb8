"""Configuration of MVP."""

from __future__ import annotations

from zoo_text.bart.config import BartConfig


class MvpConfig(BartConfig):
    """Sizes and switches of an MVP; `use_prompt` adds learned keys and values."""

    model_type = "mvp"
    num_labels = 2

    vocab_size: int = 50267
    use_prompt: bool = False
    prompt_length: int = 100
    prompt_mid_dim: int = 800
