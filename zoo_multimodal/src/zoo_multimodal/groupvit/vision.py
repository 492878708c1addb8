"""GroupViT's image tower: tokens that gather patches, and later groups, by what is like them."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, unrecorded
from zoo_core.nn.stack import run_layers
from zoo_multimodal.clip.model import CLIPLayer
from zoo_multimodal.groupvit.config import GroupViTVisionConfig


class TokenMixer(nn.Module):
    """A feed-forward block over the tokens of each channel; it changes their number."""

    def __init__(self, tokens: int, hidden: int, outputs: int, act: str) -> None:
        super().__init__()
        self.fc1, self.fc2 = Linear(tokens, hidden), Linear(hidden, outputs)
        self.act = activation(act)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) to (batch, outputs, width)."""
        return self.fc2(self.act(self.fc1(x.transpose(1, 2)))).transpose(1, 2)


class CrossLayer(nn.Module):
    """Groups attend to what they shall gather, and a feed-forward block."""

    hub_names = {"attn.o_proj": "attn.out_proj"}

    def __init__(self, config: GroupViTVisionConfig) -> None:
        super().__init__()
        size, norm = config.hidden_size, partial(nn.LayerNorm, eps=config.layer_norm_eps)
        self.attn = Attention(size, config.num_attention_heads, dropout=config.attention_dropout, cross=True)
        self.norm2, self.norm_post = norm(size), norm(size)
        self.mlp = MLP(size, config.intermediate_size, config.hidden_act)

    def forward(self, groups: Tensor, members: Tensor) -> Tensor:
        groups = groups + self.attn(groups, AttentionContext(groups, encoder_states=members))
        return self.norm_post(groups + self.mlp(self.norm2(groups)))


