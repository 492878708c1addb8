"""OneFormer: one segmenter for three tasks, told in words which one is asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import stacked_attention
from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.backbone import build_backbone
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, CROSS_ATTENTIONS, HIDDEN_STATES, taken, unrecorded, wants
from zoo_multimodal.oneformer.config import OneFormerConfig
from zoo_multimodal.oneformer.text import TextMapper
from zoo_vision.losses.masks import PointMaskSetLoss, Prediction
from zoo_vision.mask2former.model import Mask2FormerPreTrainedModel, MaskedLayer, MaskedQueryDecoder
from zoo_vision.mask2former.pixel_decoder import DeformablePixelDecoder, map_places
from zoo_vision.maskformer.head import MaskHead


class OneFormerModelOutput(ModelOutput):
    """Maps, states of the queries (batch, queries, hidden) and their predictions.

    `transformer_decoder_object_queries` are the last states, `transformer_decoder_contrastive_queries` the
    first, which `text_queries` are compared with. `attentions` holds for each layer the weights among the
    queries, by head, and those of the pixels, their mean over the heads.
    """

    encoder_hidden_states: tuple[Tensor, ...] | None = None
    pixel_decoder_hidden_states: tuple[Tensor, ...] | None = None
    transformer_decoder_hidden_states: tuple[Prediction, ...] | None = None
    transformer_decoder_object_queries: Tensor
    transformer_decoder_contrastive_queries: Tensor
    transformer_decoder_mask_predictions: Tensor
    transformer_decoder_class_predictions: Tensor
    transformer_decoder_auxiliary_predictions: tuple[Prediction, ...] | None = None
    text_queries: Tensor | None = None
    task_token: Tensor
    attentions: tuple[tuple[Tensor, Tensor], ...] | None = None


class OneFormerForUniversalSegmentationOutput(OneFormerModelOutput, own_first=True):
    """`class_queries_logits` (batch, queries, labels + 1), `masks_queries_logits` (batch, queries, h, w)."""

    loss: Tensor | None = None
    class_queries_logits: Tensor
    masks_queries_logits: Tensor
    auxiliary_predictions: tuple[Prediction, ...] | None = None


class OneFormerPreTrainedModel(Mask2FormerPreTrainedModel):
    """What all OneFormer classes share."""

    config_class = OneFormerConfig

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, TextMapper):
            nn.init.normal_(module.positions, std=0.01)
        elif isinstance(module, OneFormerLoss):
            nn.init.constant_(module.logit_scale, -math.log(self.config.contrastive_temperature))


class OneFormerLayer(MaskedLayer):
    """Mask2Former's layer in other words."""

    hub_names: HubNames = {
        **stacked_attention("cross_attn", "cross_attn.multihead_attn"),
        "self_attn": "self_attn.self_attn",
        "self_attn.o_proj": "self_attn.self_attn.out_proj",
        "cross_attn_layer_norm": "cross_attn.norm",
        "self_attn_layer_norm": "self_attn.norm",
        "final_layer_norm": "ffn.norm",
        "mlp.fc1": "ffn.linear1",
        "mlp.fc2": "ffn.linear2",
    }


class TaskQueryLayer(MaskedLayer):
    """Attention among queries, then to the pixels, then a feed-forward block."""

    order = ("self_attn", "cross_attn")
    hub_names: HubNames = {
        **stacked_attention("self_attn"),
        **stacked_attention("cross_attn", "multihead_attn"),
        "mlp.fc1": "linear1",
        "mlp.fc2": "linear2",
        "self_attn_layer_norm": "norm1",
        "cross_attn_layer_norm": "norm2",
        "final_layer_norm": "norm3",
    }


