"""Configuration of ViLT."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class ViltConfig(PretrainedConfig):
    """Sizes and switches of a ViLT; the defaults are those of vilt-b32-mlm.

    Args:
        modality_type_vocab_size: text, and as many images as are read together.
        max_image_length: patches of an image that are read, chosen at random; -1 for all.
        num_images: images that ViltForImagesAndTextClassification compares.
    """

    model_type = "vilt"

    vocab_size: int = 30522
    type_vocab_size: int = 2
    modality_type_vocab_size: int = 2
    max_position_embeddings: int = 40
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    image_size: int = 384
    patch_size: int = 32
    num_channels: int = 3
    qkv_bias: bool = True
    max_image_length: int = -1
    tie_word_embeddings: bool = False
    num_images: int = -1