class Assignment(nn.Module):
    """Each member belongs to the one group that it is most like; a group is the mean of its members.

    In training groups are drawn (Gumbel-softmax, https://arxiv.org/abs/1611.01144); gradients are those of
    the soft assignment.
    """

    def __init__(self, config: GroupViTVisionConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.scale, self.eps = size**-0.5, config.assign_eps
        self.q_proj, self.k_proj, self.v_proj, self.proj = (Linear(size, size) for _ in range(4))

    def forward(self, groups: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
        """Groups (batch, groups, size), and the soft assignment (batch, groups, members)."""
        scores = self.q_proj(groups) @ self.k_proj(members).transpose(-1, -2) * self.scale
        soft = scores.softmax(-2)
        if self.training:
            chosen = F.gumbel_softmax(scores, hard=True, dim=-2)
        else:
            place = soft.argmax(-2, keepdim=True)
            chosen = torch.zeros_like(soft).scatter(-2, place, 1.0) - soft.detach() + soft
        shares = chosen / (chosen.sum(-1, keepdim=True) + self.eps)
        return self.proj(shares @ self.v_proj(members)), soft


class TokenAssign(nn.Module):
    """What ends a stage: its tokens become groups of groups, and gather the segments."""

    def __init__(self, config: GroupViTVisionConfig, tokens: int, groups: int) -> None:
        super().__init__()
        size, act = config.hidden_size, config.hidden_act
        inner, wide = (int(ratio * size) for ratio in config.assign_mlp_ratio)
        norm = partial(nn.LayerNorm, size, eps=config.layer_norm_eps)
        self.norm_tokens, self.norm_post_tokens, self.norm_x, self.norm_new_x = (norm() for _ in range(4))
        self.mlp_inter = TokenMixer(tokens, inner, groups, act)
        self.pre_assign_attn = CrossLayer(config)
        self.assign = Assignment(config)
        self.mlp_channels = MLP(size, wide, act)

    def forward(self, segments: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Segments (batch, groups, size), and the assignment (batch, groups, segments before)."""
        groups = self.norm_post_tokens(self.mlp_inter(self.norm_tokens(tokens)))
        segments = self.norm_x(segments)
        groups = self.pre_assign_attn(groups, segments)
        gathered, assignment = self.assign(groups, segments)
        gathered = gathered + groups
        return gathered + self.mlp_channels(self.norm_new_x(gathered)), assignment


class Stage(nn.Module):
    """Layers over segments and group tokens, and where there are tokens the gathering."""

    group_projector: nn.Module | None
    downsample: TokenAssign | None

    def __init__(self, config: GroupViTVisionConfig, index: int) -> None:
        super().__init__()
        size, tokens = config.hidden_size, config.num_group_tokens[index]
        before = config.num_output_groups[index - 1] if index else 0
        self.layers = nn.ModuleList(
            CLIPLayer(config, causal=False)  # type: ignore[arg-type]
            for _ in range(config.depths[index])
        )
        self.group_token = nn.Parameter(torch.zeros(1, tokens, size)) if tokens else None
        self.downsample = TokenAssign(config, tokens, config.num_output_groups[index]) if tokens else None
        self.group_projector = None
        if before and tokens:
            self.group_projector = nn.Sequential(
                nn.LayerNorm(size, eps=config.layer_norm_eps),
                TokenMixer(before, size // 2, tokens, config.hidden_act),
            )

    def forward(self, hidden: Tensor, earlier: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Segments (batch, segments, size) to fewer, and the group tokens of this stage."""
        length, tokens = hidden.shape[1], None
        with unrecorded():
            if self.group_token is not None:
                tokens = self.group_token.expand(len(hidden), -1, -1)
                if self.group_projector is not None and earlier is not None:
                    tokens = tokens + self.group_projector(earlier)
                hidden = torch.cat((hidden, tokens), dim=1)
            hidden = run_layers(self.layers, hidden, AttentionContext(hidden))
            hidden, tokens = hidden[:, :length], None if tokens is None else hidden[:, length:]
            assignment = None
            if self.downsample is not None and tokens is not None:
                hidden, assignment = self.downsample(hidden, tokens)
        if assignment is not None:
            record(ATTENTIONS, assignment)
        return hidden, tokens


class GroupViTVisionModel(PreTrainedModel):
    """The image tower; `attentions` are the assignments (batch, groups, segments) of stages that gather."""

    base_model_prefix = "groupvit"
    config_class = GroupViTVisionConfig
    main_input_name = "pixel_values"
    hub_names = {
        "patch_embedding.projection": "vision_model.embeddings.patch_embeddings.projection",
        "position_embeddings": "vision_model.embeddings.position_embeddings",
        "embedding_norm": "vision_model.embeddings.layernorm",
        "stages": "vision_model.encoder.stages",
        "norm": "vision_model.layernorm",
    }

    def __init__(self, config: GroupViTVisionConfig) -> None:
        super().__init__(config)
        size, eps = config.hidden_size, config.layer_norm_eps
        self.patch_embedding = PatchEmbedding(config.image_size, config.patch_size, config.num_channels, size)
        self.position_embeddings = nn.Parameter(torch.zeros(1, self.patch_embedding.num_patches, size))
        self.embedding_norm, self.norm = nn.LayerNorm(size, eps=eps), nn.LayerNorm(size, eps=eps)
        self.dropout = nn.Dropout(config.dropout)
        self.stages = nn.ModuleList(Stage(config, i) for i in range(len(config.depths)))
        self.post_init()

    def forward(
        self, pixel_values: Tensor | None = None, *, interpolate_pos_encoding: bool = False
    ) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, groups, hidden) and pooled (batch, hidden)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        hidden = self.embedding_norm(self.patch_embedding(pixel_values, any_size=interpolate_pos_encoding))
        positions = self.position_embeddings
        if interpolate_pos_encoding:
            size = self.config.patch_size
            grid = (pixel_values.shape[-2] // size, pixel_values.shape[-1] // size)
            positions = interpolate_positions(positions, self.patch_embedding.grid, grid, prefix=0)
        hidden = self.dropout(hidden + positions)
        tokens: Tensor | None = None
        for stage in self.stages:
            record(HIDDEN_STATES, hidden)
            hidden, tokens = stage(hidden, tokens)
        record(HIDDEN_STATES, hidden)
        hidden = self.norm(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=hidden.mean(1))

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding
