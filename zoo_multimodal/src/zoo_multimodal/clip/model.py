"""CLIP: two pre-norm towers, trained so that an image and its caption lie close together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import CLIP_LAYER
from zoo_core.modeling.loss import sequence_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ImageClassifierOutput, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import LearnedPositions, embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL, FULL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions
from zoo_core.nn.stack import run_layers
from zoo_multimodal.clip.config import CLIPConfig, CLIPTextConfig, CLIPVisionConfig


class CLIPPreTrainedModel(PreTrainedModel):
    """What all CLIP classes share."""

    config_class = CLIPConfig
    base_model_prefix = "clip"


class CLIPLayer(PreNormLayer):
    """Self-attention and a feed-forward block; causal in the text tower."""

    hub_names = CLIP_LAYER

    def __init__(self, config: CLIPTextConfig | CLIPVisionConfig, *, causal: bool) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                dropout=config.attention_dropout,
                rule=CAUSAL if causal else FULL,
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
        )


class CLIPTextModel(CLIPPreTrainedModel):
    """The text tower; `pooler_output` is the state of the end-of-text token."""

    config_class = CLIPTextConfig
    hub_names = {
        "embed_tokens": "text_model.embeddings.token_embedding",
        "embed_positions": "text_model.embeddings.position_embedding",
        "layers": "text_model.encoder.layers",
        "norm": "text_model.final_layer_norm",
    }

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.embed_positions = LearnedPositions(config.max_position_embeddings, config.hidden_size)
        self.layers = nn.ModuleList(CLIPLayer(config, causal=True) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, hidden)."""
        hidden = embed(self.embed_tokens, input_ids, None)
        hidden = hidden + self.embed_positions(position_ids, 0, hidden)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden, attention_mask))
        hidden = self.norm(hidden)
        assert input_ids is not None
        rows = torch.arange(len(hidden), device=hidden.device)
        pooled = hidden[rows, self.ends(input_ids).to(hidden.device)]
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)

    def ends(self, input_ids: Tensor) -> Tensor:
        """(batch,) position of each row's first end-of-text token.

        Older configs say 2, which no checkpoint uses: there it is the token with the highest id.
        """
        if self.config.eos_token_id == 2:
            return input_ids.argmax(-1)
        return (input_ids == self.config.eos_token_id).int().argmax(-1)


class CLIPVisionModel(CLIPPreTrainedModel):
    """The image tower; `pooler_output` is the normalised state of the class token."""

    config_class = CLIPVisionConfig
    main_input_name = "pixel_values"
    hub_names = {
        "class_embedding": "vision_model.embeddings.class_embedding",
        "patch_embedding.projection": "vision_model.embeddings.patch_embedding",
        "position_embedding": "vision_model.embeddings.position_embedding.weight",
        "pre_norm": "vision_model.pre_layrnorm",
        "layers": "vision_model.encoder.layers",
        "post_norm": "vision_model.post_layernorm",
    }

    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        self.class_embedding = nn.Parameter(torch.empty(size))
        self.patch_embedding = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size, bias=False
        )
        self.position_embedding = nn.Parameter(torch.empty(self.patch_embedding.num_patches + 1, size))
        self.pre_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.layers = self.make_layers(config)
        self.post_norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.post_init()

    def make_layers(self, config: CLIPVisionConfig) -> nn.ModuleList:
        """The layers of the tower."""
        return nn.ModuleList(CLIPLayer(config, causal=False) for _ in range(config.num_hidden_layers))

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            nn.init.normal_(self.class_embedding, std=self.config.hidden_size**-0.5)
            nn.init.normal_(self.position_embedding, std=self.config.initializer_range)

    def forward(
        self, pixel_values: Tensor | None = None, *, interpolate_pos_encoding: bool = False
    ) -> BaseModelOutputWithPooling:
        """(batch, channels, height, width) to states (batch, 1 + patches, hidden), pooled (batch, hidden)."""
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        patches = self.patch_embedding(pixel_values, any_size=interpolate_pos_encoding)
        first = self.class_embedding.expand(len(patches), 1, -1)
        positions = self.position_embedding[None]
        if interpolate_pos_encoding:
            size = self.config.patch_size
            grid = (pixel_values.shape[-2] // size, pixel_values.shape[-1] // size)
            positions = interpolate_positions(positions, self.patch_embedding.grid, grid)
        hidden = self.pre_norm(torch.cat((first, patches), dim=1) + positions)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden))
        return BaseModelOutputWithPooling(
            last_hidden_state=hidden, pooler_output=self.post_norm(hidden[:, 0])
        )

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding


class CLIPTextModelOutput(ModelOutput):
    """States of the text tower and their projection `text_embeds` (batch, projection)."""

    text_embeds: Tensor | None = None
    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class CLIPVisionModelOutput(ModelOutput):
    """States of the image tower and their projection `image_embeds` (batch, projection)."""

    image_embeds: Tensor | None = None
    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class CLIPTextModelWithProjection(CLIPPreTrainedModel):
    """The text tower and its projection."""

    config_class = CLIPTextConfig
    hub_names = {"text_model": ""}
    text_class: ClassVar[type[CLIPTextModel]] = CLIPTextModel

    def __init__(self, config: CLIPTextConfig) -> None:
        super().__init__(config)
        self.text_model = self.text_class(config)
        self.text_projection = nn.Linear(config.hidden_size, config.projection_dim, bias=False)
        self.post_init()

    def forward(self, input_ids: Tensor | None = None, **inputs: Tensor | None) -> CLIPTextModelOutput:
        outputs = self.text_model(input_ids, **inputs)
        return CLIPTextModelOutput.carry(outputs, text_embeds=self.text_projection(outputs.pooler_output))


