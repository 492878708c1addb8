"""LXMERT: a text and the regions of an image, each read by layers of its own, then by layers across."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LM_HEAD
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.heads.language import LMTransform
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, CROSS_ATTENTIONS, HIDDEN_STATES, taken, wants
from zoo_multimodal.lxmert.config import LxmertConfig
from zoo_text.bert.model import BertLayer, Pooler, layer_parts


class LxmertPreTrainedModel(PreTrainedModel):
    """What all LXMERT classes share."""

    config_class = LxmertConfig
    base_model_prefix = "lxmert"
    ignored_names = ("*position_ids",)
    supports_gradient_checkpointing = False


class LxmertModelOutput(ModelOutput):
    """States of the text and of the regions, and the pooled state of both.

    States and weights are those after each layer; `cross_encoder_attentions` are the text's on the regions.
    """

    language_output: Tensor | None = None
    vision_output: Tensor | None = None
    pooled_output: Tensor | None = None
    language_hidden_states: tuple[Tensor, ...] | None = None
    vision_hidden_states: tuple[Tensor, ...] | None = None
    language_attentions: tuple[Tensor, ...] | None = None
    vision_attentions: tuple[Tensor, ...] | None = None
    cross_encoder_attentions: tuple[Tensor, ...] | None = None


class LxmertForQuestionAnsweringOutput(ModelOutput):
    """Scores (batch, num_qa_labels) of the answers."""

    loss: Tensor | None = None
    question_answering_score: Tensor | None = None
    language_hidden_states: tuple[Tensor, ...] | None = None
    vision_hidden_states: tuple[Tensor, ...] | None = None
    language_attentions: tuple[Tensor, ...] | None = None
    vision_attentions: tuple[Tensor, ...] | None = None
    cross_encoder_attentions: tuple[Tensor, ...] | None = None


class LxmertForPreTrainingOutput(ModelOutput):
    """Scores of each token, of whether text and image belong together (batch, 2), and of the answers."""

    loss: Tensor | None = None
    prediction_logits: Tensor | None = None
    cross_relationship_score: Tensor | None = None
    question_answering_score: Tensor | None = None
    language_hidden_states: tuple[Tensor, ...] | None = None
    vision_hidden_states: tuple[Tensor, ...] | None = None
    language_attentions: tuple[Tensor, ...] | None = None
    vision_attentions: tuple[Tensor, ...] | None = None
    cross_encoder_attentions: tuple[Tensor, ...] | None = None


class RegionEmbeddings(nn.Module):
    """The mean of a region's features and of its box, each mapped and normalised."""

    hub_names = {
        "features": "visn_fc",
        "features_norm": "visn_layer_norm",
        "box": "box_fc",
        "box_norm": "box_layer_norm",
    }

    def __init__(self, config: LxmertConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.features, self.box = (
            nn.Linear(config.visual_feat_dim, size),
            nn.Linear(config.visual_pos_dim, size),
        )
        self.features_norm, self.box_norm = nn.LayerNorm(size, eps=1e-12), nn.LayerNorm(size, eps=1e-12)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, features: Tensor, boxes: Tensor) -> Tensor:
        joined = self.features_norm(self.features(features)) + self.box_norm(self.box(boxes))
        return self.dropout(joined / 2)


def _side(ours: str, theirs: str) -> dict[str, str]:
    parts = {"q_proj": "self.query", "k_proj": "self.key", "v_proj": "self.value", "o_proj": "output.dense"}
    return {
        f"{ours}.self_attn": f"{theirs}_self_att",
        **{f"{ours}.self_attn.{a}": f"{theirs}_self_att.{b}" for a, b in parts.items()},
        f"{ours}.self_attn_layer_norm": f"{theirs}_self_att.output.LayerNorm",
        f"{ours}.mlp.fc1": f"{theirs}_inter.dense",
        f"{ours}.mlp.fc2": f"{theirs}_output.dense",
        f"{ours}.final_layer_norm": f"{theirs}_output.LayerNorm",
    }


