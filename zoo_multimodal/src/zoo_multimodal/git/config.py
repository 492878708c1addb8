"""Configurations of GIT and its image tower."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.clip.config import CLIPVisionConfig


class GitVisionConfig(CLIPVisionConfig):
    """Sizes and switches of the image tower."""

    model_type = "git_vision_model"

    patch_size: int = 16


class GitConfig(PretrainedConfig):
    """The image tower, and the text decoder that reads it.

    Args:
        num_image_with_embedding: frames of a video, each with an embedding of its own; None for images.
    """

    model_type = "git"

    vision_config: GitVisionConfig = sub_config(GitVisionConfig)
    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 6
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 1024
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    position_embedding_type: str = "absolute"
    use_cache: bool = True
    num_image_with_embedding: int | None = None
    tie_word_embeddings: bool = False
    pad_token_id: int | None = 0
    bos_token_id: int | None = 101
    eos_token_id: int | list[int] | None = 102
