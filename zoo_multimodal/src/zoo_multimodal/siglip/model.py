"""SigLIP: two pre-norm towers; whether an image and a text belong together is asked of each pair alone."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.loss import sequence_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ImageClassifierOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import LearnedPositions, embed
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions
from zoo_core.nn.recording import unrecorded
from zoo_core.nn.stack import run_layers
from zoo_multimodal.clip.model import CLIPLayer, CLIPOutput
from zoo_multimodal.siglip.config import SiglipConfig, SiglipTextConfig, SiglipVisionConfig


class SiglipPreTrainedModel(PreTrainedModel):
    """What all SigLIP classes share."""

    config_class = SiglipConfig
    base_model_prefix = "siglip"


class SiglipTextModel(SiglipPreTrainedModel):
    """The text tower, which sees all of a text; `pooler_output` is the projected state of the last token."""

    config_class = SiglipTextConfig
    hub_names = {
        "embed_tokens": "text_model.embeddings.token_embedding",
        "embed_positions": "text_model.embeddings.position_embedding",
        "layers": "text_model.encoder.layers",
        "norm": "text_model.final_layer_norm",
        "head": "text_model.head",
    }

    def __init__(self, config: SiglipTextConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.embed_tokens = nn.Embedding(config.vocab_size, size)
        self.embed_positions = LearnedPositions(config.max_position_embeddings, size)
        self.layers = nn.ModuleList(CLIPLayer(config, causal=False) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.head = nn.Linear(size, config.projection_size or size)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, projection)."""
        hidden = embed(self.embed_tokens, input_ids, None)
        hidden = hidden + self.embed_positions(position_ids, 0, hidden)
        hidden = self.norm(run_layers(self.layers, hidden, AttentionContext(hidden, attention_mask)))
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=self.head(hidden[:, -1]))


class AttentionPooling(nn.Module):
    """One learned query that attends to all patches, and a feed-forward block."""

    hub_names = {
        ("attention.q_proj.weight", "attention.k_proj.weight", "attention.v_proj.weight"): Fused(
            "attention.in_proj_weight"
        ),
        ("attention.q_proj.bias", "attention.k_proj.bias", "attention.v_proj.bias"): Fused(
            "attention.in_proj_bias"
        ),
        "attention.o_proj": "attention.out_proj",
    }

    def __init__(self, config: SiglipVisionConfig) -> None:
        super().__init__()
        self.probe = nn.Parameter(torch.randn(1, 1, config.hidden_size))
        self.attention = Attention(config.hidden_size, config.num_attention_heads, cross=True)
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = MLP(config.hidden_size, config.intermediate_size, config.hidden_act)

    def forward(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, patches, hidden) to (batch, hidden); `mask` (batch, patches) tells which patches count."""
        probe = self.probe.expand(len(hidden), -1, -1)
        context = AttentionContext(probe, encoder_states=hidden, encoder_padding=mask)
        with unrecorded():
            pooled = self.attention(probe, context)
        return (pooled + self.mlp(self.layernorm(pooled)))[:, 0]


class SiglipVisionModel(SiglipPreTrainedModel):
    """The image tower; `pooler_output` is what a learned query takes from the patches."""

    config_class = SiglipVisionConfig
    main_input_name = "pixel_values"
    hub_names = {
        "patch_embedding.projection": "vision_model.embeddings.patch_embedding",
        "position_embedding": "vision_model.embeddings.position_embedding.weight",
        "layers": "vision_model.encoder.layers",
        "post_norm": "vision_model.post_layernorm",
        "head": "vision_model.head",
    }

    def __init__(self, config: SiglipVisionConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.patch_embedding = PatchEmbedding(config.image_size, config.patch_size, config.num_channels, size)
        self.position_embedding = nn.Parameter(torch.empty(self.patch_embedding.num_patches, size))
        self.layers = nn.ModuleList(self.make_layer(config) for _ in range(config.num_hidden_layers))
        self.post_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.head = AttentionPooling(config) if getattr(config, "vision_use_head", True) else None
        self.post_init()

    def make_layer(self, config: Any) -> nn.Module:
        """A layer of the tower."""
        return CLIPLayer(config, causal=False)

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            nn.init.normal_(self.position_embedding, std=self.config.hidden_size**-0.5)
        elif isinstance(module, AttentionPooling):
            nn.init.normal_(module.probe)

    def forward(
        self, pixel_values: Tensor | None = None, *, interpolate_pos_encoding: bool = False
    ) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, patches, hidden), pooled (batch, hidden)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        patches = self.patch_embedding(pixel_values, any_size=interpolate_pos_encoding)
        positions = self.position_embedding[None]
        if interpolate_pos_encoding:
            size = self.config.patch_size
            grid = (pixel_values.shape[-2] // size, pixel_values.shape[-1] // size)
            positions = interpolate_positions(positions, self.patch_embedding.grid, grid, prefix=0)
        hidden = patches + positions
        hidden = self.post_norm(run_layers(self.layers, hidden, AttentionContext(hidden)))
        pooled = None if self.head is None else self.head(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding


class SiglipOutput(CLIPOutput):
    """As of CLIP: similarities, normalised embeddings, and both towers' outputs."""


