"""Moshi's language model: Llama's layers, with the gate and the values of the MLP in one matrix."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_audio.moshi.config import MoshiConfig
from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.mlp import GatedMLP


class MoshiCausalLMOutputWithPast(ModelOutput):
    """Scores of the next token, and the states that Moshi's depth decoder reads."""

    loss: Tensor | None = None
    logits: Tensor
    last_hidden_state: Tensor | None = None
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class MoshiLayer(PreNormLayer):
    """Llama's layer under Moshi's names."""

    hub_names = {
        **{f"self_attn.{x}_proj": f"self_attn.{x}_proj.linear" for x in "qkvo"},
        ("mlp.gate_proj.weight", "mlp.up_proj.weight"): Fused("mlp.fc1.weight"),
        "mlp.down_proj": "mlp.fc2",
    }


class MoshiPreTrainedModel(PreTrainedModel):
    """What all Moshi classes share."""

    config_class = MoshiConfig
    base_model_prefix = "model"


class MoshiModel(MoshiPreTrainedModel, DecoderModel):
    """The decoder without a head; the id `vocab_size` stands for no text."""

    layer_class = MoshiLayer

    def make_embeddings(self, config: Any) -> None:
        self.embed_tokens = nn.Embedding(
            config.vocab_size + 1, config.hidden_size, padding_idx=config.vocab_size
        )

    def make_mlp(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        return GatedMLP(config.hidden_size, config.ffn_dim // 2, config.hidden_act)


class MoshiForCausalLM(ForCausalLM, MoshiPreTrainedModel):
    """The decoder with a language modeling head."""

    base_class = MoshiModel
    tied_weights = {}

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        **inputs: Any,
    ) -> MoshiCausalLMOutputWithPast:
        """As the base's, with the states beside the scores; the loss is as recorded."""
        outputs = self.model(input_ids, **inputs)
        hidden = outputs.last_hidden_state
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(hidden[:, kept])
        loss = None
        if labels is not None:  # the rows are joined and shifted once more
            scores, targets = logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
            loss = token_loss(scores[:-1], targets[1:])
        return MoshiCausalLMOutputWithPast.carry(outputs, loss=loss, logits=logits, last_hidden_state=hidden)
