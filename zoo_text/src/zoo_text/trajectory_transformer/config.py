"""Configuration of the Trajectory Transformer."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class TrajectoryTransformerConfig(PretrainedConfig):
    """Sizes of the decoder, of a step of a trajectory, and the weights of a step's parts in the loss.

    `vocab_size` counts the values of each dimension, `block_size` the tokens of the longest trajectory.
    """

    model_type = "trajectory_transformer"
    attribute_map = {
        "hidden_size": "n_embd",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = 100
    action_weight: float = 5
    reward_weight: float = 1
    value_weight: float = 1
    block_size: int = 249
    action_dim: int = 6
    observation_dim: int = 17
    transition_dim: int = 25
    n_layer: int = 4
    n_head: int = 4
    n_embd: int = 128
    embd_pdrop: float = 0.1
    attn_pdrop: float = 0.1
    resid_pdrop: float = 0.1
    learning_rate: float = 0.0006
    max_position_embeddings: int = 512
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    kaiming_initializer_range: float = 1
    use_cache: bool = True
    pad_token_id: int | None = 1
    bos_token_id: int | None = 50256
    eos_token_id: int | list[int] | None = 50256

    def check(self) -> Iterator[tuple[str, str]]:
        if self.transition_dim != self.observation_dim + self.action_dim + 2:
            yield "transition_dim", "must be observation_dim + action_dim + 2 (reward and value)"
