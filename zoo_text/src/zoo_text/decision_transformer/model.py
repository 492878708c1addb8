"""The Decision Transformer: a GPT-2 that continues returns, states and actions as if they were text."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_text.decision_transformer.config import DecisionTransformerConfig
from zoo_text.gpt2.model import GPT2Model


class DecisionTransformerPreTrainedModel(PreTrainedModel):
    """What all Decision Transformer classes share."""

    config_class = DecisionTransformerConfig
    base_model_prefix = "decision_transformer"
    main_input_name = "states"
    ignored_names = ("*attn.bias", "*attn.masked_bias")


class DecisionTransformerGPT2Model(GPT2Model):
    """GPT-2 of this config's sizes."""

    config_class = DecisionTransformerConfig


class DecisionTransformerOutput(ModelOutput):
    """Predictions for each step: the next state and return, and the action (batch, steps, size of each).

    `last_hidden_state` (batch, 3 * steps, hidden) has return, state and action of each step in turn.
    """

    state_preds: Tensor
    action_preds: Tensor
    return_preds: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    last_hidden_state: Tensor


class DecisionTransformerModel(DecisionTransformerPreTrainedModel):
    """Embeddings of the three kinds of tokens, the decoder, and a head for each kind."""

    def __init__(self, config: DecisionTransformerConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.encoder = DecisionTransformerGPT2Model(config)
        self.embed_timestep = nn.Embedding(config.max_ep_len, size)
        self.embed_return = nn.Linear(1, size)
        self.embed_state = nn.Linear(config.state_dim, size)
        self.embed_action = nn.Linear(config.act_dim, size)
        self.embed_ln = nn.LayerNorm(size)
        self.predict_state = nn.Linear(size, config.state_dim)
        last = [nn.Tanh()] if config.action_tanh else []
        self.predict_action = nn.Sequential(nn.Linear(size, config.act_dim), *last)
        self.predict_return = nn.Linear(size, 1)
        self.post_init()

    def forward(
        self,
        states: Tensor,
        actions: Tensor,
        rewards: Tensor | None = None,
        *,
        returns_to_go: Tensor,
        timesteps: Tensor,
        attention_mask: Tensor | None = None,
    ) -> DecisionTransformerOutput:
        """Steps of episodes to what follows each of them.

        Args:
            states: (batch, steps, state size). actions: (batch, steps, action size).
            returns_to_go: (batch, steps, 1) the return that is wished for. rewards: not read.
            timesteps: (batch, steps) numbers of the steps. attention_mask: (batch, steps) 0 for padding.
        """
        times = self.embed_timestep(timesteps)
        tokens = (self.embed_return(returns_to_go), self.embed_state(states), self.embed_action(actions))
        mixed = torch.stack([token + times for token in tokens], dim=2).flatten(1, 2)
        mask = None if attention_mask is None else attention_mask.repeat_interleave(3, dim=1)
        # Time is in the tokens; GPT-2's own positions, which files hold, stay at the first.
        positions = torch.zeros(mixed.shape[:2], dtype=torch.long, device=mixed.device)
        outputs = self.encoder(
            attention_mask=mask, position_ids=positions, inputs_embeds=self.embed_ln(mixed), use_cache=False
        )
        _, state, action = outputs.last_hidden_state.unflatten(1, (-1, 3)).unbind(2)
        return DecisionTransformerOutput.carry(
            outputs,
            state_preds=self.predict_state(action),
            action_preds=self.predict_action(state),
            return_preds=self.predict_return(action),
        )
