"""InternVL's image encoder: BEiT's embeddings, and layers with layer scale and normed queries and keys."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import ScaledPreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.stack import run_layers
from zoo_vision.beit.model import BeitEmbeddings
from zoo_vision.internvl_vision.config import InternVLVisionConfig


class InternVLVisionLayer(ScaledPreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names: HubNames = {
        "self_attn": "attention",
        "self_attn.o_proj": "attention.projection_layer",
        "input_layernorm": "layernorm_before",
        "post_attention_layernorm": "layernorm_after",
        "layer_scale1.weight": "lambda_1",
        "layer_scale2.weight": "lambda_2",
    }

    def __init__(self, config: InternVLVisionConfig) -> None:
        size = config.hidden_size
        super().__init__(
            size,
            partial(RMSNorm if config.norm_type == "rms_norm" else nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                size,
                config.num_attention_heads,
                bias=config.attention_bias,
                out_bias=True,
                qk_norm=RMSNorm if config.use_qk_norm else None,
                qk_norm_full=True,
                dropout=config.attention_dropout,
            ),
            mlp=MLP(size, config.intermediate_size, config.hidden_act),
            layer_scale=config.layer_scale_init_value,
            dropout=config.hidden_dropout_prob,
        )


class InternVLVisionModel(PreTrainedModel):
    """Embeddings, layers, and unless the mean is pooled a final norm."""

    config_class = InternVLVisionConfig
    base_model_prefix = "internvl_vision"
    main_input_name = "pixel_values"
    hub_names: HubNames = {"layers": "encoder.layer", "norm": "layernorm"}

    def __init__(self, config: InternVLVisionConfig) -> None:
        super().__init__(config)
        self.embeddings = BeitEmbeddings(config)
        self.layers = nn.ModuleList(InternVLVisionLayer(config) for _ in range(config.num_hidden_layers))
        pooled, eps = config.use_mean_pooling, config.layer_norm_eps
        self.norm = nn.Identity() if pooled else nn.LayerNorm(config.hidden_size, eps=eps)
        self.post_init()

    def forward(
        self, pixel_values: Tensor, bool_masked_pos: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, 1 + patches, hidden).

        `bool_masked_pos` (batch, patches) says which patches to hide.
        """
        hidden, _ = self.embeddings(pixel_values, bool_masked_pos=bool_masked_pos)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden))
        return BaseModelOutputWithPooling(last_hidden_state=self.norm(hidden))

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings
