"""ViLT: a pre-norm encoder over the tokens of a text and the patches of its image."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed, classifier_dropout
from zoo_core.heads.language import LMTransform
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPooling,
    MaskedLMOutput,
    ModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_multimodal.vilt.config import ViltConfig
from zoo_multimodal.vilt.embeddings import ViltEmbeddings
from zoo_text.bert.model import Pooler
from zoo_vision.vit.model import ViTLayer


class ViltPreTrainedModel(PreTrainedModel):
    """What all ViLT classes share."""

    config_class = ViltConfig
    base_model_prefix = "vilt"
    ignored_names = ("*position_ids",)


class ViltModel(ViltPreTrainedModel):
    """Embeddings, layers, a norm, and unless switched off the pooler."""

    hub_names = VIT

    def __init__(self, config: ViltConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.embeddings = ViltEmbeddings(config)
        self.layers = nn.ModuleList(ViTLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.pooler = Pooler(config.hidden_size) if add_pooling_layer else None
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.text_embeddings.word_embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.embeddings.text_embeddings.word_embeddings = value  # type: ignore[assignment]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        pixel_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        image_embeds: Tensor | None = None,
        image_token_type_idx: int = 1,
    ) -> BaseModelOutputWithPooling:
        """A text (batch, sequence) and its image to states (batch, sequence + patches, hidden), and pooled.

        Args:
            pixel_values: (batch, channels, height, width), padded to one size.
            pixel_mask: (batch, height, width), 0 for padding. Patches come in random order, and where
                there are more than `config.max_image_length`, a random choice of them.
            image_embeds: (batch, patches, hidden) instead of pixels, with `pixel_mask` (batch, patches).
            image_token_type_idx: which modality the image is; 0 is the text.
        """
        if (pixel_values is None) == (image_embeds is None):
            raise ValueError("pass exactly one of pixel_values and image_embeds")
        hidden, seen = self.embeddings(
            input_ids,
            attention_mask,
            token_type_ids,
            pixel_values,
            pixel_mask,
            inputs_embeds=inputs_embeds,
            image_embeds=image_embeds,
            image_type=image_token_type_idx,
        )
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden, seen), head_mask=head_mask)
        hidden = self.norm(hidden)
        pooled = None if self.pooler is None else self.pooler(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


def text_states(outputs: ModelOutput, inputs: dict[str, Any]) -> Tensor:
    """The states (batch, sequence, hidden) of the text, which come first."""
    text = inputs.get("input_ids") if inputs.get("inputs_embeds") is None else inputs["inputs_embeds"]
    assert text is not None
    return outputs.last_hidden_state[:, : text.shape[1]]


class ViltHead(Headed, ViltPreTrainedModel):
    """What the heads share."""

    base_class = ViltModel


class ViltForMaskedLM(ViltHead):
    """Scores of the text's tokens."""

    head_names = {
        "lm_head.dense": "mlm_score.transform.dense",
        "lm_head.layer_norm": "mlm_score.transform.LayerNorm",
        "lm_head.decoder": "mlm_score.decoder",
        "lm_head.decoder.bias": "mlm_score.bias",
    }
    tied_weights = {"lm_head.decoder.weight": "model.embeddings.text_embeddings.word_embeddings.weight"}

    def build_head(self, config: PretrainedConfig) -> None:
        act, eps = config.hidden_act, config.layer_norm_eps
        self.lm_head = LMTransform(config.hidden_size, config.vocab_size, act=act, eps=eps)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> MaskedLMOutput:
        """Logits (batch, sequence, vocab_size); labels (batch, sequence)."""
        outputs = self.model(input_ids, **inputs)
        logits = self.lm_head(text_states(outputs, {"input_ids": input_ids, **inputs}))
        loss = None if labels is None else token_loss(logits, labels)
        return MaskedLMOutput.carry(outputs, loss=loss, logits=logits)