def pairwise_loss(logits_per_text: Tensor) -> Tensor:
    """Each of the (texts, images) pairs is a question of its own, answered yes on the diagonal."""
    signs = 2 * torch.eye(len(logits_per_text), device=logits_per_text.device) - 1
    return -F.logsigmoid(signs * logits_per_text).sum(-1).mean()


class SiglipModel(SiglipPreTrainedModel):
    """Both towers, a learned temperature and a learned bias.

    A relative names its towers in `text_class` and `vision_class`.
    """

    hub_names = {"text_model": "", "vision_model": ""}
    text_class: ClassVar[type[PreTrainedModel]] = SiglipTextModel
    vision_class: ClassVar[type[PreTrainedModel]] = SiglipVisionModel

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__(config)
        self.text_model = self.text_class(config.text_config)
        self.vision_model = self.vision_class(config.vision_config)
        self.logit_scale = nn.Parameter(torch.empty(1))
        self.logit_bias = nn.Parameter(torch.empty(1))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            nn.init.zeros_(self.logit_scale)
            nn.init.zeros_(self.logit_bias)

    def get_text_features(self, input_ids: Tensor | None = None, **inputs: Tensor | None) -> Tensor:
        """Embedded texts (batch, projection), not normalised."""
        pooled: Tensor = self.text_model(input_ids, **inputs).pooler_output
        return pooled

    def get_image_features(self, pixel_values: Tensor | None = None, **inputs: Any) -> Tensor:
        """Embedded images (batch, hidden), not normalised."""
        pooled: Tensor = self.vision_model(pixel_values, **inputs).pooler_output
        return pooled

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        return_loss: bool | None = None,
        **images: Any,
    ) -> SiglipOutput:
        """Texts (texts, sequence) and images (images, channels, height, width) to their similarities.

        `return_loss` takes pair i to be text i and image i; further inputs are the image tower's.
        """
        vision = self.vision_model(pixel_values, **images)
        text = self.text_model(input_ids, attention_mask, position_ids)
        return SiglipOutput.matching(
            texts=text.pooler_output,
            images=vision.pooler_output,
            scale=self.logit_scale.exp(),
            bias=self.logit_bias,
            loss=pairwise_loss if return_loss else None,
            text_model_output=text,
            vision_model_output=vision,
        )


class SiglipForImageClassification(SiglipPreTrainedModel):
    """The image tower with a classifier on the mean of the patches' states."""

    main_input_name = "pixel_values"
    hub_names = {"vision_model": ""}
    vision_class: ClassVar[type[PreTrainedModel]] = SiglipVisionModel

    def __init__(self, config: SiglipConfig) -> None:
        super().__init__(config)
        self.vision_model = self.vision_class(config.vision_config)
        width = config.vision_config.hidden_size
        self.classifier = nn.Linear(width, config.num_labels) if config.num_labels > 0 else nn.Identity()
        self.post_init()

    def mean(self, hidden: Tensor, inputs: dict[str, Any]) -> Tensor:
        """(batch, patches, hidden), and the image tower's inputs, to (batch, hidden)."""
        return hidden.mean(1)

    def forward(
        self, pixel_values: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ImageClassifierOutput:
        outputs = self.vision_model(pixel_values, **inputs)
        logits = self.classifier(self.mean(outputs.last_hidden_state, inputs))
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return ImageClassifierOutput.carry(outputs, loss=loss, logits=logits)
