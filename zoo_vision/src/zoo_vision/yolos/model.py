"""YOLOS: a ViT whose further tokens each answer with a box and a class."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions
from zoo_core.nn.stack import run_layers
from zoo_vision.detr.model import BoxHead
from zoo_vision.losses.detr import detr_loss
from zoo_vision.vit.model import ViTLayer, ViTPooler
from zoo_vision.yolos.config import YolosConfig

Grid = tuple[int, int]


class YolosObjectDetectionOutput(ModelOutput):
    """`logits` (batch, tokens, labels + 1), the last being "no object"; `pred_boxes` (batch, tokens, 4)."""

    loss: Tensor | None = None
    loss_dict: dict[str, Tensor] | None = None
    logits: Tensor
    pred_boxes: Tensor
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class YolosPreTrainedModel(PreTrainedModel):
    """What all YOLOS classes share."""

    config_class = YolosConfig
    base_model_prefix = "vit"
    main_input_name = "pixel_values"


def stretched(table: Tensor, old: Grid, new: Grid, detection: int) -> Tensor:
    """Positions (1, 1 + patches + detection, hidden) of another grid of patches."""
    image, tokens = table[:, : table.shape[1] - detection], table[:, table.shape[1] - detection :]
    return torch.cat((interpolate_positions(image, old, new), tokens), dim=1)


class YolosEmbeddings(nn.Module):
    """A class token, patches and detection tokens, with learned positions that fit any image."""

    def __init__(self, config: YolosConfig) -> None:
        super().__init__()
        size, tokens = config.hidden_size, config.num_detection_tokens
        self.patch_embeddings = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size
        )
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.detection_tokens = nn.Parameter(torch.zeros(1, tokens, size))
        rows = 1 + self.patch_embeddings.num_patches + tokens
        self.position_embeddings = nn.Parameter(torch.zeros(1, rows, size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def fitted(self, table: Tensor, pixel_values: Tensor) -> Tensor:
        """Positions (1, 1 + patches + detection, hidden) for images (batch, channels, height, width)."""
        rows, columns = self.patch_embeddings.patch_size
        grid = (pixel_values.shape[-2] // rows, pixel_values.shape[-1] // columns)
        return stretched(table, self.patch_embeddings.grid, grid, self.detection_tokens.shape[1])

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to (batch, 1 + patches + detection, hidden)."""
        patches = self.patch_embeddings(pixel_values, any_size=True)
        first, last = (x.expand(len(patches), -1, -1) for x in (self.cls_token, self.detection_tokens))
        hidden = torch.cat((first, patches, last), dim=1)
        return self.dropout(hidden + self.fitted(self.position_embeddings, pixel_values))


class YolosLayer(ViTLayer):
    """ViT's layer, before which positions may be added again."""

    def forward(  # type: ignore[override]
        self, hidden: Tensor, context: AttentionContext, *, middle: Tensor | None, **options: Any
    ) -> Tensor:
        return super().forward(hidden if middle is None else hidden + middle, context, **options)


class YolosModel(YolosPreTrainedModel):
    """Embeddings, layers with positions of their own between them, a final norm, and the pooler."""

    hub_names: HubNames = {**VIT, "mid_position_embeddings": "encoder.mid_position_embeddings"}
    mid_position_embeddings: nn.Parameter | None

    def __init__(self, config: YolosConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = YolosEmbeddings(config)
        self.layers = nn.ModuleList(YolosLayer(config) for _ in range(config.num_hidden_layers))
        self.mid_position_embeddings = None
        if config.use_mid_position_embeddings:
            shape = self.embeddings.position_embeddings.shape
            self.mid_position_embeddings = nn.Parameter(torch.zeros(config.num_hidden_layers - 1, *shape))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.pooler = ViTPooler(config) if add_pooling_layer else None  # type: ignore[arg-type]
        self.post_init()

    def forward(self, pixel_values: Tensor, *, head_mask: Tensor | None = None) -> BaseModelOutputWithPooling:
        """Images of any size to states (batch, tokens, hidden) and pooled (batch, hidden)."""
        hidden = self.embeddings(pixel_values)
        middle: list[Tensor | None] = [None] * len(self.layers)
        if self.mid_position_embeddings is not None:
            middle[1:] = [
                self.embeddings.fitted(table, pixel_values) for table in self.mid_position_embeddings
            ]
        hidden = run_layers(
            self.layers, hidden, AttentionContext(hidden), head_mask=head_mask, per_layer={"middle": middle}
        )
        hidden = self.norm(hidden)
        pooled = None if self.pooler is None else self.pooler(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings


class YolosForObjectDetection(Headed, YolosPreTrainedModel):
    """YOLOS with a class and a box for each detection token."""

    base_class = YolosModel
    base_options = {"add_pooling_layer": False}

    def build_head(self, config: PretrainedConfig) -> None:
        size = config.hidden_size
        self.class_labels_classifier = BoxHead(size, size, config.num_labels + 1, 3)
        self.bbox_predictor = BoxHead(size, size, 4, 3)

    def forward(
        self, pixel_values: Tensor, *, labels: list[dict[str, Tensor]] | None = None
    ) -> YolosObjectDetectionOutput:
        """See `YolosModel`; `labels` has each image's `class_labels` (objects,) and `boxes` (objects, 4)."""
        outputs = self.model(pixel_values)
        tokens = outputs.last_hidden_state[:, -self.config.num_detection_tokens :]
        found = {
            "logits": self.class_labels_classifier(tokens),
            "pred_boxes": self.bbox_predictor(tokens).sigmoid(),
        }
        loss, parts = (None, None) if labels is None else detr_loss(found, labels, self.config)
        return YolosObjectDetectionOutput.carry(outputs, loss=loss, loss_dict=parts, **found)