class CLIPVisionModelWithProjection(CLIPPreTrainedModel):
    """The image tower and its projection."""

    config_class = CLIPVisionConfig
    main_input_name = "pixel_values"
    hub_names = {"vision_model": ""}
    vision_class: ClassVar[type[CLIPVisionModel]] = CLIPVisionModel

    def __init__(self, config: CLIPVisionConfig) -> None:
        super().__init__(config)
        self.vision_model = self.vision_class(config)
        self.visual_projection = nn.Linear(config.hidden_size, config.projection_dim, bias=False)
        self.post_init()

    def forward(self, pixel_values: Tensor | None = None, **inputs: bool) -> CLIPVisionModelOutput:
        outputs = self.vision_model(pixel_values, **inputs)
        return CLIPVisionModelOutput.carry(
            outputs, image_embeds=self.visual_projection(outputs.pooler_output)
        )


class CLIPOutput(ModelOutput):
    """Similarities (images, texts) and (texts, images), normalised embeddings, and both towers' outputs."""

    loss: Tensor | None = None
    logits_per_image: Tensor
    logits_per_text: Tensor
    text_embeds: Tensor
    image_embeds: Tensor
    text_model_output: BaseModelOutputWithPooling
    vision_model_output: BaseModelOutputWithPooling

    @classmethod
    def matching(
        cls,
        *,
        texts: Tensor,
        images: Tensor,
        scale: Tensor,
        bias: Tensor | None = None,
        loss: Callable[[Tensor], Tensor] | None = None,
        **outputs: Any,
    ) -> Self:
        """The similarities of projected texts and images (count, projection), and the loss of those.

        `outputs` are those of the towers.
        """
        texts, images = F.normalize(texts, dim=-1), F.normalize(images, dim=-1)
        per_text = texts @ images.t() * scale
        per_text = per_text if bias is None else per_text + bias
        return cls(
            loss=None if loss is None else loss(per_text),
            logits_per_image=per_text.t(),
            logits_per_text=per_text,
            text_embeds=texts,
            image_embeds=images,
            **outputs,
        )


def contrastive_loss(logits_per_text: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of matching pairs on the diagonal, averaged over both directions."""
    pairs = torch.arange(len(logits_per_text), device=logits_per_text.device)
    loss = partial(F.cross_entropy, target=pairs, label_smoothing=label_smoothing)
    return (loss(logits_per_text) + loss(logits_per_text.t())) / 2


class CLIPModel(CLIPPreTrainedModel):
    """Both towers, their projections, and a learned temperature.

    A relative names its towers in `text_class` and `vision_class`.
    """

    hub_names = {"text_model": "", "vision_model": ""}
    text_class: ClassVar[type[PreTrainedModel]] = CLIPTextModel
    vision_class: ClassVar[type[PreTrainedModel]] = CLIPVisionModel

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__(config)
        text, vision = config.text_config, config.vision_config
        self.text_model = self.text_class(text)
        self.vision_model = self.vision_class(vision)
        self.visual_projection = nn.Linear(vision.hidden_size, config.projection_dim, bias=False)
        self.text_projection = nn.Linear(self.text_width(text), config.projection_dim, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value))
        self.post_init()

    def text_width(self, config: Any) -> int:
        """Width of what `text_vector` gives."""
        return int(config.hidden_size)

    def text_vector(self, outputs: ModelOutput) -> Tensor:
        """(batch, width) for each text, from the text tower's output."""
        return outputs.pooler_output

    def get_text_features(self, input_ids: Tensor | None = None, **inputs: Tensor | None) -> Tensor:
        """Projected texts (batch, projection), not normalised."""
        return self.text_projection(self.text_vector(self.text_model(input_ids, **inputs)))

    def get_image_features(self, pixel_values: Tensor | None = None, **inputs: bool) -> Tensor:
        """Projected images (batch, projection), not normalised."""
        return self.visual_projection(self.vision_model(pixel_values, **inputs).pooler_output)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        return_loss: bool | None = None,
        interpolate_pos_encoding: bool = False,
        **inputs: Tensor | None,
    ) -> CLIPOutput:
        """Texts (texts, sequence) and images (images, channels, height, width) to their similarities.

        `return_loss` takes pair i to be text i and image i; further inputs are the text tower's.
        """
        vision = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        text = self.text_model(input_ids, attention_mask=attention_mask, position_ids=position_ids, **inputs)
        return CLIPOutput.matching(
            texts=self.text_projection(self.text_vector(text)),
            images=self.visual_projection(vision.pooler_output),
            scale=self.logit_scale.exp(),
            loss=contrastive_loss if return_loss else None,
            text_model_output=text,
            vision_model_output=vision,
        )


class CLIPForImageClassification(CLIPPreTrainedModel):
    """The image tower with a classifier on the mean of the patches' states."""

    main_input_name = "pixel_values"
    hub_names = {"vision_model": ""}
    vision_class: ClassVar[type[CLIPVisionModel]] = CLIPVisionModel

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__(config)
        self.vision_model = self.vision_class(config.vision_config)
        width = config.vision_config.hidden_size
        self.classifier = nn.Linear(width, config.num_labels) if config.num_labels > 0 else nn.Identity()
        self.post_init()

    def forward(
        self, pixel_values: Tensor | None = None, *, labels: Tensor | None = None
    ) -> ImageClassifierOutput:
        outputs = self.vision_model(pixel_values)
        logits = self.classifier(outputs.last_hidden_state[:, 1:].mean(1))
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return ImageClassifierOutput.carry(outputs, loss=loss, logits=logits)
