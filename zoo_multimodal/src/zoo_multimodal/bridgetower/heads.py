"""Heads of BridgeTower."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.heads.language import LMTransform
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.outputs import MaskedLMOutput, SequenceClassifierOutput
from zoo_multimodal.bridgetower.model import (
    BridgeTowerContrastiveOutput,
    BridgeTowerModel,
    BridgeTowerPreTrainedModel,
)


class BridgeTowerHead(Headed, BridgeTowerPreTrainedModel):
    """What the heads share."""

    base_class = BridgeTowerModel


class BridgeTowerForMaskedLM(BridgeTowerHead):
    """Scores of the text's tokens."""

    head_names = {
        "lm_head.dense": "mlm_score.transform.dense",
        "lm_head.layer_norm": "mlm_score.transform.LayerNorm",
        "lm_head.decoder": "mlm_score.decoder",
        "lm_head.decoder.bias": "mlm_score.bias",
    }
    tied_weights = {"lm_head.decoder.weight": "model.text_model.embeddings.word_embeddings.weight"}

    def build_head(self, config: PretrainedConfig) -> None:
        text = config.text_config
        self.lm_head = LMTransform(
            config.hidden_size, text.vocab_size, act=config.hidden_act, eps=config.layer_norm_eps
        )

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> MaskedLMOutput:
        """Logits (batch, sequence, vocab_size); labels (batch, sequence)."""
        outputs = self.model(input_ids, **inputs)
        logits = self.lm_head(outputs.text_features)
        loss = None if labels is None else token_loss(logits, labels)
        return MaskedLMOutput.carry(outputs, loss=loss, logits=logits)


class BridgeTowerForImageAndTextRetrieval(BridgeTowerHead):
    """Whether text and image belong together, (batch, 2): no, yes."""

    head_names = {"itm_score": "itm_score.fc"}

    def build_head(self, config: PretrainedConfig) -> None:
        self.itm_score = nn.Linear(config.hidden_size * 2, 2)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> SequenceClassifierOutput:
        """Logits (batch, 2); labels (batch,)."""
        outputs = self.model(input_ids, **inputs)
        logits = self.itm_score(outputs.pooler_output)
        loss = None if labels is None else token_loss(logits, labels)
        return SequenceClassifierOutput.carry(outputs, loss=loss, logits=logits)


class BridgeTowerForContrastiveLearning(BridgeTowerHead):
    """Texts, images and pairs of both in one space."""

    head_names = {name: f"{name}.fc" for name in ("itc_text_head", "itc_image_head", "itc_cross_modal_head")}

    def build_head(self, config: PretrainedConfig) -> None:
        size, width = config.hidden_size, getattr(config, "contrastive_hidden_size", 512)
        self.itc_text_head = nn.Linear(size, width)
        self.itc_image_head = nn.Linear(size, width)
        self.itc_cross_modal_head = nn.Linear(size * 2, width)
        self.logit_scale = nn.Parameter(torch.tensor(getattr(config, "logit_scale_init_value", 2.6592)))

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        output_hidden_states: bool | None = True,
        return_loss: bool | None = None,
        **inputs: Any,
    ) -> BridgeTowerContrastiveOutput:
        """`return_loss` takes pair i to be text i and image i."""
        model: Any = self.model
        outputs = model(input_ids, output_hidden_states=True, **inputs)
        texts, images, _ = outputs.hidden_states
        text = self.itc_text_head(texts[-1][:, 0])
        image = self.itc_image_head(model.image_side(images[-1].transpose(0, 1))[:, 0])
        pairs = self.itc_cross_modal_head(outputs.pooler_output)
        text, image, pairs = (F.normalize(x, dim=-1) for x in (text, image, pairs))
        loss = None
        if return_loss:
            scale = self.logit_scale.exp()
            goal = torch.arange(len(text), device=text.device)
            products = (text @ image.t(), text @ pairs.t(), image @ pairs.t())
            loss = sum(F.cross_entropy(p * scale, goal) for p in products) / len(products)
        return BridgeTowerContrastiveOutput(
            loss=loss,
            logits=torch.stack((text, image, pairs), dim=-2),
            text_embeds=text,
            image_embeds=image,
            cross_embeds=pairs,
            hidden_states=outputs.hidden_states if output_hidden_states else None,
            attentions=outputs.attentions,
        )
