"""XLM-RoBERTa-XL: a large XLM-RoBERTa with norms before the blocks, and none in the embeddings."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT
from zoo_core.modeling.outputs import TokenClassifierOutput
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_text.bert.model import PreNormBertLayer
from zoo_text.roberta import model as roberta
from zoo_text.xlm_roberta_xl.config import XLMRobertaXLConfig


class XLMRobertaXLPreTrainedModel(roberta.RobertaPreTrainedModel):
    """What all XLM-RoBERTa-XL classes share."""

    config_class = XLMRobertaXLConfig


class XLMRobertaXLLayer(PreNormBertLayer):
    """A layer with the norms before the blocks."""

    hub_names = PreNormBertLayer.hub_names | {
        "input_layernorm": "attention.self_attn_layer_norm",
        "cross_attn_layernorm": "crossattention.self_attn_layer_norm",
        "post_attention_layernorm": "LayerNorm",
    }


class XLMRobertaXLModel(XLMRobertaXLPreTrainedModel, roberta.RobertaModel):
    """The encoder without a head."""

    hub_names = BERT | {"norm": "encoder.LayerNorm"}
    layer_class = XLMRobertaXLLayer
    final_norm = True

    def embed_with(self, config: XLMRobertaXLConfig, width: int) -> TextEmbeddings:
        embeddings = super().embed_with(config, width)
        embeddings.layer_norm = nn.Identity()
        return embeddings


class XLMRobertaXLForMaskedLM(XLMRobertaXLPreTrainedModel, roberta.RobertaForMaskedLM):
    """XLM-RoBERTa-XL with a masked language modeling head."""

    base_class = XLMRobertaXLModel


class XLMRobertaXLForCausalLM(XLMRobertaXLPreTrainedModel, roberta.RobertaForCausalLM):
    """XLM-RoBERTa-XL as a decoder; set `is_decoder` in the config for causal attention."""

    base_class = XLMRobertaXLModel
    counted_tokens = "known"

    def prepare_inputs_for_generation(self, input_ids: Tensor, **inputs: Any) -> dict[str, Any]:
        inputs.pop("token_type_ids", None)  # there is one segment; generation ignores them
        return super().prepare_inputs_for_generation(input_ids, **inputs)


class XLMRobertaXLForSequenceClassification(
    XLMRobertaXLPreTrainedModel, roberta.RobertaForSequenceClassification
):
    """XLM-RoBERTa-XL with a classifier on the first token."""

    base_class = XLMRobertaXLModel


class XLMRobertaXLForMultipleChoice(XLMRobertaXLPreTrainedModel, roberta.RobertaForMultipleChoice):
    """XLM-RoBERTa-XL with one score for each choice."""

    base_class = XLMRobertaXLModel


class XLMRobertaXLForTokenClassification(XLMRobertaXLPreTrainedModel, roberta.RobertaForTokenClassification):
    """XLM-RoBERTa-XL with a classifier on each token."""

    base_class = XLMRobertaXLModel

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> TokenClassifierOutput:
        if labels is not None and attention_mask is not None:  # labels of padding do not count
            labels = labels.masked_fill(attention_mask == 0, -100)
        return super().forward(input_ids, attention_mask=attention_mask, labels=labels, **inputs)


class XLMRobertaXLForQuestionAnswering(XLMRobertaXLPreTrainedModel, roberta.RobertaForQuestionAnswering):
    """XLM-RoBERTa-XL with scores of an answer's first and last token."""

    base_class = XLMRobertaXLModel
