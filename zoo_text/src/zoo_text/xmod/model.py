"""X-MOD: RoBERTa with an adapter for each language in every layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT
from zoo_core.generation import GenerationMixin
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.layer import has_source
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_text.bert.model import BertLayer
from zoo_text.roberta import model as roberta
from zoo_text.xmod.config import XmodConfig


class XmodPreTrainedModel(roberta.RobertaPreTrainedModel):
    """What all X-MOD classes share."""

    config_class = XmodConfig

    def set_default_language(self, language: str) -> None:
        """Take `language` where a call gives no `lang_ids`.

        Raises:
            ValueError: there is no adapter for it.
        """
        if language not in self.config.languages:
            known = ", ".join(self.config.languages)
            raise ValueError(f"{self.name_or_path or 'this X-MOD'} has no adapter for {language!r}: {known}")
        self.config.default_language = language

    def freeze_embeddings_and_language_adapters(self) -> None:
        """Leave what is special to languages as it is in training."""
        for module in self.modules():
            if isinstance(module, XmodModel):
                module.embeddings.requires_grad_(False)
            elif isinstance(module, XmodLayer):
                module.adapters.requires_grad_(False)
                if module.adapter_layer_norm is not None:
                    module.adapter_layer_norm.requires_grad_(False)


class XmodLayer(BertLayer):
    """BERT's layer, with an adapter after the feed-forward block; norms may stand before the blocks."""

    hub_names = BertLayer.hub_names | {
        "adapters": "output.adapter_modules",
        "adapters.*.fc1": "output.adapter_modules.*.dense1",
        "adapters.*.fc2": "output.adapter_modules.*.dense2",
        "adapter_layer_norm": "output.adapter_layer_norm",
    }

    def __init__(self, config: XmodConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)
        size = config.hidden_size
        narrow = size // config.adapter_reduction_factor
        self.adapters = nn.ModuleDict(
            {language: MLP(size, narrow, config.hidden_act) for language in config.languages}
        )
        self.pre_norm, self.norm_first = config.pre_norm, config.ln_before_adapter
        self.reuses_norm = config.adapter_reuse_layer_norm
        eps = config.layer_norm_eps
        self.adapter_layer_norm = nn.LayerNorm(size, eps=eps) if config.adapter_layer_norm else None

    def forward(
        self, hidden: Tensor, context: AttentionContext, *, lang_ids: Tensor | int = 0, **attention: Any
    ) -> Tensor:
        first, last, pre = self.self_attn_layer_norm, self.final_layer_norm, self.pre_norm
        hidden = hidden + self.dropout(self.self_attn(first(hidden) if pre else hidden, context, **attention))
        hidden = hidden if pre else first(hidden)
        cross, norm = self.cross_attn, self.cross_attn_layer_norm
        if cross is not None and norm is not None and has_source(context):
            hidden = hidden + self.dropout(cross(norm(hidden) if pre else hidden, context))
            hidden = hidden if pre else norm(hidden)
        hidden = hidden + self.dropout(self.mlp(last(hidden) if pre else hidden))
        hidden = self.adapt(hidden, lang_ids)
        return hidden if pre else last(hidden)

    def adapt(self, hidden: Tensor, lang_ids: Tensor | int) -> Tensor:
        """States with what each row's language adds."""
        kept = hidden
        if self.adapter_layer_norm is not None:
            hidden = self.adapter_layer_norm(hidden)
        elif self.reuses_norm:
            hidden = self.final_layer_norm(hidden)
        kept = hidden if self.norm_first else kept
        adapters = list(self.adapters.values())
        if isinstance(lang_ids, int):
            return kept + self.dropout(adapters[lang_ids](hidden))
        added = torch.zeros_like(hidden)
        for language in lang_ids.unique().tolist():
            rows = (lang_ids == language).nonzero().squeeze(-1)
            added = added.index_copy(0, rows, self.dropout(adapters[language](hidden[rows])))
        return kept + added


class XmodModel(XmodPreTrainedModel, roberta.RobertaModel):
    """The encoder without a head."""

    hub_names = BERT | {"norm": "encoder.LayerNorm"}
    layer_class = XmodLayer

    def __init__(self, config: XmodConfig, add_pooling_layer: bool = True) -> None:
        self.final_norm = config.pre_norm  # type: ignore[misc]
        super().__init__(config, add_pooling_layer)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        lang_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As BERT's; lang_ids (batch,) say the language of each row, by default `default_language`."""
        languages, default = self.config.languages, self.config.default_language
        if lang_ids is not None and int(lang_ids.max()) >= len(languages):
            raise ValueError(f"lang_ids holds {int(lang_ids.max())}; there are {len(languages)} languages")
        if lang_ids is None and default is None:
            raise ValueError(
                f"the language is unknown: pass lang_ids, or call set_default_language with one of "
                f"{', '.join(languages)}"
            )
        chosen = languages.index(default) if lang_ids is None else lang_ids
        return super().forward(input_ids, attention_mask, layer_inputs={"lang_ids": chosen}, **inputs)


class XmodForMaskedLM(XmodPreTrainedModel, roberta.RobertaForMaskedLM):
    """X-MOD with a masked language modeling head."""

    base_class = XmodModel


class XmodForCausalLM(XmodPreTrainedModel, roberta.RobertaForCausalLM):
    """X-MOD as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = XmodModel
    constant_inputs = GenerationMixin.constant_inputs | {"lang_ids"}


class XmodForSequenceClassification(XmodPreTrainedModel, roberta.RobertaForSequenceClassification):
    """X-MOD with a classifier on the first token."""

    base_class = XmodModel


class XmodForMultipleChoice(XmodPreTrainedModel, roberta.RobertaForMultipleChoice):
    """X-MOD with one score for each choice."""

    base_class = XmodModel


class XmodForTokenClassification(XmodPreTrainedModel, roberta.RobertaForTokenClassification):
    """X-MOD with a classifier on each token."""

    base_class = XmodModel


class XmodForQuestionAnswering(XmodPreTrainedModel, roberta.RobertaForQuestionAnswering):
    """X-MOD with scores of an answer's first and last token."""

    base_class = XmodModel