class LxmertCrossLayer(nn.Module):
    """Each side attends to the other, through the same weights, and then runs a layer of its own."""

    hub_names = {
        "cross_attn": "visual_attention.att",
        "cross_attn.q_proj": "visual_attention.att.query",
        "cross_attn.k_proj": "visual_attention.att.key",
        "cross_attn.v_proj": "visual_attention.att.value",
        "cross_attn.o_proj": "visual_attention.output.dense",
        "cross_attn_layer_norm": "visual_attention.output.LayerNorm",
        **_side("language", "lang"),
        **_side("vision", "visn"),
    }

    def __init__(self, config: LxmertConfig) -> None:
        super().__init__()
        self.cross_attn = Attention(
            config.hidden_size,
            config.num_attention_heads,
            dropout=config.attention_probs_dropout_prob,
            cross=True,
        )
        self.cross_attn_layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.language, self.vision = (PostNormLayer(**layer_parts(config, 0)) for _ in range(2))
        self.dropout = Dropout(config.hidden_dropout_prob)

    def across(self, hidden: Tensor, source: Tensor, padding: Tensor | None) -> Tensor:
        """`hidden` after it has read `source`."""
        context = AttentionContext(hidden, encoder_states=source, encoder_padding=padding)
        return self.cross_attn_layer_norm(hidden + self.dropout(self.cross_attn(hidden, context)))

    def forward(
        self,
        text: Tensor,
        regions: Tensor,
        context: AttentionContext,
        region_context: AttentionContext,
        masks: tuple[Tensor | None, Tensor | None],
    ) -> tuple[Tensor, Tensor]:
        text, regions = self.across(text, regions, masks[1]), self.across(regions, text, masks[0])
        return self.language(text, context), self.vision(regions, region_context)


class LxmertModel(LxmertPreTrainedModel):
    """Embeddings, the layers of both sides, those across, and the pooler."""

    hub_names = {
        "embeddings.layer_norm": "embeddings.LayerNorm",
        "region_embeddings": "encoder.visn_fc",
        "layers": "encoder.layer",
        "region_layers": "encoder.r_layers",
        "cross_layers": "encoder.x_layers",
    }

    def __init__(self, config: LxmertConfig) -> None:
        super().__init__(config)
        self.embeddings = TextEmbeddings(
            config.vocab_size,
            config.hidden_size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=0,
            eps=1e-12,
            dropout=config.hidden_dropout_prob,
        )
        self.region_embeddings = RegionEmbeddings(config)
        layer = partial(BertLayer, config)
        self.layers = nn.ModuleList(layer(i) for i in range(config.l_layers))
        self.region_layers = nn.ModuleList(layer(i) for i in range(config.r_layers))
        self.cross_layers = nn.ModuleList(LxmertCrossLayer(config) for _ in range(config.x_layers))
        self.pooler = Pooler(config.hidden_size)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        visual_feats: Tensor | None = None,
        visual_pos: Tensor | None = None,
        attention_mask: Tensor | None = None,
        visual_attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> LxmertModelOutput:
        """A text (batch, sequence) and regions to the states of both, and the pooled state of the text.

        Args:
            visual_feats: (batch, regions, visual_feat_dim) features of a detector; visual_pos: (batch,
                regions, visual_pos_dim), the boxes from 0 to 1; visual_attention_mask: (batch, regions).
        """
        if visual_feats is None or visual_pos is None:
            raise ValueError(
                "pass visual_feats (batch, regions, features) and visual_pos (batch, regions, 4)"
            )
        text = self.embeddings(input_ids, inputs_embeds=inputs_embeds, token_type_ids=token_type_ids)
        regions = self.region_embeddings(visual_feats, visual_pos)
        if len(text) != len(regions):
            raise ValueError(f"{len(text)} texts came with regions of {len(regions)} images")
        context = AttentionContext(text, attention_mask)
        region_context = AttentionContext(regions, visual_attention_mask)
        read, seen = [], []
        for layer in self.layers:
            text = layer(text, context)
            read.append(text)
        for layer in self.region_layers:
            regions = layer(regions, region_context)
            seen.append(regions)
        masks = (attention_mask, visual_attention_mask)
        for layer in self.cross_layers:
            text, regions = layer(text, regions, context, region_context, masks)
            read.append(text)
            seen.append(regions)
        alone = len(self.layers)
        own, across = taken(ATTENTIONS), taken(CROSS_ATTENTIONS)
        return LxmertModelOutput(
            language_output=text,
            vision_output=regions,
            pooled_output=self.pooler(text),
            language_hidden_states=tuple(read) if wants(HIDDEN_STATES) else None,
            vision_hidden_states=tuple(seen) if wants(HIDDEN_STATES) else None,
            language_attentions=tuple(own[:alone]) or None,
            vision_attentions=tuple(own[alone : alone + len(self.region_layers)]) or None,
            cross_encoder_attentions=tuple(across[::2]) or None,
        )


