"""Configurations of Evolla and its protein encoder."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, sub_config
from zoo_text.esm.config import EsmConfig
from zoo_text.llama.config import LlamaLikeConfig


class SaProtConfig(EsmConfig):
    """Sizes and switches of SaProt, an ESM-2 over pairs of amino acid and local structure."""

    model_type = "saprot"
    base_config_key = "protein_encoder_config"

    vocab_size: int | None = 446
    mask_token_id: int | None = 4
    pad_token_id: int | None = 1
    hidden_size: int = 1280
    num_hidden_layers: int = 33
    num_attention_heads: int = 20
    intermediate_size: int = 5120
    layer_norm_eps: float = 1e-5
    position_embedding_type: str = "rotary"
    emb_layer_norm_before: bool | None = False
    token_dropout: bool = True


class EvollaConfig(LlamaLikeConfig):
    """Sizes and switches of Evolla: a Llama 3, a resampler and layers that look at the protein.

    Those layers (`aligner_*`) follow every (num_hidden_layers / aligner_num_add_layers)-th of the decoder's.
    """

    model_type = "evolla"

    vocab_size: int = 128256
    intermediate_size: int = 14336
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 8192
    rms_norm_eps: float = 1e-5
    rope_theta: float = 500000.0
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    mlp_bias: bool = False
    aligner_ffn_mult: int = 4
    aligner_enable_bias: bool = True
    aligner_attention_probs_dropout_prob: float = 0.1
    aligner_num_add_layers: int = 8
    resampler_depth: int = 6
    resampler_dim_head: int = 64
    resampler_heads: int = 8
    resampler_num_latents: int = 64
    resampler_ff_mult: int = 4
    use_cache: bool = False
    bos_token_id: int | None = 128000
    eos_token_id: int | list[int] | None = 128009
    protein_encoder_config: PretrainedConfig = sub_config(SaProtConfig)