class TaskQueryDecoder(MaskedQueryDecoder):
    """Mask2Former's decoder, over queries that start from the task and the image."""

    layer_class = OneFormerLayer
    hub_names: HubNames = {
        "layers": "decoder.layers",
        "norm": "decoder.decoder_norm",
        "mask_embedder": "decoder.mask_embed.layers",
        "class_embed": "decoder.class_embed",
        "query_projection": "decoder.query_input_projection",
        "query_layers": "decoder.query_transformer.decoder.layers",
        "query_norm": "decoder.query_transformer.decoder.norm",
    }

    def __init__(self, config: OneFormerConfig) -> None:
        super().__init__(config, "relu")
        size = config.hidden_dim
        self.use_task_norm = config.use_task_norm
        self.query_projection = nn.Conv2d(config.conv_dim, size, 1)
        self.query_layers = nn.ModuleList(
            TaskQueryLayer(config, "relu", dropout=config.dropout) for _ in range(config.query_dec_layers)
        )
        self.query_norm = nn.LayerNorm(size)
        self.class_embed = nn.Linear(size, config.num_labels + 1)

    def first_states(self, fine: Tensor, task: Tensor) -> Tensor:
        """(batch, queries, hidden), the task's the last, of the finest map and the task (batch, hidden)."""
        places = self.queries_embedder.weight[:-1]
        task = (self.norm(task) if self.use_task_norm else task)[:, None]
        x = task.expand(-1, len(places), -1)
        x = x if self.use_task_norm else torch.zeros_like(x)
        # As released, the places are what is attended to, and the pixels what is added to find them.
        pixels = self.query_projection(fine).flatten(2).transpose(1, 2)
        context = AttentionContext(x, encoder_states=map_places(fine).expand_as(pixels))
        for layer in self.query_layers:
            x = layer(x, context, queries=places, places=pixels)
        return torch.cat((self.query_norm(x), task), dim=1)


class OneFormerModel(OneFormerPreTrainedModel):
    """Backbone, pixel decoder, and a query decoder that is told the task."""

    hub_names: HubNames = {
        "encoder": "pixel_level_module.encoder",
        "pixel_decoder": "pixel_level_module.decoder",
        "query_decoder": "transformer_module",
        "task_encoder": "task_encoder.task_mlp.layers",
    }

    def __init__(self, config: OneFormerConfig) -> None:
        super().__init__(config)
        size = config.hidden_dim
        self.encoder = build_backbone(config)
        self.pixel_decoder = DeformablePixelDecoder(self.encoder.channels, config)
        self.query_decoder = TaskQueryDecoder(config)
        self.task_encoder = MaskHead(size, size, start=config.task_seq_len, depth=2)
        self.text_mapper = TextMapper(config) if config.is_training else None
        for name, part in self.named_modules():
            if isinstance(part, nn.LayerNorm) and not name.startswith("encoder."):
                part.eps = config.layer_norm_eps
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        task_inputs: Tensor,
        text_inputs: Tensor | None = None,
        pixel_mask: Tensor | None = None,
    ) -> OneFormerModelOutput:
        """Images (batch, channels, height, width) to maps, and to states, classes and masks of the queries.

        Args:
            task_inputs: (batch, `task_seq_len`), the tokens of "the task is panoptic" and its like.
            text_inputs: (batch, texts, tokens), for training.
            pixel_mask: taken for the sake of processors that make one; OneFormer does not use it.
        """
        if task_inputs.shape != (len(pixel_values), self.config.task_seq_len):
            raise ValueError(
                f"task_inputs are {tuple(task_inputs.shape)}, but must be (images, task_seq_len), "
                f"{(len(pixel_values), self.config.task_seq_len)}"
            )
        maps = self.encoder(pixel_values, output_hidden_states=False, output_attentions=False).feature_maps
        task = self.task_encoder(task_inputs.to(self.dtype))
        with unrecorded():
            fine, coarse = self.pixel_decoder(maps)
            start = self.query_decoder.first_states(fine, task)
            texts = self.text_queries(text_inputs)
        states, normed, masks = self.query_decoder(coarse, fine, start)
        classes = [self.query_decoder.class_embed(x) for x in normed]
        *earlier, (named, mask) = zip(classes, masks, strict=True)
        auxiliary = tuple({"class_queries_logits": c, "masks_queries_logits": m} for c, m in earlier)
        output = OneFormerModelOutput(
            transformer_decoder_object_queries=states[-1],
            transformer_decoder_contrastive_queries=start,
            transformer_decoder_mask_predictions=mask,
            transformer_decoder_class_predictions=named,
            transformer_decoder_auxiliary_predictions=auxiliary if self.config.use_auxiliary_loss else None,
            text_queries=texts,
            task_token=task,
        )
        if wants(HIDDEN_STATES):
            output.encoder_hidden_states = maps
            output.pixel_decoder_hidden_states = (fine, *coarse)
            output.transformer_decoder_hidden_states = auxiliary
        if wants(ATTENTIONS):
            pairs = zip(taken(ATTENTIONS), taken(CROSS_ATTENTIONS), strict=True)
            output.attentions = tuple((own, across.mean(1)) for own, across in pairs)
        return output

    def text_queries(self, texts: Tensor | None) -> Tensor | None:
        """What the texts (batch, texts, tokens) say, where the model was made for training."""
        return None if self.text_mapper is None or texts is None else self.text_mapper(texts)


