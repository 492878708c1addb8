"""Configuration of SEW-D."""

from __future__ import annotations

from zoo_audio.sew.config import SEWConfig
from zoo_core.config import field


class SEWDConfig(SEWConfig):
    """Sizes and switches of a SEW-D; the defaults are those of sew-d-tiny-100k, but for the width.

    `pos_att_type` lists "c2p" (content looks at positions) and "p2c" (positions look at content).
    """

    model_type = "sew-d"
    attribute_map = {  # the names by which DeBERTa's attention asks
        "attention_probs_dropout_prob": "attention_dropout",
        "hidden_dropout_prob": "hidden_dropout",
    }

    hidden_act: str = "gelu_python"
    max_position_embeddings: int = 512
    position_buckets: int = 256
    share_att_key: bool = True
    relative_attention: bool = True
    pos_att_type: list[str] = field(["p2c", "c2p"])
    norm_rel_ebd: str = "layer_norm"
    layer_norm_eps: float = 1e-7
    feature_layer_norm_eps: float = 1e-5
