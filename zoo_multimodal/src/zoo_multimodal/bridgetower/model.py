"""BridgeTower: a RoBERTa and a ViT, and cross-modal layers that each read one more layer of both."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LAYER
from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PostNormLayer, PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, taken, unrecorded, wants
from zoo_multimodal.bridgetower.config import (
    BridgeTowerConfig,
    BridgeTowerTextConfig,
    BridgeTowerVisionConfig,
)
from zoo_text.bert.model import Pooler
from zoo_text.roberta.model import RobertaModel


class BridgeTowerPreTrainedModel(PreTrainedModel):
    """What all BridgeTower classes share."""

    config_class = BridgeTowerConfig
    base_model_prefix = "bridgetower"
    ignored_names = ("*position_ids",)


class BridgeTowerModelOutput(ModelOutput):
    """States of text and image, and the pooled states of both side by side.

    `hidden_states` are those of the text tower, of the image tower (1 + patches, batch, hidden), and pairs
    of those across; `attentions` are pairs of self-attention across.
    """

    text_features: Tensor | None = None
    image_features: Tensor | None = None
    pooler_output: Tensor | None = None
    hidden_states: tuple[Any, ...] | None = None
    attentions: tuple[Any, ...] | None = None


class BridgeTowerContrastiveOutput(ModelOutput):
    """Embeddings of texts, images and pairs, normalised; `logits` are the three stacked (batch, 3, width)."""

    loss: Tensor | None = None
    logits: Tensor | None = None
    text_embeds: Tensor | None = None
    image_embeds: Tensor | None = None
    cross_embeds: Tensor | None = None
    hidden_states: tuple[Any, ...] | None = None
    attentions: tuple[Any, ...] | None = None


class BridgeTowerTextModel(RobertaModel):
    """The text tower."""

    config_class = BridgeTowerTextConfig


class VisionLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = {
        "self_attn": "attn",
        ("self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"): Fused(
            "attn.in_proj_weight"
        ),
        ("self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias"): Fused(
            "attn.in_proj_bias"
        ),
        "self_attn.o_proj": "attn.out_proj",
        "input_layernorm": "ln_1",
        "post_attention_layernorm": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
    }

    def __init__(self, config: BridgeTowerVisionConfig) -> None:
        size = config.hidden_size
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(size, size // 64),
            mlp=MLP(size, size * 4, "quick_gelu"),
        )


class BridgeTowerVisionModel(BridgeTowerPreTrainedModel):
    """The image tower."""

    config_class = BridgeTowerVisionConfig
    main_input_name = "pixel_values"
    hub_names = {
        "class_embedding": "visual.embeddings.class_embedding",
        "patch_embedding.projection": "visual.embeddings.patch_embedding",
        "position_embedding": "visual.embeddings.position_embedding.weight",
        "pre_norm": "visual.ln_pre",
        "layers": "visual.transformer.resblocks",
        "post_norm": "visual.ln_post",
    }

    def __init__(self, config: BridgeTowerVisionConfig) -> None:
        super().__init__(config)
        size, eps = config.hidden_size, config.layer_norm_eps
        self.class_embedding = nn.Parameter(torch.randn(size) * size**-0.5)
        self.patch_embedding = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size, bias=False
        )
        self.position_embedding = nn.Parameter(torch.zeros(self.patch_embedding.num_patches + 1, size))
        self.pre_norm, self.post_norm = nn.LayerNorm(size, eps=eps), nn.LayerNorm(size, eps=eps)
        count = config.num_hidden_layers - config.remove_last_layer
        self.layers = nn.ModuleList(VisionLayer(config) for _ in range(count))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding

    def embed(self, pixel_values: Tensor, *, interpolate: bool) -> Tensor:
        """(batch, channels, height, width) to (batch, 1 + patches, hidden)."""
        patches = self.patch_embedding(pixel_values, any_size=interpolate)
        positions = self.position_embedding[None]
        if interpolate:
            size = self.config.patch_size
            grid = (pixel_values.shape[-2] // size, pixel_values.shape[-1] // size)
            positions = interpolate_positions(positions, self.patch_embedding.grid, grid)
        first = self.class_embedding.expand(len(patches), 1, -1)
        return self.pre_norm(torch.cat((first, patches), dim=1) + positions)

    def forward(self, pixel_values: Tensor, *, interpolate_pos_encoding: bool = False) -> Tensor:
        """Normalised states (batch, 1 + patches, hidden)."""
        hidden = self.embed(pixel_values, interpolate=interpolate_pos_encoding)
        for layer in self.layers:
            hidden = layer(hidden, AttentionContext(hidden))
        return self.post_norm(hidden)


class CrossLayer(PostNormLayer):
    """Self-attention, cross-attention to the other side, and a feed-forward block."""

    hub_names = BERT_LAYER

    def __init__(self, config: BridgeTowerTextConfig) -> None:
        attention = partial(
            Attention,
            config.hidden_size,
            config.num_attention_heads,
            dropout=config.attention_probs_dropout_prob,
        )
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=attention(),
            cross_attn=attention(cross=True),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )


class Link(nn.Module):
    """A tower's states joined with those across, by the rule that the config names."""

    hub_names = {"layer_norm": "LayerNorm"}

    def __init__(self, config: BridgeTowerConfig) -> None:
        super().__init__()
        self.rule = config.link_tower_type
        if self.rule == "scaled_add":
            self.scaled_factor = nn.Parameter(torch.tensor(1.0))
        elif self.rule == "interpolate":
            self.beta = nn.Parameter(torch.tensor(0.5))
        self.layer_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)

    def forward(self, tower: Tensor, across: Tensor) -> Tensor:
        if self.rule == "scaled_add":
            return self.layer_norm(tower * self.scaled_factor + across)
        if self.rule == "interpolate":
            return self.layer_norm(tower * (1 - self.beta) + across * self.beta)
        return self.layer_norm(tower + across)


