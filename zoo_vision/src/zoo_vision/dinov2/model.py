"""DINOv2: a ViT of pre-norm layers with layer scale, for images of any size."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT, VIT_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.backbone import SingleStageBackbone
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP, GatedMLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions
from zoo_core.nn.stack import run_layers
from zoo_vision.dinov2.config import Dinov2Config


class Dinov2PreTrainedModel(PreTrainedModel):
    """What all DINOv2 classes share."""

    config_class = Dinov2Config
    base_model_prefix = "dinov2"
    main_input_name = "pixel_values"

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, Dinov2Embeddings):
            std = self.config.initializer_range
            nn.init.trunc_normal_(module.position_embeddings, std=std)
            nn.init.trunc_normal_(module.cls_token, std=std)
            if module.mask_token is not None:
                nn.init.zeros_(module.mask_token)


class Dinov2Embeddings(nn.Module):
    """A class token and patches, with positions stretched to the image."""

    mask_token: nn.Parameter | None
    antialias = False

    def __init__(self, config: Dinov2Config) -> None:
        super().__init__()
        size = config.hidden_size
        self.cls_token = nn.Parameter(torch.empty(1, 1, size))
        self.mask_token = nn.Parameter(torch.empty(1, size)) if config.use_mask_token else None
        self.patch_embeddings = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size
        )
        self.position_embeddings = nn.Parameter(torch.empty(1, 1 + self.patch_embeddings.num_patches, size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor, *, bool_masked_pos: Tensor | None = None) -> Tensor:
        """(batch, channels, height, width) to (batch, 1 + patches, hidden)."""
        rows, columns = self.patch_embeddings.patch_size
        hidden = self.patch_embeddings(pixel_values, any_size=True)
        if bool_masked_pos is not None:
            if self.mask_token is None:
                raise ValueError("bool_masked_pos needs a model whose config has use_mask_token=True")
            hidden = torch.where(bool_masked_pos[..., None].bool(), self.mask_token.to(hidden.dtype), hidden)
        hidden = torch.cat((self.cls_token.expand(len(hidden), -1, -1), hidden), dim=1)
        grid = (pixel_values.shape[-2] // rows, pixel_values.shape[-1] // columns)
        positions = interpolate_positions(
            self.position_embeddings, self.patch_embeddings.grid, grid, antialias=self.antialias
        )
        return self.dropout(hidden + positions)


class Dinov2Layer(ScaledPreNormLayer):
    """Self-attention and a feed-forward block, plain or gated."""

    hub_names: HubNames = VIT_LAYER | {
        "input_layernorm": "norm1",
        "post_attention_layernorm": "norm2",
        "mlp": "mlp",
        "mlp.fc1": "mlp.fc1",
        "mlp.fc2": "mlp.fc2",
        ("mlp.gate_proj", "mlp.up_proj"): Fused("mlp.weights_in"),
        "mlp.down_proj": "mlp.weights_out",
        "layer_scale1.weight": "layer_scale1.lambda1",
        "layer_scale2.weight": "layer_scale2.lambda1",
    }

    def __init__(self, config: Dinov2Config, drop_path: float) -> None:
        size, inner = config.hidden_size, int(config.hidden_size * config.mlp_ratio)
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                size,
                config.num_attention_heads,
                bias=config.qkv_bias,
                out_bias=True,
                dropout=config.attention_probs_dropout_prob,
            ),
            mlp=GatedMLP(size, (inner * 2 // 3 + 7) // 8 * 8, "silu", bias=True)
            if config.use_swiglu_ffn
            else MLP(size, inner, config.hidden_act),
            layer_scale=config.layerscale_value,
            drop_path=drop_path,
        )


class Dinov2Model(Dinov2PreTrainedModel):
    """Embeddings, layers and a final norm; `pooler_output` is the class token's state."""

    hub_names = VIT
    embeddings_class: type[Dinov2Embeddings] = Dinov2Embeddings

    def __init__(self, config: Dinov2Config) -> None:
        super().__init__(config)
        self.embeddings = self.embeddings_class(config)
        rates = drop_rates(config.drop_path_rate, config.num_hidden_layers)
        self.layers = nn.ModuleList(Dinov2Layer(config, rate) for rate in rates)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor | None = None,
        bool_masked_pos: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, 1 + patches, hidden) and pooled (batch, hidden).

        `bool_masked_pos` (batch, patches) hides patches; `head_mask` is (heads,) or (layers, heads).
        """
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        hidden = self.embeddings(pixel_values, bool_masked_pos=bool_masked_pos)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), head_mask=head_mask)
        hidden = self.norm(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=hidden[:, 0])

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings


class Dinov2ForImageClassification(ForImageClassification, Dinov2PreTrainedModel):
    """DINOv2 with a classifier on the class token and the mean of the patches."""

    base_class = Dinov2Model

    def features_width(self, config: PretrainedConfig) -> int:
        return 2 * config.hidden_size

    def features(self, outputs: ModelOutput) -> Tensor:
        hidden = outputs.last_hidden_state
        return torch.cat((hidden[:, 0], hidden[:, 1:].mean(1)), dim=1)


class Dinov2Backbone(SingleStageBackbone, Dinov2PreTrainedModel):
    """DINOv2 that returns the states of some layers as maps, normalised where the config says so."""

    base_class = Dinov2Model

    def feature_map(self, state: Tensor, stage: str, pixel_values: Tensor) -> Tensor:
        if self.config.apply_layernorm:
            state = self.model.norm(state)
        return super().feature_map(state, stage, pixel_values)