class AnswerHead(nn.Sequential):
    """Two layers with a norm between, on the pooled state."""

    def __init__(self, config: LxmertConfig) -> None:
        size = config.hidden_size
        super().__init__(
            nn.Linear(size, size * 2),
            nn.GELU(),
            nn.LayerNorm(size * 2, eps=1e-12),
            nn.Linear(size * 2, config.num_qa_labels),
        )


class LxmertHead(Headed, LxmertPreTrainedModel):
    """What the heads share: answers, whose number may change."""

    base_class = LxmertModel
    answer_head: nn.Module | None

    def get_qa_logit_layer(self) -> nn.Module | None:
        """The layer that scores the answers; None without the head."""
        return self.answer_head[-1] if isinstance(self.answer_head, AnswerHead) else None

    def resize_num_qa_labels(self, num_labels: int) -> nn.Module | None:
        """Make `num_labels` answers of those there are; new ones begin at random. Returns their layer."""
        old = self.get_qa_logit_layer()
        if not isinstance(old, nn.Linear) or num_labels == old.out_features:
            return old
        new = nn.Linear(old.in_features, num_labels, device=old.weight.device, dtype=old.weight.dtype)
        self._init_weights(new)
        kept = min(num_labels, old.out_features)
        new.weight.data[:kept], new.bias.data[:kept] = old.weight.data[:kept], old.bias.data[:kept]
        assert isinstance(self.answer_head, AnswerHead)
        self.answer_head[-1] = new
        self.config.num_qa_labels = num_labels
        return new