class Reading(NamedTuple):
    """All states of one run: of the text tower, of the image tower, and pairs of those across."""

    text: list[Tensor]
    image: list[Tensor]
    across: list[tuple[Tensor, Tensor]]


class BridgeTowerModel(BridgeTowerPreTrainedModel):
    """Both towers, the layers across, and a pooler of each side."""

    def __init__(self, config: BridgeTowerConfig) -> None:
        super().__init__(config)
        text, vision, size = config.text_config, config.vision_config, config.hidden_size
        norm = partial(nn.LayerNorm, size, eps=config.layer_norm_eps)
        count = config.num_hidden_layers
        self.text_model = BridgeTowerTextModel(text)
        self.vision_model = BridgeTowerVisionModel(vision)
        self.cross_modal_text_transform = nn.Linear(text.hidden_size, size)
        self.cross_modal_image_transform = nn.Linear(vision.hidden_size, size)
        self.token_type_embeddings = nn.Embedding(2, size)
        self.cross_modal_text_layers = nn.ModuleList(CrossLayer(text) for _ in range(count))
        self.cross_modal_image_layers = nn.ModuleList(CrossLayer(text) for _ in range(count))
        self.cross_modal_text_pooler, self.cross_modal_image_pooler = Pooler(size), Pooler(size)
        self.cross_modal_text_layernorm, self.cross_modal_image_layernorm = norm(), norm()
        self.cross_modal_text_link_tower = nn.ModuleList(Link(config) for _ in range(count - 1))
        self.cross_modal_image_link_tower = nn.ModuleList(Link(config) for _ in range(count - 1))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.text_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.text_model.set_input_embeddings(value)

    def text_side(self, hidden: Tensor) -> Tensor:
        """The text tower's states as the layers across read them."""
        return self.cross_modal_text_transform(hidden) + self.token_type_embeddings.weight[0]

    def image_side(self, hidden: Tensor, kind: int = 1) -> Tensor:
        """The image tower's states as the layers across read them."""
        if self.config.vision_config.stop_gradient:
            hidden = hidden.detach()
        normalised = self.vision_model.post_norm(hidden)
        return self.cross_modal_image_transform(normalised) + self.token_type_embeddings.weight[kind]

    def read(
        self,
        text: Tensor,
        image: Tensor,
        attention_mask: Tensor | None,
        *,
        first: int,
        kind: int,
    ) -> Reading:
        """Run both towers, and from layer `first` on those across beside them, on embedded inputs."""
        reading = Reading([text], [image], [])
        context, image_context = AttentionContext(text, attention_mask), AttentionContext(image)
        links = zip(
            (None, *self.cross_modal_text_link_tower),
            (None, *self.cross_modal_image_link_tower),
            self.cross_modal_text_layers,
            self.cross_modal_image_layers,
            strict=True,
        )
        for i, (layer, image_layer) in enumerate(
            zip(self.text_model.layers, self.vision_model.layers, strict=False)
        ):
            with unrecorded():
                text, image = layer(text, context), image_layer(image, image_context)
            reading.text.append(text)
            reading.image.append(image)
            if i + 1 < first:
                continue
            link, image_link, cross, image_cross = next(links)
            if link is None or image_link is None:
                words = self.cross_modal_text_layernorm(self.text_side(text))
                patches = self.cross_modal_image_layernorm(self.image_side(image, kind))
            else:
                words = link(self.text_side(text), reading.across[-1][0])
                patches = image_link(self.image_side(image, kind), reading.across[-1][1])
            pair = (
                cross(words, AttentionContext(words, attention_mask, encoder_states=patches)),
                image_cross(
                    patches,
                    AttentionContext(patches, encoder_states=words, encoder_padding=attention_mask),
                ),
            )
            reading.across.append(pair)
        return reading

    def run(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        pixel_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        image_embeds: Tensor | None = None,
        image_token_type_idx: int = 1,
        interpolate_pos_encoding: bool = False,
    ) -> Reading:
        """All states; the arguments are those of `forward`."""
        if (pixel_values is None) == (image_embeds is None):
            raise ValueError("pass exactly one of pixel_values and image_embeds")
        text = self.text_model.embeddings(
            input_ids, inputs_embeds=inputs_embeds, token_type_ids=token_type_ids
        )
        if image_embeds is None:
            assert pixel_values is not None
            image = self.vision_model.embed(pixel_values, interpolate=interpolate_pos_encoding)
        else:
            image = image_embeds
        if len(text) != len(image):
            raise ValueError(f"{len(text)} texts came with {len(image)} images; pass one for each")
        first = self.config.text_config.num_hidden_layers - self.config.num_hidden_layers + 1
        return self.read(text, image, attention_mask, first=first, kind=image_token_type_idx)

    def forward(self, input_ids: Tensor | None = None, **inputs: Any) -> BridgeTowerModelOutput:
        """A text (batch, sequence) and its image (batch, channels, height, width) to states of both.

        `pixel_mask` is taken and not read: all patches count, as recorded of the reference. Otherwise as
        `run`.
        """
        return self.output(self.run(input_ids, **inputs))

    def output(self, reading: Reading) -> BridgeTowerModelOutput:
        """What is returned of a run."""
        text, image = reading.across[-1]
        pooled = torch.cat((self.cross_modal_text_pooler(text), self.cross_modal_image_pooler(image)), dim=-1)
        states = None
        if wants(HIDDEN_STATES):
            towers = (tuple(reading.text), tuple(state.transpose(0, 1) for state in reading.image))
            states = (*towers, tuple(reading.across))
        weights = taken(ATTENTIONS)
        return BridgeTowerModelOutput(
            text_features=text,
            image_features=image,
            pooler_output=pooled,
            hidden_states=states,
            attentions=tuple(zip(weights[::2], weights[1::2], strict=True)) or None,
        )
