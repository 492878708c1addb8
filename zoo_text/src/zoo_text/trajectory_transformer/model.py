"""The Trajectory Transformer: a decoder over the discretised numbers of a trajectory, one token each."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers
from zoo_text.trajectory_transformer.config import TrajectoryTransformerConfig


class TrajectoryTransformerLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = {
        "input_layernorm": "ln1",
        "post_attention_layernorm": "ln2",
        "self_attn.q_proj": "attn.query",
        "self_attn.k_proj": "attn.key",
        "self_attn.v_proj": "attn.value",
        "self_attn.o_proj": "attn.proj",
        "mlp.fc1": "l1",
        "mlp.fc2": "l2",
    }

    def __init__(self, config: TrajectoryTransformerConfig, layer_idx: int) -> None:
        size = config.n_embd
        super().__init__(
            size,
            nn.LayerNorm,
            self_attn=Attention(
                size, config.n_head, rule=CAUSAL, dropout=config.attn_pdrop, layer_idx=layer_idx
            ),
            mlp=MLP(size, 4 * size, "gelu"),
            dropout=config.resid_pdrop,
        )


class DimensionHeads(nn.Module):
    """A linear layer for each dimension of a step."""

    def __init__(self, dimensions: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(dimensions, outputs, inputs))

    def forward(self, hidden: Tensor, dimension: Tensor) -> Tensor:
        """(batch, tokens, inputs), whose dimensions are (tokens,), to (batch, tokens, outputs)."""
        return torch.einsum("bti,toi->bto", hidden, self.weight[dimension])


class TrajectoryTransformerOutput(ModelOutput):
    """Scores (batch, tokens, values + 1) of the next token, and their weighted loss."""

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class TrajectoryTransformerPreTrainedModel(PreTrainedModel):
    """What all Trajectory Transformer classes share."""

    config_class = TrajectoryTransformerConfig
    base_model_prefix = "trajectory_transformer"
    main_input_name = "trajectories"
    ignored_names = ("*attn.mask",)


class TrajectoryTransformerModel(TrajectoryTransformerPreTrainedModel):
    """The decoder; each dimension of a step has values and a head of its own, all share a stop token."""

    hub_names = {"embed_tokens": "tok_emb", "embed_positions": "pos_emb", "layers": "blocks", "norm": "ln_f"}

    def __init__(self, config: TrajectoryTransformerConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size * config.transition_dim + 1, config.n_embd)
        self.embed_positions = nn.Parameter(torch.zeros(1, config.block_size, config.n_embd))
        self.dropout = nn.Dropout(config.embd_pdrop)
        self.layers = nn.ModuleList(TrajectoryTransformerLayer(config, i) for i in range(config.n_layer))
        self.norm = nn.LayerNorm(config.n_embd)
        self.head = DimensionHeads(config.transition_dim, config.n_embd, config.vocab_size + 1)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, DimensionHeads):
            for weight in module.weight:
                nn.init.kaiming_uniform_(weight, a=math.sqrt(5) * self.config.kaiming_initializer_range)

    def __call__(self, *args: Any, return_dict: bool | None = None, **inputs: Any) -> Any:
        """As for every model, but a tuple unless `return_dict` asks for more."""
        return super().__call__(*args, return_dict=bool(return_dict), **inputs)

    def forward(
        self,
        trajectories: Tensor,
        past_key_values: Cache | None = None,
        targets: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        use_cache: bool | None = None,
    ) -> TrajectoryTransformerOutput:
        """Tokens (batch, tokens), observation, action, reward and value of each step in turn, to scores.

        `targets` are the same one token on; `attention_mask` (batch, tokens) is 0 where they do not count.
        A token `vocab_size` stops the episode. No token sees an earlier step's value, which is an estimate.
        """
        config = self.config
        cache = self.cache_for(past_key_values, use_cache)
        past, new = 0 if cache is None else int(cache.length), trajectories.shape[1]
        if past + new > config.block_size:
            raise ValueError(
                f"a trajectory of {past + new} tokens; the model holds block_size={config.block_size}"
            )
        places = torch.arange(past + new, device=trajectories.device)
        dimension = places[past:] % config.transition_dim
        stops = trajectories == config.vocab_size
        ids = (trajectories + dimension * config.vocab_size).masked_fill(
            stops, self.embed_tokens.num_embeddings - 1
        )
        hidden = self.dropout(self.embed_tokens(ids) + self.embed_positions[:, past : past + new])
        seen = (places + 1) % config.transition_dim != 0
        context = AttentionContext(hidden, seen.expand(len(hidden), -1), cache=cache)
        logits = self.head(self.norm(run_layers(self.layers, hidden, context)), dimension)
        loss = None
        if targets is not None:
            each = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
            each = each.view_as(targets) * self.loss_weights()[(dimension + 1) % config.transition_dim]
            loss = (each if attention_mask is None else each * attention_mask).mean()
        return TrajectoryTransformerOutput(loss=loss, logits=logits, past_key_values=cache)

    def loss_weights(self) -> Tensor:
        """(dimensions of a step,) how much each counts as a target."""
        config = self.config
        parts = [1.0] * config.observation_dim + [config.action_weight] * config.action_dim
        return self.norm.weight.new_tensor([*parts, config.reward_weight, config.value_weight])
