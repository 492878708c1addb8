"""Configuration of LXMERT."""

from __future__ import annotations

from typing import ClassVar

from zoo_core.config import PretrainedConfig


class LxmertConfig(PretrainedConfig):
    """Sizes and switches of an LXMERT.

    Args:
        l_layers, r_layers, x_layers: layers of the text, of the regions, and across.
        visual_feat_dim, visual_pos_dim: widths of a region's features and of its box.
        task_...: objectives of the pre-training, with heads of their own; visual_..._loss: what is asked of
            a hidden region: its class, its attribute, its features.
    """

    model_type = "lxmert"
    position_embedding_type: ClassVar[str] = "absolute"

    vocab_size: int = 30522
    hidden_size: int = 768
    num_attention_heads: int = 12
    num_qa_labels: int = 9500
    num_object_labels: int = 1600
    num_attr_labels: int = 400
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    l_layers: int = 9
    x_layers: int = 5
    r_layers: int = 5
    num_hidden_layers: dict[str, int] | None = None
    visual_feat_dim: int = 2048
    visual_pos_dim: int = 4
    visual_loss_normalizer: float = 6.67
    task_matched: bool = True
    task_mask_lm: bool = True
    task_obj_predict: bool = True
    task_qa: bool = True
    visual_obj_loss: bool = True
    visual_attr_loss: bool = True
    visual_feat_loss: bool = True

    def __post_init__(self) -> None:
        self.num_hidden_layers = {
            "vision": self.r_layers,
            "cross_encoder": self.x_layers,
            "language": self.l_layers,
        }
