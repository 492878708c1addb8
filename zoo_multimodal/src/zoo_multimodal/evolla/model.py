"""Evolla: a Llama some of whose layers look at a protein, as a SaProt and a resampler describe it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import PreNormLayer, has_source
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.recording import unrecorded
from zoo_multimodal.evolla.config import EvollaConfig, SaProtConfig
from zoo_multimodal.idefics.model import ResamplerLayer
from zoo_text.esm.model import EsmModel


class EvollaPreTrainedModel(PreTrainedModel):
    """What both Evolla classes share."""

    config_class = EvollaConfig
    base_model_prefix = "model"
    ignored_names = ("*rotary_emb.inv_freq",)


class SaProtModel(EsmModel):
    """The protein encoder (https://doi.org/10.1101/2023.10.01.560349)."""

    config_class = SaProtConfig
    finds_contacts = False


class ProteinResamplerLayer(ResamplerLayer):
    """Latents attend to a protein's states and to themselves."""

    hub_names = {
        "context_norm": "0.norm_media",
        "latents_norm": "0.norm_latents",
        "self_attn.q_proj": "0.to_q",
        ("self_attn.k_proj", "self_attn.v_proj"): Fused("0.to_kv"),
        "self_attn.o_proj": "0.to_out",
        "mlp_norm": "1.norm",
        "mlp": "1",
    }


class ProteinResampler(nn.Module):
    """A fixed number of features, as wide as the decoder, from a protein of any length."""

    def __init__(self, config: EvollaConfig) -> None:
        super().__init__()
        size = config.protein_encoder_config.hidden_size
        self.latents = nn.Parameter(torch.randn(config.resampler_num_latents, size))
        self.layers = nn.ModuleList(
            ProteinResamplerLayer(
                size,
                config.resampler_heads,
                config.resampler_dim_head,
                act="gelu",
                widening=config.resampler_ff_mult,
            )
            for _ in range(config.resampler_depth)
        )
        self.protein_projector = Linear(size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        """(proteins, length, width) and mask (proteins, length) to (proteins, latents, hidden)."""
        latents = self.latents.expand(len(states), -1, -1)
        for layer in self.layers:
            latents = layer(latents, states, mask)
        return self.norm(self.protein_projector(latents))


class ProteinAdapter(nn.Module):
    """Attention to the protein and a feed-forward block, each by a learned share."""

    hub_names = {
        "cross_attn.q_proj": "query",
        "cross_attn.k_proj": "key_protein",
        "cross_attn.v_proj": "value_protein",
        "cross_attn.o_proj": "out_proj",
        "cross_attn_norm": "attention_norm",
        "mlp_norm": "ff.norm",
        "mlp": "ff",
    }

    def __init__(self, config: EvollaConfig, layer_idx: int) -> None:
        super().__init__()
        size = config.hidden_size
        self.cross_attn = Attention(
            size,
            config.num_attention_heads,
            bias=config.aligner_enable_bias,
            scale=config.num_attention_heads**-0.5,  # not a head's width: so it was trained
            dropout=config.aligner_attention_probs_dropout_prob,
            layer_idx=layer_idx,
            cross=True,
        )
        self.cross_attn_norm, self.mlp_norm = RMSNorm(size), nn.LayerNorm(size)
        self.mlp = MLP(size, config.aligner_ffn_mult * size, "gelu", bias=False)
        self.gate_attention, self.gate_ffw = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))

    def forward(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        attended = self.cross_attn(self.cross_attn_norm(hidden), context)
        hidden = hidden + self.gate_attention.tanh() * attended
        return hidden + self.gate_ffw.tanh() * self.mlp(self.mlp_norm(hidden))


class EvollaLayer(PreNormLayer):
    """A Llama's layer, and an adapter after some."""

    def __init__(self, *args: Any, **parts: Any) -> None:
        super().__init__(*args, **parts)
        self.adapter: ProteinAdapter | None = None

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        hidden = super().forward(hidden, context, **attention)
        if self.adapter is None or not has_source(context):
            return hidden
        with unrecorded():
            return self.adapter(hidden, context)


class EvollaModel(EvollaPreTrainedModel, DecoderModel):
    """The decoder without its head, and the protein encoder."""

    layer_class = EvollaLayer
    hub_names = {
        "protein_encoder": "protein_encoder.model",
        "resampler": "protein_encoder.sequence_compressor_resampler",
    }

    def __init__(self, config: EvollaConfig) -> None:
        super().__init__(config)
        self.protein_encoder = SaProtModel(config.protein_encoder_config, add_pooling_layer=False)
        self.resampler = ProteinResampler(config)
        self.post_init()

    def make_layer(self, config: EvollaConfig, layer_idx: int) -> nn.Module:  # type: ignore[override]
        layer = super().make_layer(config, layer_idx)
        interval = max(config.num_hidden_layers // config.aligner_num_add_layers, 1)
        if (layer_idx + 1) % interval == 0:
            layer.adapter = ProteinAdapter(config, layer_idx)
        return layer

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        *,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        protein_input_ids: Tensor | None = None,
        protein_attention_mask: Tensor | None = None,
    ) -> ModelOutput:
        """Texts (batch, sequence), each about a protein, to states (batch, sequence, hidden).

        Args:
            protein_input_ids: (batch, residues); without it the text is read by itself.
            protein_attention_mask: (batch, residues), 0 for padding.
        """
        cache = self.cache_for(past_key_values, use_cache)
        past = 0 if cache is None else cache.length
        hidden = self.embed(input_ids, inputs_embeds, position_ids, past)
        protein = None
        if protein_input_ids is not None:
            if len(protein_input_ids) != len(hidden):
                raise ValueError(
                    f"{len(protein_input_ids)} proteins for {len(hidden)} texts; pass one for each text"
                )
            with unrecorded():
                states = self.protein_encoder(protein_input_ids, protein_attention_mask).last_hidden_state
                protein = self.resampler(states, protein_attention_mask)
        context = AttentionContext(
            hidden, attention_mask, cache=cache, positions=cache_position, encoder_states=protein
        )
        return self.run(hidden, context, position_ids)


class EvollaForProteinText2Text(ForCausalLM, EvollaPreTrainedModel):
    """Evolla with a language modeling head."""

    base_class = EvollaModel
