"""Configuration of I-BERT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig

DEQUANTIZABLE = ("none", "gelu", "softmax", "layernorm", "nonlinear")


class IBertConfig(PretrainedConfig):
    """Sizes of an I-BERT, and whether it computes in integers.

    With `quant_mode` it does; `force_dequant` leaves one kind of operation in floating point, or with
    "nonlinear" GELU, softmax and layer norm alike.
    """

    model_type = "ibert"

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    position_embedding_type: str = "absolute"
    quant_mode: bool = False
    force_dequant: str = "none"

    def check(self) -> Iterator[tuple[str, str]]:
        if self.hidden_act != "gelu":
            yield "hidden_act", "must be 'gelu': integer arithmetic is defined for no other"
        if self.position_embedding_type != "absolute":
            yield "position_embedding_type", "must be 'absolute'"
        if self.force_dequant not in DEQUANTIZABLE:
            yield "force_dequant", f"must be one of {', '.join(DEQUANTIZABLE)}"

    def quantizes(self, operation: str) -> bool:
        """Whether `operation` (gelu, softmax or layernorm) is computed in integers."""
        return self.quant_mode and self.force_dequant not in (operation, "nonlinear")
