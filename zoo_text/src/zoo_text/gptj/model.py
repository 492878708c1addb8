"""GPT-J: attention and MLP side by side after one norm, rotary positions on a part of each head."""

from __future__ import annotations

from torch import nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering
from zoo_core.modeling.gpt import GPTBody
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import ParallelLayer
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.gpt2.model import LM_TIE
from zoo_text.gptj.config import GPTJConfig


class GPTJPreTrainedModel(PreTrainedModel):
    """What all GPT-J classes share."""

    config_class = GPTJConfig
    base_model_prefix = "transformer"
    ignored_names = ("attn.bias", "attn.masked_bias")


class GPTJModel(GPTJPreTrainedModel, GPTBody):
    """The decoder without a head."""

    layer_class = ParallelLayer
    hub_names = {
        "embed_tokens": "wte",
        "layers": "h",
        "layers.*.input_layernorm": "h.*.ln_1",
        "layers.*.self_attn": "h.*.attn",
        "layers.*.self_attn.o_proj": "h.*.attn.out_proj",
        "layers.*.mlp.fc1": "h.*.mlp.fc_in",
        "layers.*.mlp.fc2": "h.*.mlp.fc_out",
        "norm": "ln_f",
    }

    def make_positions(self, config: GPTJConfig) -> None:
        return None

    def make_attention(self, config: GPTJConfig, layer_idx: int) -> nn.Module:
        return Attention(
            config.n_embd,
            config.n_head,
            bias=False,
            dropout=config.attn_pdrop,
            rule=CAUSAL,
            layer_idx=layer_idx,
        )

    def make_mlp(self, config: GPTJConfig, layer_idx: int) -> nn.Module:
        inner = config.n_inner or 4 * config.n_embd
        return MLP(config.n_embd, inner, config.activation_function, dropout=config.resid_pdrop)

    def make_rotary(self, config: GPTJConfig) -> dict[str, RotaryEmbedding]:
        width = config.rotary_dim or config.n_embd // config.n_head
        return {"full": RotaryEmbedding(width, max_positions=config.n_positions, interleaved=True)}


class GPTJForCausalLM(ForCausalLM, GPTJPreTrainedModel):
    """GPT-J with a language modeling head that has a bias."""

    base_class = GPTJModel
    tied_weights = LM_TIE

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        return nn.Linear(config.hidden_size, config.vocab_size)


class GPTJForSequenceClassification(ForLastTokenClassification, GPTJPreTrainedModel):
    """GPT-J with a classifier on the last token."""

    base_class = GPTJModel


class GPTJForQuestionAnswering(ForQuestionAnswering, GPTJPreTrainedModel):
    """GPT-J with scores of an answer's first and last token."""

    base_class = GPTJModel