class OneFormerLoss(PointMaskSetLoss):
    """Mask2Former's loss, and how well queries and texts of the same image find each other in the batch."""

    def __init__(self, config: OneFormerConfig) -> None:
        weights = {
            "loss_cross_entropy": config.class_weight,
            "loss_mask": config.mask_weight,
            "loss_dice": config.dice_weight,
        }
        super().__init__(
            config.num_labels,
            weights,
            no_object_weight=config.no_object_weight,
            class_cost=config.class_weight,
            points=config.train_num_points,
            oversample=config.oversample_ratio,
            important=config.importance_sample_ratio,
        )
        self.contrastive_weight = config.contrastive_weight
        self.logit_scale = nn.Parameter(torch.tensor(-math.log(config.contrastive_temperature)))

    def contrast(self, queries: Tensor, texts: Tensor) -> Tensor:
        """The weighted loss of states and texts, both (batch, queries, hidden)."""
        alike = F.normalize(queries.float().flatten(1), dim=-1) @ F.normalize(texts.flatten(1), dim=-1).T
        logits = alike * self.logit_scale.exp().clamp(max=100)
        own = torch.arange(len(queries), device=queries.device)
        return self.contrastive_weight * (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own))


class OneFormerForUniversalSegmentation(OneFormerPreTrainedModel):
    """OneFormer with the class and the mask of each query, and a loss."""

    ignored_names = ("criterion.empty_weight",)

    def __init__(self, config: OneFormerConfig) -> None:
        super().__init__(config)
        self.model = OneFormerModel(config)
        self.criterion = OneFormerLoss(config)
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        task_inputs: Tensor,
        text_inputs: Tensor | None = None,
        mask_labels: Sequence[Tensor] | None = None,
        class_labels: Sequence[Tensor] | None = None,
        pixel_mask: Tensor | None = None,
        *,
        output_auxiliary_logits: bool | None = None,
    ) -> OneFormerForUniversalSegmentationOutput:
        """Class scores and masks, of a quarter of the image's size, of all queries.

        Args:
            task_inputs, text_inputs: see OneFormerModel.
            mask_labels: for each image (objects, height, width) of 0 and 1. class_labels: (objects,).
            output_auxiliary_logits: return the predictions before the last; by default as the config says.
        """
        keeps = self.config.use_auxiliary_loss or wants(HIDDEN_STATES)
        outputs = self.model(pixel_values, task_inputs, text_inputs, pixel_mask, output_hidden_states=keeps)
        found = {
            "class_queries_logits": outputs.transformer_decoder_class_predictions,
            "masks_queries_logits": outputs.transformer_decoder_mask_predictions,
        }
        auxiliary = outputs.transformer_decoder_auxiliary_predictions
        loss = None
        if mask_labels is not None and class_labels is not None:
            if outputs.text_queries is None:
                raise ValueError(
                    "the loss needs text_inputs, and a model that reads them: load it with is_training=True"
                )
            losses = self.criterion(found, mask_labels, class_labels, auxiliary or ())
            queries = outputs.transformer_decoder_contrastive_queries
            losses["loss_contrastive"] = self.criterion.contrast(queries, outputs.text_queries)
            loss = torch.stack(list(losses.values())).sum()[None]
        if output_auxiliary_logits is None:
            output_auxiliary_logits = self.config.output_auxiliary_logits
        return OneFormerForUniversalSegmentationOutput.carry(
            outputs, loss=loss, auxiliary_predictions=auxiliary if output_auxiliary_logits else None, **found
        )
