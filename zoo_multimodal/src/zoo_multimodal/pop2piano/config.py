"""Configuration of Pop2Piano."""

from __future__ import annotations

from zoo_text.t5.config import T5Config


class Pop2PianoConfig(T5Config):
    """Sizes and switches of a Pop2Piano, a T5 that reads spectrograms and the number of an arranger."""

    model_type = "pop2piano"

    vocab_size: int = 2400
    composer_vocab_size: int = 21
    feed_forward_proj: str = "gated-gelu"
    dense_act_fn: str = "relu"

    def __post_init__(self) -> None:
        act = self.dense_act_fn
        super().__post_init__()
        self.dense_act_fn = act