class LxmertForQuestionAnswering(LxmertHead):
    """LXMERT with scores of the answers."""

    head_names = {"answer_head": "answer_head.logit_fc"}

    def build_head(self, config: PretrainedConfig) -> None:
        self.answer_head = AnswerHead(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *args: Tensor | None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> LxmertForQuestionAnsweringOutput:
        """Inputs as the base's; labels (batch,) are answers."""
        outputs = self.model(input_ids, *args, **inputs)
        score = self.answer_head(outputs.pooled_output)
        loss = None if labels is None else token_loss(score, labels)
        return LxmertForQuestionAnsweringOutput.carry(outputs, loss=loss, question_answering_score=score)


class RegionHead(nn.Module):
    """Class, attribute and features of each region, as far as they are asked for."""

    hub_names = {"layer_norm": "transform.LayerNorm", "dense": "transform.dense", "decoders": "decoder_dict"}

    def __init__(self, config: LxmertConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.dense, self.layer_norm = nn.Linear(size, size), nn.LayerNorm(size, eps=1e-12)
        self.act = activation(config.hidden_act)
        widths = {
            "obj": config.num_object_labels * config.visual_obj_loss,
            "attr": config.num_attr_labels * config.visual_attr_loss,
            "feat": config.visual_feat_dim * config.visual_feat_loss,
        }
        self.decoders = nn.ModuleDict({k: nn.Linear(size, width) for k, width in widths.items() if width})

    def forward(self, hidden: Tensor) -> dict[str, Tensor]:
        hidden = self.layer_norm(self.act(self.dense(hidden)))
        return {name: decoder(hidden) for name, decoder in self.decoders.items()}


class LxmertForPreTraining(LxmertHead):
    """LXMERT with the heads of its pre-training."""

    head_names = {
        **BERT_LM_HEAD,
        "seq_relationship": "cls.seq_relationship",
        "answer_head": "answer_head.logit_fc",
        "region_head": "obj_predict_head",
    }
    tied_weights = {"lm_head.decoder.weight": "model.embeddings.word_embeddings.weight"}

    def build_head(self, config: PretrainedConfig) -> None:
        size = config.hidden_size
        self.lm_head = LMTransform(size, config.vocab_size, act=config.hidden_act, eps=1e-12)
        self.seq_relationship = nn.Linear(size, 2)
        self.region_head = RegionHead(config) if config.task_obj_predict else None
        self.answer_head = AnswerHead(config) if config.task_qa else None

    def forward(
        self,
        input_ids: Tensor | None = None,
        *args: Tensor | None,
        labels: Tensor | None = None,
        obj_labels: Mapping[str, tuple[Tensor, Tensor]] | None = None,
        matched_label: Tensor | None = None,
        ans: Tensor | None = None,
        **inputs: Any,
    ) -> LxmertForPreTrainingOutput:
        """Inputs as the base's; the loss is the sum over what labels are given for.

        Args:
            labels: (batch, sequence) of hidden tokens. matched_label: (batch,), 1 where the image belongs.
            obj_labels: for "obj", "attr" and "feat" the labels of regions and how sure they are, (batch,
                regions); of "feat" (batch, regions, visual_feat_dim).
            ans: (batch,) answers.
        """
        outputs = self.model(input_ids, *args, **inputs)
        predictions, relation = (
            self.lm_head(outputs.language_output),
            self.seq_relationship(outputs.pooled_output),
        )
        pooled = outputs.pooled_output
        answers = pooled[0][0] if self.answer_head is None else self.answer_head(pooled)
        losses = []
        if labels is not None and self.config.task_mask_lm:
            losses.append(token_loss(predictions, labels))
        if matched_label is not None and self.config.task_matched:
            losses.append(token_loss(relation, matched_label))
        if obj_labels is not None and self.region_head is not None:
            losses.append(self.region_loss(self.region_head(outputs.vision_output), obj_labels))
        if ans is not None and self.answer_head is not None:
            losses.append(token_loss(answers, ans))
        given = [value is not None for value in (labels, matched_label, obj_labels, ans)]
        return LxmertForPreTrainingOutput.carry(
            outputs,
            loss=sum(losses, predictions.new_zeros(())) if any(given) else None,
            prediction_logits=predictions,
            cross_relationship_score=relation,
            question_answering_score=answers,
        )

    def region_loss(self, found: dict[str, Tensor], wanted: Mapping[str, tuple[Tensor, Tensor]]) -> Tensor:
        """The sum of the losses of regions' classes, attributes and features, weighted by confidence."""
        losses = []
        for name, scores in found.items():
            goal, confidence = (value.to(scores.device) for value in wanted[name])
            flat = scores.float().flatten(0, -2)
            if name == "feat":
                each = F.smooth_l1_loss(flat, goal.float().flatten(0, -2), reduction="none").mean(1)
            else:
                each = F.cross_entropy(flat, goal.flatten(), reduction="none")
            losses.append((each * confidence.flatten()).mean() * self.config.visual_loss_normalizer)
        return sum(losses, scores.new_zeros(()))
