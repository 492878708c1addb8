"""Naming dialects of Hub files that many architectures share, as ``hub_names`` tables.

The left side is what the blocks of ``zoo_core.nn`` are called, the right side what files say. A table with
_LAYER in its name belongs to a layer, the plain one to the model or stack around it. Tables are merged with
``|`` where an architecture adds to or departs from one.
"""

from __future__ import annotations

from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Fused, Op, Stacked, Transposed

# BERT, RoBERTa, ELECTRA, LayoutLM, ESM, ...

BERT: HubNames = {"embeddings.layer_norm": "embeddings.LayerNorm", "layers": "encoder.layer"}
BERT_LAYER: HubNames = {
    "self_attn": "attention.self",
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.o_proj": "attention.output.dense",
    "self_attn_layer_norm": "attention.output.LayerNorm",
    "cross_attn": "crossattention.self",
    "cross_attn.q_proj": "crossattention.self.query",
    "cross_attn.k_proj": "crossattention.self.key",
    "cross_attn.v_proj": "crossattention.self.value",
    "cross_attn.o_proj": "crossattention.output.dense",
    "cross_attn_layer_norm": "crossattention.output.LayerNorm",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
    "final_layer_norm": "output.LayerNorm",
}
BERT_LM_HEAD: HubNames = {
    "lm_head.dense": "cls.predictions.transform.dense",
    "lm_head.layer_norm": "cls.predictions.transform.LayerNorm",
    "lm_head.decoder": "cls.predictions.decoder",
    "lm_head.decoder.bias": "cls.predictions.bias",
}

# BART, mBART, Pegasus, Marian, Whisper, OPT, ...

_BART_LAYER: HubNames = {
    "self_attn.o_proj": "self_attn.out_proj",
    "cross_attn": "encoder_attn",
    "cross_attn.o_proj": "encoder_attn.out_proj",
    "mlp.fc1": "fc1",
    "mlp.fc2": "fc2",
}
BART_LAYER: HubNames = {**_BART_LAYER, "cross_attn_layer_norm": "encoder_attn_layer_norm"}
"""Post-norm: BART, Marian, Blenderbot small."""
BART_PRE_NORM_LAYER: HubNames = {
    **_BART_LAYER,
    "input_layernorm": "self_attn_layer_norm",
    "cross_attn_layernorm": "encoder_attn_layer_norm",
    "post_attention_layernorm": "final_layer_norm",
}
"""Pre-norm: mBART, Pegasus, Whisper, M2M100, OPT."""

# CLIP, SigLIP, and the towers of most image-text models

CLIP_LAYER: HubNames = {
    "self_attn.o_proj": "self_attn.out_proj",
    "input_layernorm": "layer_norm1",
    "post_attention_layernorm": "layer_norm2",
}


def stacked_attention(name: str, hub: str | None = None) -> HubNames:
    """Attention `name` as torch.nn.MultiheadAttention stores it, its three projections as one."""
    stored = hub or name
    return {
        **{
            tuple(f"{name}.{part}_proj.{kind}" for part in "qkv"): Fused(f"{stored}.in_proj_{kind}")
            for kind in ("weight", "bias")
        },
        f"{name}.o_proj": f"{stored}.out_proj",
    }


# ViT, DeiT, DINOv2, BEiT, AST, VideoMAE, ...

VIT: HubNames = {"layers": "encoder.layer", "norm": "layernorm"}
VIT_LAYER: HubNames = {
    "self_attn": "attention.attention",
    "self_attn.q_proj": "attention.attention.query",
    "self_attn.k_proj": "attention.attention.key",
    "self_attn.v_proj": "attention.attention.value",
    "self_attn.o_proj": "attention.output.dense",
    "input_layernorm": "layernorm_before",
    "post_attention_layernorm": "layernorm_after",
    "mlp.fc1": "intermediate.dense",
    "mlp.fc2": "output.dense",
}

# T5, mT5, UMT5, Switch, ...

T5: HubNames = {"layers": "block", "norm": "final_layer_norm"}
"""One stack, encoder or decoder."""


def _t5_layer(*, cross: bool) -> HubNames:
    last = 2 if cross else 1
    table: dict[str | tuple[str, ...], str | Op] = {
        "self_attn": "layer.0.SelfAttention",
        "self_attn.q_proj": "layer.0.SelfAttention.q",
        "self_attn.k_proj": "layer.0.SelfAttention.k",
        "self_attn.v_proj": "layer.0.SelfAttention.v",
        "self_attn.o_proj": "layer.0.SelfAttention.o",
        "input_layernorm": "layer.0.layer_norm",
        "mlp.fc1": f"layer.{last}.DenseReluDense.wi",
        "mlp.fc2": f"layer.{last}.DenseReluDense.wo",
        "mlp.gate_proj": f"layer.{last}.DenseReluDense.wi_0",
        "mlp.up_proj": f"layer.{last}.DenseReluDense.wi_1",
        "mlp.down_proj": f"layer.{last}.DenseReluDense.wo",
        "post_attention_layernorm": f"layer.{last}.layer_norm",
    }
    if cross:
        table |= {
            "cross_attn": "layer.1.EncDecAttention",
            "cross_attn.q_proj": "layer.1.EncDecAttention.q",
            "cross_attn.k_proj": "layer.1.EncDecAttention.k",
            "cross_attn.v_proj": "layer.1.EncDecAttention.v",
            "cross_attn.o_proj": "layer.1.EncDecAttention.o",
            "cross_attn_layernorm": "layer.1.layer_norm",
        }
    return table


T5_ENCODER_LAYER: HubNames = _t5_layer(cross=False)
T5_DECODER_LAYER: HubNames = _t5_layer(cross=True)

# GPT-2, DialoGPT, ImageGPT, Decision Transformer, ...: matrices stand transposed, queries to values fused

GPT2: HubNames = {"embed_tokens": "wte", "embed_positions": "wpe", "layers": "h", "norm": "ln_f"}
GPT2_LAYER: HubNames = {
    "input_layernorm": "ln_1",
    "post_attention_layernorm": "ln_2",
    "cross_attn_layernorm": "ln_cross_attn",
    ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused(Transposed("attn.c_attn")),
    "self_attn.o_proj": Transposed("attn.c_proj"),
    "cross_attn.q_proj": Transposed("crossattention.q_attn"),
    ("cross_attn.k_proj", "cross_attn.v_proj"): Fused(Transposed("crossattention.c_attn")),
    "cross_attn.o_proj": Transposed("crossattention.c_proj"),
    "mlp.fc1": Transposed("mlp.c_fc"),
    "mlp.fc2": Transposed("mlp.c_proj"),
}

# Mixtures of experts: DeepSeek, Qwen, OLMoE, ...

EXPERTS: HubNames = {
    "router": "gate",
    **{
        f"experts.{part}": Stacked(f"experts.*.{part}.weight")
        for part in ("gate_proj", "up_proj", "down_proj")
    },
}
"""A layer's mixture; Mixtral and its kin say w1, w3 and w2."""
