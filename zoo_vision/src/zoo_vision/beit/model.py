"""BEiT: a ViT with relative positions and layer scale, pre-trained to predict visual tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.heads.base import Headed
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.backbone import SingleStageBackbone
from zoo_core.modeling.loss import pixel_loss, token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BackboneOutput,
    BaseModelOutputWithPooling,
    MaskedLMOutput,
    ModelOutput,
    SemanticSegmenterOutput,
)
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions, pair
from zoo_core.nn.recording import HIDDEN_STATES, wants
from zoo_core.nn.stack import run_layers
from zoo_vision.beit.config import BeitConfig, BeitSizes
from zoo_vision.nn.upernet import FCNHead, UPerHead
from zoo_vision.nn.window_bias import Grid, WindowBias


class BeitPreTrainedModel(PreTrainedModel):
    """What all BEiT classes share."""

    config_class: type[PretrainedConfig] = BeitConfig
    base_model_prefix = "beit"
    main_input_name = "pixel_values"
    ignored_names = ("*relative_position_index",)


def trained_grid(config: BeitSizes) -> Grid:
    """Rows and columns of patches of an image of the trained size."""
    (height, width), (rows, columns) = pair(config.image_size), pair(config.patch_size)
    return height // rows, width // columns


class BeitEmbeddings(nn.Module):
    """A class token and patches, with learned positions where the config wants them."""

    mask_token: nn.Parameter | None
    position_embeddings: nn.Parameter | None

    def __init__(self, config: BeitSizes) -> None:
        super().__init__()
        size = config.hidden_size
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, size)) if config.use_mask_token else None
        self.patch_embeddings = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size
        )
        rows = self.patch_embeddings.num_patches + 1
        absolute = config.use_absolute_position_embeddings
        self.position_embeddings = nn.Parameter(torch.zeros(1, rows, size)) if absolute else None
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, pixel_values: Tensor, *, bool_masked_pos: Tensor | None = None) -> tuple[Tensor, Grid]:
        """(batch, channels, height, width) to (batch, 1 + patches, hidden) and the grid of patches."""
        rows, columns = self.patch_embeddings.patch_size
        grid = (pixel_values.shape[-2] // rows, pixel_values.shape[-1] // columns)
        hidden = self.patch_embeddings(pixel_values, any_size=True)
        if bool_masked_pos is not None:
            if self.mask_token is None:
                raise ValueError("bool_masked_pos needs a model whose config has use_mask_token=True")
            hidden = torch.where(bool_masked_pos[..., None].bool(), self.mask_token.to(hidden.dtype), hidden)
        hidden = torch.cat((self.cls_token.expand(len(hidden), -1, -1), hidden), dim=1)
        if self.position_embeddings is not None:
            hidden = hidden + interpolate_positions(
                self.position_embeddings, self.patch_embeddings.grid, grid
            )
        return self.dropout(hidden), grid


class BeitAttention(Attention):
    """Attention whose keys have no bias, with the layer's own relative biases where it has them."""

    relative_position_bias: WindowBias | None

    def __init__(self, config: BeitSizes) -> None:
        heads = config.num_attention_heads
        super().__init__(
            config.hidden_size, heads, key_bias=False, dropout=config.attention_probs_dropout_prob
        )
        own = config.use_relative_position_bias
        self.relative_position_bias = (
            WindowBias(trained_grid(config), heads, class_token=True) if own else None
        )

    def forward(
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        grid: Grid,
        bias: Tensor | None = None,
        **options: Any,
    ) -> Tensor:
        if self.relative_position_bias is not None:
            own = self.relative_position_bias(grid)
            bias = own if bias is None else own + bias
        return super().forward(hidden, context, bias=bias, **options)


class BeitLayer(ScaledPreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names: HubNames = VIT_LAYER | {
        "layer_scale1.weight": "lambda_1",
        "layer_scale2.weight": "lambda_2",
    }

    def __init__(self, config: BeitSizes, drop_path: float) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=BeitAttention(config),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            layer_scale=config.layer_scale_init_value if config.layer_scale_init_value > 0 else None,
            drop_path=drop_path,
            dropout=config.hidden_dropout_prob,
        )


