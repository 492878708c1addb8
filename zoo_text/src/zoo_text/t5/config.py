"""Configuration of T5."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class T5Config(PretrainedConfig):
    """Sizes and switches of a T5; the defaults are those of t5-small."""

    model_type = "t5"
    attribute_map = {
        "hidden_size": "d_model",
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
        "head_dim": "d_kv",
    }

    vocab_size: int = 32128
    d_model: int = 512
    d_kv: int = 64
    d_ff: int = 2048
    num_layers: int = 6
    num_decoder_layers: int | None = None
    num_heads: int = 8
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    dropout_rate: float = 0.1
    layer_norm_epsilon: float = 1e-6
    initializer_factor: float = 1.0
    feed_forward_proj: str = "relu"
    is_encoder_decoder: bool = True
    use_cache: bool = True
    pad_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 1
    classifier_dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.num_decoder_layers is None:
            self.num_decoder_layers = self.num_layers
        gate, _, act = self.feed_forward_proj.rpartition("-")
        self.is_gated_act = gate == "gated"
        self.dense_act_fn = "gelu_new" if self.feed_forward_proj == "gated-gelu" else act

    def check(self) -> Iterator[tuple[str, str]]:
        if self.feed_forward_proj.rpartition("-")[0] not in ("", "gated"):
            yield (
                "feed_forward_proj",
                "must be an activation, or gated-ACTIVATION, e.g. 'relu' or 'gated-gelu'",
            )
