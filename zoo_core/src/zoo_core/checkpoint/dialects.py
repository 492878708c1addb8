"""Naming dialects that many architectures share: tables for `hub_names`, canonical path to Hub path.

The canonical side is the vocabulary of `zoo_core.nn`; see `zoo_core.checkpoint.names` for the rules.
"""

from __future__ import annotations

#: a post-norm encoder layer (PostNormLayer) as BERT and its many descendants name it
BERT_LAYER = {
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.distance_embedding": "attention.self.distance_embedding",
    "self_attn.o_proj": "attention.output.dense",
    "self_attn_layer_norm": "attention.output.LayerNorm",
    "cross_attn.q_proj": "crossattention.self.query",
    "cross_attn.k_proj": "crossattention.self.key",
    "cross_attn.v_proj": "crossattention.self.value",
    "cross_attn.distance_embedding": "crossattention.self.distance_embedding",
    "cross_attn.o_proj": "crossattention.output.dense",
    "cross_attn_layer_norm": "crossattention.output.LayerNorm",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
    "final_layer_norm": "output.LayerNorm",
}

#: the base model around such layers
BERT = {"layers": "encoder.layer", "embeddings.layer_norm": "embeddings.LayerNorm"}

#: its masked language modeling head (LMTransform)
BERT_LM_HEAD = {
    "lm_head.dense": "cls.predictions.transform.dense",
    "lm_head.layer_norm": "cls.predictions.transform.LayerNorm",
    "lm_head.decoder.bias": "cls.predictions.bias",
    "lm_head.decoder": "cls.predictions.decoder",
}