class BeitPooler(nn.Module):
    """The normalised mean of the patches, or the class token."""

    norm: nn.Module | None

    def __init__(self, config: BeitSizes) -> None:
        super().__init__()
        mean = config.use_mean_pooling
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps) if mean else None

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden[:, 0] if self.norm is None else self.norm(hidden[:, 1:].mean(1))


class BeitModel(BeitPreTrainedModel):
    """Embeddings and layers; a final norm, or, with mean pooling, one in the pooler."""

    hub_names: HubNames = {
        "layers": "encoder.layer",
        "norm": "layernorm",
        "relative_position_bias": "encoder.relative_position_bias",
        "pooler.norm": "pooler.layernorm",
    }
    relative_position_bias: WindowBias | None

    def __init__(
        self, config: BeitSizes, add_pooling_layer: bool = True, add_norm: bool | None = None
    ) -> None:
        super().__init__(config)
        self.embeddings = BeitEmbeddings(config)
        shared = config.use_shared_relative_position_bias
        self.relative_position_bias = (
            WindowBias(trained_grid(config), config.num_attention_heads, class_token=True) if shared else None
        )
        rates = drop_rates(config.drop_path_rate, config.num_hidden_layers)
        self.layers = nn.ModuleList(BeitLayer(config, rate) for rate in rates)
        normed = not config.use_mean_pooling if add_norm is None else add_norm
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps) if normed else nn.Identity()
        self.pooler = BeitPooler(config) if add_pooling_layer else None
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor | None = None,
        bool_masked_pos: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        interpolate_pos_encoding: bool = True,
    ) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, 1 + patches, hidden) and pooled (batch, hidden).

        Args:
            bool_masked_pos: (batch, patches), patches to hide. head_mask: (heads,) or (layers, heads).
            interpolate_pos_encoding: accepted for compatibility: positions always fit the image.
        """
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        hidden, grid = self.embeddings(pixel_values, bool_masked_pos=bool_masked_pos)
        bias = None if self.relative_position_bias is None else self.relative_position_bias(grid)
        hidden = run_layers(
            self.layers, hidden, AttentionContext(hidden), head_mask=head_mask, grid=grid, bias=bias
        )
        hidden = self.norm(hidden)
        pooled = None if self.pooler is None else self.pooler(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings


class BeitForMaskedImageModeling(Headed, BeitPreTrainedModel):
    """BEiT that scores the visual token of each patch."""

    base_class = BeitModel
    base_options = {"add_pooling_layer": False}
    head_names = {"norm": "layernorm"}

    def build_head(self, config: PretrainedConfig) -> None:
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        bool_masked_pos: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> MaskedLMOutput:
        """Logits (batch, patches, vocab_size); `labels` (masked patches,) are their visual tokens."""
        outputs = self.model(pixel_values, bool_masked_pos, **inputs)
        logits = self.lm_head(self.norm(outputs.last_hidden_state)[:, 1:])
        loss = None
        if labels is not None:
            if bool_masked_pos is None:
                raise ValueError("labels belong to masked patches: pass bool_masked_pos as well")
            loss = token_loss(logits[bool_masked_pos.bool()], labels)
        return MaskedLMOutput.carry(outputs, loss=loss, logits=logits)


class BeitForImageClassification(ForImageClassification, BeitPreTrainedModel):
    """BEiT with a classifier on the pooled state."""

    base_class = BeitModel

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.pooler_output


def rescalers(config: PretrainedConfig) -> list[nn.Module]:
    """Makes of four maps of one size a pyramid: 4 and 2 times as large, as they are, half as large."""
    size, eps = config.hidden_size, getattr(config, "batch_norm_eps", 1e-5)
    return [
        nn.Sequential(
            nn.ConvTranspose2d(size, size, 2, 2),
            nn.BatchNorm2d(size, eps=eps),
            nn.GELU(),
            nn.ConvTranspose2d(size, size, 2, 2),
        ),
        nn.Sequential(nn.ConvTranspose2d(size, size, 2, 2)),
        nn.Identity(),
        nn.MaxPool2d(2, 2),
    ]


_PYRAMID: HubNames = {f"pyramid.{i}": f"fpn{i + 1}" for i in range(4)}


class BeitForSemanticSegmentation(Headed, BeitPreTrainedModel):
    """BEiT with UPerNet on four of its layers, and in training an auxiliary head."""

    base_class = BeitModel
    base_options = {"add_pooling_layer": False}
    head_names = _PYRAMID

    def build_head(self, config: PretrainedConfig) -> None:
        if len(config.out_indices) != 4:
            raise ConfigError(
                f"semantic segmentation takes the states of four layers, but out_indices is "
                f"{config.out_indices}; give for example out_indices=[3, 5, 7, 11]"
            )
        size, labels = config.hidden_size, config.num_labels
        self.pyramid = nn.ModuleList(rescalers(config))
        self.decode_head = UPerHead([size] * 4, size, labels, config.pool_scales)
        self.auxiliary_head = (
            FCNHead(
                size,
                config.auxiliary_channels,
                labels,
                num_convs=config.auxiliary_num_convs,
                concat_input=config.auxiliary_concat_input,
            )
            if config.use_auxiliary_head
            else None
        )

    def forward(
        self, pixel_values: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> SemanticSegmenterOutput:
        """Logits (batch, labels, height / 4, width / 4); `labels` (batch, height, width) are classes."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        outputs = self.model(pixel_values, output_hidden_states=True, **inputs)
        rows, columns = pair(self.config.patch_size)
        grid = (pixel_values.shape[-2] // rows, pixel_values.shape[-1] // columns)
        # as released, indices count from 1 at the embeddings here, and where one names no state (0) the
        # last map stands for two
        states = [s for i, s in enumerate(outputs.hidden_states) if i + 1 in self.config.out_indices]
        maps = [s[:, 1:].transpose(1, 2).unflatten(2, grid) for s in states]
        maps = [rescale(x) for rescale, x in zip(self.pyramid, maps, strict=False)]
        maps += maps[-1:] * (len(self.pyramid) - len(maps))
        logits = self.decode_head(maps)
        loss = None
        if labels is not None:
            if self.config.num_labels == 1:
                raise ValueError("the loss needs more than one label, but num_labels is 1")
            ignored = self.config.semantic_loss_ignore_index
            loss = pixel_loss(logits, labels, ignored=ignored)
            if self.auxiliary_head is not None:
                auxiliary = pixel_loss(self.auxiliary_head(maps), labels, ignored=ignored)
                loss = loss + self.config.auxiliary_loss_weight * auxiliary
        kept = outputs.hidden_states if wants(HIDDEN_STATES) else None
        return SemanticSegmenterOutput(
            loss=loss, logits=logits, hidden_states=kept, attentions=outputs.attentions
        )


class BeitBackbone(SingleStageBackbone, BeitPreTrainedModel):
    """BEiT that returns the states of some layers as maps, with `add_fpn` as a pyramid of four sizes."""

    base_class = BeitModel
    base_options = {"add_pooling_layer": False, "add_norm": False}
    head_names = _PYRAMID

    def build_head(self, config: PretrainedConfig) -> None:
        self.pyramid = None
        if config.add_fpn:
            if len(config.out_indices) != 4:
                raise ConfigError(f"add_fpn needs four stages in out_indices, got {config.out_indices}")
            self.pyramid = nn.ModuleList(rescalers(config))

    def forward(self, pixel_values: Tensor, **inputs: Any) -> BackboneOutput:
        output = super().forward(pixel_values, **inputs)
        if self.pyramid is not None:
            pairs = zip(self.pyramid, output.feature_maps, strict=True)
            output.feature_maps = tuple(rescale(x) for rescale, x in pairs)
        return output