class ViltForTokenClassification(ViltHead):
    """Labels of the text's tokens."""

    base_options = {"add_pooling_layer": False}

    def build_head(self, config: PretrainedConfig) -> None:
        self.dropout = classifier_dropout(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> TokenClassifierOutput:
        """Logits (batch, sequence, num_labels); labels (batch, sequence)."""
        outputs = self.model(input_ids, **inputs)
        text = text_states(outputs, {"input_ids": input_ids, **inputs})
        logits = self.classifier(self.dropout(text))
        loss = None if labels is None else token_loss(logits, labels)
        return TokenClassifierOutput.carry(outputs, loss=loss, logits=logits)


def classifier(size: int, inner_size: int, num_labels: int) -> nn.Sequential:
    """Two layers with a norm between."""
    return nn.Sequential(
        nn.Linear(size, inner_size), nn.LayerNorm(inner_size), nn.GELU(), nn.Linear(inner_size, num_labels)
    )


class ViltForQuestionAnswering(ViltHead):
    """Scores (batch, num_labels) of the answers to a question about an image."""

    def build_head(self, config: PretrainedConfig) -> None:
        self.classifier = classifier(config.hidden_size, config.hidden_size * 2, config.num_labels)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> SequenceClassifierOutput:
        """`labels` (batch, num_labels): how right each answer is, 0 to 1."""
        outputs = self.model(input_ids, **inputs)
        logits = self.classifier(outputs.pooler_output)
        loss = None
        if labels is not None:
            target = labels.to(logits.device).float()
            loss = F.binary_cross_entropy_with_logits(logits.float(), target) * labels.shape[1]
        return SequenceClassifierOutput.carry(outputs, loss=loss, logits=logits)


class ViltForImageAndTextRetrieval(ViltHead):
    """How well a text fits an image, (batch, 1); for inference."""

    def build_head(self, config: PretrainedConfig) -> None:
        self.rank_output = nn.Linear(config.hidden_size, 1)

    def forward(self, input_ids: Tensor | None = None, **inputs: Any) -> SequenceClassifierOutput:
        outputs = self.model(input_ids, **inputs)
        return SequenceClassifierOutput.carry(outputs, logits=self.rank_output(outputs.pooler_output))


class ViltForImagesAndTextClassificationOutput(ModelOutput):
    """Logits (batch, num_labels); states and weights of each image's run in a tuple of their own."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    hidden_states: tuple[tuple[Tensor, ...], ...] | None = None
    attentions: tuple[tuple[Tensor, ...], ...] | None = None


class ViltForImagesAndTextClassification(ViltHead):
    """A classifier on a text read with each of `config.num_images` images (NLVR2)."""

    def build_head(self, config: PretrainedConfig) -> None:
        width = config.hidden_size * config.num_images
        self.classifier = classifier(width, width, config.num_labels)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        pixel_values: Tensor | None = None,
        pixel_mask: Tensor | None = None,
        image_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ViltForImagesAndTextClassificationOutput:
        """Images (batch, images, channels, height, width) of texts (batch, sequence); labels (batch,).

        `pixel_mask` (batch, images, height, width) and `image_embeds` (batch, images, patches, hidden)
        likewise; without the dimension of images there is one.
        """
        pictures = [one(pixel_values, 5), one(pixel_mask, 4), one(image_embeds, 4)]
        count = next((len(given) for given in (pictures[0], pictures[2]) if given), 0)
        if count != self.config.num_images:
            raise ValueError(
                f"{count} images came with each text, but config.num_images is {self.config.num_images}; "
                "pass pixel_values (batch, images, channels, height, width)"
            )
        runs = [
            self.model(
                input_ids,
                **dict(zip(("pixel_values", "pixel_mask", "image_embeds"), image, strict=True)),
                image_token_type_idx=place + 1,
                **inputs,
            )
            for place, image in enumerate(zip(*(given or [None] * count for given in pictures), strict=True))
        ]
        logits = self.classifier(torch.cat([run.pooler_output for run in runs], dim=-1))
        collected = {
            name: tuple(run[name] for run in runs)
            for name in ("hidden_states", "attentions")
            if name in runs[0]
        }
        loss = None if labels is None else token_loss(logits, labels)
        return ViltForImagesAndTextClassificationOutput(loss=loss, logits=logits, **collected)


def one(values: Tensor | None, dimensions: int) -> list[Tensor]:
    """The parts of each image, of a tensor (batch, images, ...) of so many dimensions or one less."""
    if values is None:
        return []
    return list((values if values.dim() == dimensions else values[:, None]).unbind(1))
