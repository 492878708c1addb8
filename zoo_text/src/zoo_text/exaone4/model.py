"""EXAONE 4.0: norms on the branches, windows with rotary, full layers without positions."""

from __future__ import annotations

from torch import nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel, attention_of, layer_rule, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import BranchNormLayer
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.exaone4.config import Exaone4Config


class Exaone4PreTrainedModel(PreTrainedModel):
    """What all EXAONE 4 classes share."""

    config_class = Exaone4Config
    base_model_prefix = "model"


class Exaone4Model(Exaone4PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    layer_class = BranchNormLayer

    def make_attention(self, config: Exaone4Config, layer_idx: int) -> nn.Module:
        rule = layer_rule(config, layer_idx)
        return attention_of(config, layer_idx, qk_norm=self.norm_of(config), rule=rule)

    def make_rotary(self, config: Exaone4Config) -> dict[str, RotaryEmbedding]:
        return {"sliding_attention": rotary_of(config)}

    def kinds_of_rotary(self, config: Exaone4Config) -> list[str | None]:
        if config.sliding_window is None:
            return ["sliding_attention"] * config.num_hidden_layers
        return list(config.layer_types)


class Exaone4ForCausalLM(ForCausalLM, Exaone4PreTrainedModel):
    """EXAONE 4.0 with a language modeling head."""

    base_class = Exaone4Model


class Exaone4ForSequenceClassification(ForLastTokenClassification, Exaone4PreTrainedModel):
    """EXAONE 4.0 with a classifier on the last token."""

    base_class = Exaone4Model


class Exaone4ForQuestionAnswering(ForQuestionAnswering, Exaone4PreTrainedModel):
    """EXAONE 4.0 with scores of an answer's first and last token."""

    base_class = Exaone4Model
    base_name = "transformer"


class Exaone4ForTokenClassification(ForTokenClassification, Exaone4PreTrainedModel):
    """EXAONE 4.0 with a classifier on each token."""

    base_class = Exaone4Model
    head_names = {"classifier": "score"}
