"""MGP-STR: a ViT, and for each of three alphabets attention that gathers a state for each token."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import DropPath, drop_rates
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding
from zoo_core.nn.stack import run_layers
from zoo_multimodal.mgp_str.config import MgpstrConfig


class MgpstrPreTrainedModel(PreTrainedModel):
    """What both classes share."""

    config_class = MgpstrConfig
    base_model_prefix = "mgp_str"
    main_input_name = "pixel_values"


class MgpstrModelOutput(ModelOutput):
    """Scores (batch, tokens, labels) of characters, byte pairs and word pieces, as a tuple.

    `a3_attentions` are where the tokens of each look, (batch, tokens, 1 + patches).
    """

    logits: tuple[Tensor, Tensor, Tensor] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    a3_attentions: tuple[Tensor, ...] | None = None


class MgpstrLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = {
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused("attn.qkv"),
        "self_attn": "attn",
        "self_attn.o_proj": "attn.proj",
        "input_layernorm": "norm1",
        "post_attention_layernorm": "norm2",
    }

    def __init__(self, config: MgpstrConfig, drop_path: float) -> None:
        size = config.hidden_size
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                size,
                config.num_attention_heads,
                bias=config.qkv_bias,
                out_bias=True,
                dropout=config.attn_drop_rate,
            ),
            mlp=MLP(size, int(size * config.mlp_ratio), "gelu", activation_dropout=config.drop_rate),
        )
        self.dropout = nn.Sequential(nn.Dropout(config.drop_rate), DropPath(drop_path))


class MgpstrModel(MgpstrPreTrainedModel):
    """Class token and patches, and layers without a norm at the end."""

    hub_names = {
        "cls_token": "embeddings.cls_token",
        "position_embeddings": "embeddings.pos_embed",
        "patch_embedding.projection": "embeddings.proj",
        "layers": "encoder.blocks",
    }

    def __init__(self, config: MgpstrConfig) -> None:
        super().__init__(config)
        size, first = config.hidden_size, 2 if config.distilled else 1
        self.patch_embedding = PatchEmbedding(config.image_size, config.patch_size, config.num_channels, size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.position_embeddings = nn.Parameter(
            torch.zeros(1, self.patch_embedding.num_patches + first, size)
        )
        self.dropout = nn.Dropout(config.drop_rate)
        rates = drop_rates(config.drop_path_rate, config.num_hidden_layers)
        self.layers = nn.ModuleList(MgpstrLayer(config, rate) for rate in rates)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            for table in (self.cls_token, self.position_embeddings):
                nn.init.trunc_normal_(table, std=self.config.initializer_range)

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding

    def forward(self, pixel_values: Tensor) -> BaseModelOutput:
        """(batch, channels, height, width) to states (batch, 1 + patches, hidden)."""
        patches = self.patch_embedding(pixel_values)
        hidden = torch.cat((self.cls_token.expand(len(patches), -1, -1), patches), dim=1)
        hidden = self.dropout(hidden + self.position_embeddings)
        return BaseModelOutput(last_hidden_state=run_layers(self.layers, hidden, AttentionContext(hidden)))


class AdaptiveAddressing(nn.Module):
    """A state for each token of a text: the mean of the patches' features, weighted by where it looks."""

    hub_names = {"token_learner": "tokenLearner"}
    groups = 8

    def __init__(self, config: MgpstrConfig) -> None:
        super().__init__()
        size = config.hidden_size
        conv = partial(nn.Conv2d, kernel_size=1, bias=False)
        self.token_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.token_learner = nn.Sequential(
            conv(size, size, groups=self.groups), conv(size, config.max_token_length)
        )
        self.feat = conv(size, size, groups=self.groups)
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)

    def forward(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, patches, hidden) to (batch, tokens, hidden), and the weights (batch, tokens, patches)."""
        channels = self.token_norm(hidden).transpose(1, 2)[..., None]
        weights = self.token_learner(channels).flatten(2).softmax(-1)
        return self.norm(weights @ self.feat(channels).flatten(2).transpose(1, 2)), weights


class MgpstrForSceneTextRecognition(MgpstrPreTrainedModel):
    """MGP-STR with scores of characters, byte pairs (GPT-2's) and word pieces (BERT's)."""

    hub_names = {"model": "mgp_str"}

    def __init__(self, config: MgpstrConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.model = MgpstrModel(config)
        self.char_a3_module = AdaptiveAddressing(config)
        self.bpe_a3_module = AdaptiveAddressing(config)
        self.wp_a3_module = AdaptiveAddressing(config)
        self.char_head = nn.Linear(size, config.num_character_labels)
        self.bpe_head = nn.Linear(size, config.num_bpe_labels)
        self.wp_head = nn.Linear(size, config.num_wordpiece_labels)
        self.post_init()

    def forward(self, pixel_values: Tensor, *, output_a3_attentions: bool | None = None) -> MgpstrModelOutput:
        """Pictures (batch, channels, height, width) of words to their scores, see the output."""
        outputs = self.model(pixel_values)
        hidden = outputs.last_hidden_state
        char, char_weights = self.char_a3_module(hidden)
        bpe, bpe_weights = self.bpe_a3_module(hidden)
        wp, wp_weights = self.wp_a3_module(hidden)
        if output_a3_attentions is None:
            output_a3_attentions = self.config.output_a3_attentions
        return MgpstrModelOutput.carry(
            outputs,
            logits=(self.char_head(char), self.bpe_head(bpe), self.wp_head(wp)),
            a3_attentions=(char_weights, bpe_weights, wp_weights) if output_a3_attentions else None,
        )
