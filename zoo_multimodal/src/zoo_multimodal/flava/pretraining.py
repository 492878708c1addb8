"""The objectives of FLAVA's pre-training."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.base import Headed
from zoo_core.heads.language import LMTransform
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_multimodal.flava.codebook import FlavaImageCodebook
from zoo_multimodal.flava.config import FlavaConfig
from zoo_multimodal.flava.model import FlavaModel, FlavaPreTrainedModel
from zoo_text.bert.model import Pooler

HIGHEST_SCALE = 4.6052
"""Of the logits of image and text: log(100)."""


class FlavaLosses(ModelOutput):
    """One loss for each objective, weighted."""

    mim: Tensor | None = None
    mlm: Tensor | None = None
    itm: Tensor | None = None
    global_contrastive: Tensor | None = None
    mmm_image: Tensor | None = None
    mmm_text: Tensor | None = None


class FlavaForPreTrainingOutput(ModelOutput):
    """What the model says of the inputs, and of the masked inputs, and the scores of each objective."""

    loss: Tensor | None = None
    loss_info: FlavaLosses | None = None
    image_embeddings: Tensor | None = None
    image_output: BaseModelOutputWithPooling | None = None
    text_embeddings: Tensor | None = None
    text_output: BaseModelOutputWithPooling | None = None
    multimodal_embeddings: Tensor | None = None
    multimodal_output: BaseModelOutputWithPooling | None = None
    image_masked_embeddings: Tensor | None = None
    image_masked_output: BaseModelOutputWithPooling | None = None
    text_masked_embeddings: Tensor | None = None
    text_masked_output: BaseModelOutputWithPooling | None = None
    multimodal_masked_embeddings: Tensor | None = None
    multimodal_masked_output: BaseModelOutputWithPooling | None = None
    mim_logits: Tensor | None = None
    mlm_logits: Tensor | None = None
    itm_logits: Tensor | None = None
    contrastive_logits_per_image: Tensor | None = None
    contrastive_logits_per_text: Tensor | None = None
    mmm_image_logits: Tensor | None = None
    mmm_text_logits: Tensor | None = None


class MatchHead(nn.Module):
    """Whether image and text belong together: no, yes."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.pooler = Pooler(size)
        self.seq_relationship = nn.Linear(size, 2)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.seq_relationship(self.pooler(hidden))


class FlavaForPreTraining(Headed, FlavaPreTrainedModel):
    """FLAVA with all heads of its pre-training, and the codebook that labels patches."""

    base_class = FlavaModel
    head_names = {
        key: name
        for head in ("mim_head", "mlm_head", "mmm_image_head", "mmm_text_head")
        for key, name in {
            f"{head}.dense": f"{head}.transform.dense",
            f"{head}.layer_norm": f"{head}.transform.LayerNorm",
            f"{head}.decoder.bias": f"{head}.bias",
        }.items()
    }

    def __init__(self, config: FlavaConfig, image_codebook: nn.Module | None = None) -> None:
        self._codebook = image_codebook
        super().__init__(config)

    def build_head(self, config: FlavaConfig) -> None:  # type: ignore[override]
        codebook = self.__dict__.pop("_codebook", None)
        if codebook is None and config.init_codebook:
            codebook = FlavaImageCodebook(config.image_codebook_config)
        self.image_codebook = codebook

        def head(part: Any, vocabulary: int) -> LMTransform:
            return LMTransform(part.hidden_size, vocabulary, act=part.hidden_act, eps=part.layer_norm_eps)

        image, text = config.image_config, config.text_config
        self.mim_head, self.mlm_head = head(image, image.vocab_size), head(text, text.vocab_size)
        self.mmm_image_head = head(image, image.vocab_size)
        self.mmm_text_head = head(text, text.vocab_size)
        self.itm_head = MatchHead(config.hidden_size)

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_ids_masked: Tensor | None = None,
        pixel_values: Tensor | None = None,
        codebook_pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        bool_masked_pos: Tensor | None = None,
        position_ids: Tensor | None = None,
        image_attention_mask: Tensor | None = None,
        skip_unmasked_multimodal_encoder: bool | None = None,
        mlm_labels: Tensor | None = None,
        mim_labels: Tensor | None = None,
        itm_labels: Tensor | None = None,
        return_loss: bool | None = None,
        output_hidden_states: bool = True,
    ) -> FlavaForPreTrainingOutput:
        """Image, text or both, as they are and masked, to the scores and losses of the objectives.

        Args:
            input_ids_masked: `input_ids` (batch, sequence) with masks. bool_masked_pos: (batch, patches) or
                (batch, rows, columns), true for hidden patches.
            mlm_labels: (batch, sequence), -100 where nothing is masked. mim_labels: codes of the patches, as
                `bool_masked_pos`; by default those that the codebook gives `codebook_pixel_values`.
            itm_labels: (batch,) 1 where image and text belong together; the others count for matching alone.
        """
        config = self.config
        want_loss = config.return_loss if return_loss is None else return_loss
        skip = skip_unmasked_multimodal_encoder
        shared = {
            "pixel_values": pixel_values,
            "attention_mask": attention_mask,
            "token_type_ids": token_type_ids,
            "position_ids": position_ids,
            "image_attention_mask": image_attention_mask,
            "output_hidden_states": output_hidden_states,
        }
        plain = self.model(
            input_ids,
            skip_multimodal_encoder=config.skip_unmasked_multimodal_encoder if skip is None else skip,
            **shared,
        )
        if input_ids_masked is None:
            input_ids_masked = input_ids
        masked = self.model(input_ids_masked, bool_masked_pos=bool_masked_pos, **shared)
        output = FlavaForPreTrainingOutput(**dict(plain.items()))
        for name, value in masked.items():
            kind, _, what = name.partition("_")
            output[f"{kind}_masked_{what}"] = value
        if mim_labels is None and codebook_pixel_values is not None and want_loss:
            if self.image_codebook is None:
                raise ValueError("there is no codebook (init_codebook=False): pass mim_labels")
            mim_labels = self.image_codebook.get_codebook_indices(codebook_pixel_values)
        if mim_labels is not None:
            mim_labels = self.hidden_codes(mim_labels, bool_masked_pos)
        losses = FlavaLosses()
        self.score_masked(output, losses, mim_labels, mlm_labels, itm_labels)
        self.score_pairs(output, losses, itm_labels)
        if want_loss:
            weighted = {name: value * getattr(config, f"{name}_weight") for name, value in losses.items()}
            output.loss_info = FlavaLosses(**weighted)
            output.loss = sum(weighted.values()) if weighted else None
        return output

    def hidden_codes(self, labels: Tensor, bool_masked_pos: Tensor | None) -> Tensor:
        """(batch, patches) codes, the ignored label where a patch is not hidden."""
        if bool_masked_pos is None:
            raise ValueError("labels of patches need bool_masked_pos, which says which patches are hidden")
        return labels.flatten(1).masked_fill(~bool_masked_pos.flatten(1).bool(), self.config.ce_ignore_index)

    def score(self, head: nn.Module, states: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Scores of all states, or of those with a label and their loss."""
        if labels is None:
            return head(states), None
        counted = labels.ne(self.config.ce_ignore_index)
        logits = head(states[:, -labels.shape[1] :][counted])
        return logits, F.cross_entropy(logits.float(), labels[counted])

    def score_masked(
        self,
        output: FlavaForPreTrainingOutput,
        losses: FlavaLosses,
        mim_labels: Tensor | None,
        mlm_labels: Tensor | None,
        itm_labels: Tensor | None,
    ) -> None:
        """What hides behind masks: by one encoder where there is only image or text, else by that of both."""
        joint = output.multimodal_masked_embeddings
        image, text = output.image_masked_embeddings, output.text_masked_embeddings
        if joint is None:
            if image is not None:
                output.mim_logits, losses.mim = self.score(self.mim_head, image, mim_labels)
            if text is not None:
                output.mlm_logits, losses.mlm = self.score(self.mlm_head, text, mlm_labels)
            return
        assert image is not None and text is not None
        output.itm_logits = self.itm_head(joint)
        if itm_labels is not None:
            losses.itm = F.cross_entropy(output.itm_logits.float(), itm_labels)
            chosen = pairs(itm_labels)
            output.multimodal_masked_embeddings = joint = joint[chosen]
            mim_labels = None if mim_labels is None else mim_labels[chosen]
            mlm_labels = None if mlm_labels is None else mlm_labels[chosen]
        patches = joint[:, 2 : 1 + image.shape[1]]  # behind two class tokens
        output.mmm_image_logits, losses.mmm_image = self.score(self.mmm_image_head, patches, mim_labels)
        words = joint[:, -text.shape[1] :]
        output.mmm_text_logits, losses.mmm_text = self.score(self.mmm_text_head, words, mlm_labels)

    def score_pairs(
        self, output: FlavaForPreTrainingOutput, losses: FlavaLosses, itm_labels: Tensor | None
    ) -> None:
        """Which image belongs to which text."""
        image, text = output.image_embeddings, output.text_embeddings
        if image is None or text is None:
            return
        model: Any = self.model
        images = F.normalize(model.image_projection(image[:, 0]), dim=-1)
        texts = F.normalize(model.text_projection(text[:, 0]), dim=-1)
        logits = images @ texts.t() * model.logit_scale.clamp(0, HIGHEST_SCALE).exp()
        per_text, goal = logits.t(), torch.arange(len(logits), device=logits.device)
        if itm_labels is not None and output.multimodal_masked_embeddings is not None:
            chosen = pairs(itm_labels)
            logits, per_text, goal = logits[chosen], per_text[chosen], goal[chosen]
        output.contrastive_logits_per_image, output.contrastive_logits_per_text = logits, per_text
        both = F.cross_entropy(logits.float(), goal) + F.cross_entropy(per_text.float(), goal)
        losses.global_contrastive = both / 2


def pairs(itm_labels: Tensor) -> Tensor:
    """(batch,) bool: images and texts that belong together; all where none does."""
    positive = itm_labels.ne(0)
    return positive if bool(positive.any()) else torch.ones_like(positive)
