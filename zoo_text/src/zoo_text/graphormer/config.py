"""Configuration of Graphormer."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class GraphormerConfig(PretrainedConfig):
    """Sizes of the encoder, and how many kinds of atoms, edges, degrees and distances a graph may have."""

    model_type = "graphormer"

    num_classes: int = 1
    num_atoms: int = 4608
    num_edges: int = 1536
    num_in_degree: int = 512
    num_out_degree: int = 512
    num_spatial: int = 512
    num_edge_dis: int = 128
    multi_hop_max_dist: int = 5
    spatial_pos_max: int = 1024
    edge_type: str = "multi_hop"
    max_nodes: int = 512
    share_input_output_embed: bool = False
    num_hidden_layers: int = 12
    embedding_dim: int = 768
    hidden_size: int = 768
    ffn_embedding_dim: int = 768
    num_attention_heads: int = 32
    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float = 0.1
    layerdrop: float = 0.0
    encoder_normalize_before: bool = False
    pre_layernorm: bool = False
    apply_graphormer_init: bool = False
    activation_fn: str = "gelu"
    embed_scale: float | None = None
    freeze_embeddings: bool = False
    num_trans_layers_to_freeze: int = 0
    traceable: bool = False
    q_noise: float = 0.0
    qn_block_size: int = 8
    kdim: Any = None
    vdim: Any = None
    bias: bool = True
    self_attention: bool = True
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2

    def __post_init__(self) -> None:
        self.hidden_size = self.embedding_dim
