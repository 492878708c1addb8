"""AIMv2: towers of pre-norm layers with RMS norms and gates, and CLIP's comparison of both."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import LearnedPositions, embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.patch import PatchEmbedding
from zoo_core.nn.stack import run_layers
from zoo_multimodal.aimv2.config import Aimv2Config, Aimv2TextConfig, Aimv2VisionConfig
from zoo_multimodal.clip.model import CLIPOutput


class Aimv2PreTrainedModel(PreTrainedModel):
    """What all AIMv2 classes share."""

    config_class = Aimv2Config
    base_model_prefix = "aimv2"


class Aimv2Layer(PreNormLayer):
    """Self-attention and a gated feed-forward block; causal in the text tower."""

    hub_names = {
        "self_attn": "attention",
        "self_attn.o_proj": "attention.out_proj",
        "mlp": "ffn",
        "input_layernorm": "rms_norm1",
        "post_attention_layernorm": "rms_norm2",
    }

    def __init__(self, config: Aimv2TextConfig | Aimv2VisionConfig, *, causal: bool) -> None:
        super().__init__(
            config.hidden_size,
            partial(RMSNorm, eps=config.rms_norm_eps),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                bias=config.qkv_bias,
                dropout=config.attention_dropout,
                rule=CAUSAL if causal else FULL,
            ),
            mlp=GatedMLP(
                config.hidden_size, config.intermediate_size, config.hidden_act, bias=config.mlp_bias
            ),
        )


class Aimv2TextModel(Aimv2PreTrainedModel):
    """The text tower; `pooler_output` is the state of the first end-of-text token."""

    config_class = Aimv2TextConfig
    hub_names = {
        "embed_tokens": "embeddings.token_embedding",
        "embed_positions": "embeddings.position_embedding",
        "layers": "encoder.layers",
        "norm": "rms_norm",
    }

    def __init__(self, config: Aimv2TextConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.embed_positions = LearnedPositions(config.max_position_embeddings, config.hidden_size)
        self.layers = nn.ModuleList(Aimv2Layer(config, causal=True) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_init()

    def forward(
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, hidden)."""
        hidden = embed(self.embed_tokens, input_ids, None)
        hidden = hidden + self.embed_positions(None, 0, hidden)
        hidden = self.norm(run_layers(self.layers, hidden, AttentionContext(hidden, attention_mask)))
        assert input_ids is not None
        ends = (input_ids == self.config.eos_token_id).int().argmax(-1)
        pooled = hidden[torch.arange(len(hidden), device=hidden.device), ends]
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


class AttentionPooling(nn.Module):
    """A learned query that attends to all patches."""

    hub_names = {"o_proj": "output_proj"}

    def __init__(self, config: Aimv2VisionConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.heads = config.num_attention_heads
        self.cls_token = nn.Parameter(torch.zeros(1, 1, size))
        self.k_proj = Linear(size, size, bias=config.qkv_bias)
        self.v_proj = Linear(size, size, bias=config.qkv_bias)
        self.o_proj = Linear(size, size)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, patches, hidden) to (batch, hidden)."""

        def split(x: Tensor) -> Tensor:
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        query = split(self.cls_token.expand(len(hidden), -1, -1))
        pooled = F.scaled_dot_product_attention(query, split(self.k_proj(hidden)), split(self.v_proj(hidden)))
        return self.o_proj(pooled.flatten(1))


def grid_sinusoids(height: int, width: int, size: int) -> Tensor:
    """(height x width, size): sines and cosines of the column, then of the row, a quarter each."""
    steps = torch.arange(size // 4, dtype=torch.float32) / (size // 4)
    rows, columns = (torch.arange(n, dtype=torch.float32)[:, None] / 10000.0**steps for n in (height, width))
    rows = rows[:, None].expand(-1, width, -1)
    columns = columns[None].expand(height, -1, -1)
    return torch.cat((columns.sin(), columns.cos(), rows.sin(), rows.cos()), dim=-1).flatten(0, 1)


class Aimv2VisionModel(Aimv2PreTrainedModel):
    """The image tower; `pooler_output` is what a learned query takes from the patches."""

    config_class = Aimv2VisionConfig
    main_input_name = "pixel_values"
    hub_names = {
        "patch_embedding.projection": "embeddings.patch_embed",
        "patch_norm": "embeddings.rms_norm",
        "position_embedding": "embeddings.position_embedding.weight",
        "layers": "encoder.layers",
        "norm": "rms_norm",
    }

    def __init__(self, config: Aimv2VisionConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.patch_embedding = PatchEmbedding(config.image_size, config.patch_size, config.num_channels, size)
        self.patch_norm = RMSNorm(size, config.rms_norm_eps)
        self.position_embedding: nn.Parameter | None = None
        if not config.is_native:
            self.position_embedding = nn.Parameter(torch.empty(self.patch_embedding.num_patches, size))
        self.layers = nn.ModuleList(Aimv2Layer(config, causal=False) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(size, config.rms_norm_eps)
        self.head = AttentionPooling(config) if config.use_head else None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self and self.position_embedding is not None:
            nn.init.normal_(self.position_embedding, std=self.config.initializer_range)

    def forward(
        self, pixel_values: Tensor | None = None, attention_mask: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, patches, hidden), pooled (batch, hidden)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        native = self.position_embedding is None
        hidden = self.patch_norm(self.patch_embedding(pixel_values, any_size=native))
        if self.position_embedding is None:
            grid = [extent // self.config.patch_size for extent in pixel_values.shape[-2:]]
            positions = grid_sinusoids(grid[0], grid[1], hidden.shape[-1])
            hidden = hidden + positions.to(hidden)
        else:
            hidden = hidden + self.position_embedding
        hidden = self.norm(run_layers(self.layers, hidden, AttentionContext(hidden, attention_mask)))
        pooled = None if self.head is None else self.head(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding


class Aimv2Output(CLIPOutput):
    """As of CLIP: similarities, normalised embeddings, and both towers' outputs; there is no loss."""


class Aimv2Model(Aimv2PreTrainedModel):
    """Both towers, their projections, and a learned temperature of at most `max_logit_scale`."""

    def __init__(self, config: Aimv2Config) -> None:
        super().__init__(config)
        text, vision = config.text_config, config.vision_config
        self.text_model = Aimv2TextModel(text)
        self.vision_model = Aimv2VisionModel(vision)
        self.visual_projection = Linear(vision.hidden_size, config.projection_dim, bias=False)
        self.text_projection = Linear(text.hidden_size, config.projection_dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value))
        self.post_init()

    def get_text_features(self, input_ids: Tensor | None = None, **inputs: Any) -> Tensor:
        """Projected texts (batch, projection), not normalised."""
        return self.text_projection(self.text_model(input_ids, **inputs).pooler_output)

    def get_image_features(self, pixel_values: Tensor | None = None, **inputs: Any) -> Tensor:
        """Projected images (batch, projection), not normalised."""
        return self.visual_projection(self.vision_model(pixel_values, **inputs).pooler_output)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Aimv2Output:
        """Texts (texts, sequence) and images (images, channels, height, width) to their similarities."""
        vision = self.vision_model(pixel_values)
        text = self.text_model(input_ids, attention_mask)
        return Aimv2Output.matching(
            texts=self.text_projection(text.pooler_output),
            images=self.visual_projection(vision.pooler_output),
            scale=self.logit_scale.clamp(0.0, self.config.max_logit_scale).exp(),
            text_model_output=text,
            vision_model_output=vision,
        )
