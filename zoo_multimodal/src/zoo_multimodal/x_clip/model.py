"""X-CLIP: frames that send each other messages, a transformer over time, and prompts from video to text."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import DropPath, drop_rates
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import unrecorded
from zoo_core.nn.stack import run_layers
from zoo_multimodal.clip.model import CLIPLayer, CLIPTextModel, CLIPVisionModel, contrastive_loss
from zoo_multimodal.x_clip.config import XCLIPConfig, XCLIPTextConfig, XCLIPVisionConfig


class XCLIPPreTrainedModel(PreTrainedModel):
    """What all X-CLIP classes share."""

    config_class = XCLIPConfig
    base_model_prefix = "x_clip"


class XCLIPTextModel(XCLIPPreTrainedModel, CLIPTextModel):
    """The text tower; the highest id ends a text."""

    config_class = XCLIPTextConfig

    def ends(self, input_ids: Tensor) -> Tensor:
        return input_ids.argmax(-1)


class FrameLayer(CLIPLayer):
    """CLIP's, with a token more: what the other frames of a video have to say."""

    def __init__(self, config: XCLIPVisionConfig, drop_path: float) -> None:
        super().__init__(config, causal=False)  # type: ignore[arg-type]
        size = config.hidden_size
        self.frames = config.num_frames
        self.message_fc, self.message_ln = Linear(size, size), nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.message_attn = Attention(size, config.num_attention_heads, dropout=config.attention_dropout)
        self.message_attn.hub_names = {"o_proj": "out_proj"}
        self.drop_path = DropPath(drop_path)

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        """(videos x frames, 1 + patches, size) to the same shape."""
        length = hidden.shape[1]
        message = self.message_fc(hidden[:, 0]).unflatten(0, (-1, self.frames))
        normed = self.message_ln(message)
        with unrecorded():
            message = message + self.drop_path(self.message_attn(normed, AttentionContext(normed)))
        hidden = torch.cat((hidden, message.flatten(0, 1)[:, None]), dim=1)
        hidden = hidden + self.drop_path(self.self_attn(self.input_layernorm(hidden), context, **attention))
        hidden = hidden[:, :length]
        return hidden + self.drop_path(self.mlp(self.post_attention_layernorm(hidden)))


class XCLIPVisionModel(XCLIPPreTrainedModel, CLIPVisionModel):
    """The tower of frames (videos x frames, channels, height, width)."""

    config_class = XCLIPVisionConfig
    hub_names = CLIPVisionModel.hub_names | {"pre_norm": "vision_model.pre_layernorm"}

    def make_layers(self, config: XCLIPVisionConfig) -> nn.ModuleList:  # type: ignore[override]
        rates = drop_rates(config.drop_path_rate, config.num_hidden_layers)
        return nn.ModuleList(FrameLayer(config, rate) for rate in rates)

    def forward(
        self, pixel_values: Tensor | None = None, *, interpolate_pos_encoding: bool = False
    ) -> BaseModelOutputWithPooling:
        frames = self.config.num_frames
        if pixel_values is not None and len(pixel_values) % frames:
            raise ValueError(f"{len(pixel_values)} frames are no multiple of num_frames, which is {frames}")
        return super().forward(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)


class TimeTransformer(XCLIPPreTrainedModel):
    """Vectors of frames (videos, frames, width) to states, and pooled their mean (videos, width)."""

    config_class = XCLIPVisionConfig
    hub_names = {"layers": "encoder.layers"}

    def __init__(self, config: XCLIPVisionConfig) -> None:
        super().__init__(config)
        sizes: Any = SimpleNamespace(
            hidden_size=config.mit_hidden_size,
            intermediate_size=config.mit_intermediate_size,
            num_attention_heads=config.mit_num_attention_heads,
            layer_norm_eps=config.layer_norm_eps,
            attention_dropout=config.attention_dropout,
            hidden_act=config.hidden_act,
        )
        self.position_embedding = nn.Parameter(torch.empty(1, config.num_frames, config.mit_hidden_size))
        self.layers = nn.ModuleList(
            CLIPLayer(sizes, causal=False) for _ in range(config.mit_num_hidden_layers)
        )
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            nn.init.normal_(self.position_embedding, std=self.config.initializer_range)

    def forward(self, vectors: Tensor) -> BaseModelOutputWithPooling:
        hidden = vectors + self.position_embedding
        hidden = vectors + run_layers(self.layers, hidden, AttentionContext(hidden))
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=hidden.mean(1))


class PromptLayer(nn.Module):
    """Texts attend to a video."""

    hub_names = {
        "cross_attn.o_proj": "cross_attn.proj",
        "cross_attn_norm": "norm1",
        "mlp_norm": "norm3",
        "mlp.fc1": "mlp.0",
        "mlp.fc2": "mlp.3",
    }

    def __init__(self, config: XCLIPConfig) -> None:
        super().__init__()
        size, eps = config.projection_dim, config.text_config.layer_norm_eps
        self.cross_attn = Attention(
            size,
            config.prompt_num_attention_heads,
            bias=False,
            out_bias=True,
            cross=True,
            dropout=config.prompt_attention_dropout,
        )
        self.cross_attn_norm, self.mlp_norm = nn.LayerNorm(size, eps=eps), nn.LayerNorm(size, eps=eps)
        dropout = config.prompt_attention_dropout
        self.mlp = MLP(size, 4 * size, config.prompt_hidden_act, activation_dropout=dropout)
        self.dropout = nn.Dropout(config.prompt_projection_dropout)

    def forward(self, texts: Tensor, context: AttentionContext) -> Tensor:
        texts = texts + self.dropout(self.cross_attn(self.cross_attn_norm(texts), context))
        return texts + self.mlp(self.mlp_norm(texts))


class PromptGenerator(nn.Module):
    """What a video (videos, patches, width) adds to texts (videos, texts, width)."""

    hub_names = {"layers": "decoder"}

    def __init__(self, config: XCLIPConfig) -> None:
        super().__init__()
        size = config.projection_dim
        self.layernorm = nn.LayerNorm(size, eps=config.vision_config.layer_norm_eps)
        self.layers = nn.ModuleList(PromptLayer(config) for _ in range(config.prompt_layers))
        self.alpha = nn.Parameter(torch.ones(size) * config.prompt_alpha)

    def forward(self, texts: Tensor, video: Tensor) -> Tensor:
        context = AttentionContext(texts, encoder_states=self.layernorm(video))
        for layer in self.layers:
            texts = layer(texts, context)
        return self.alpha * texts


class XCLIPOutput(ModelOutput):
    """Similarities (videos, texts) and (texts, videos), normalised embeddings, and the parts' outputs.

    `text_embeds` (videos, texts, projection) differ from video to video.
    """

    loss: Tensor | None = None
    logits_per_video: Tensor
    logits_per_text: Tensor
    text_embeds: Tensor
    video_embeds: Tensor
    text_model_output: BaseModelOutputWithPooling
    vision_model_output: BaseModelOutputWithPooling
    mit_output: BaseModelOutputWithPooling


class XCLIPModel(XCLIPPreTrainedModel):
    """Both towers, their projections, time, prompts, and a learned temperature."""

    hub_names = {"text_model": "", "vision_model": ""}

    def __init__(self, config: XCLIPConfig) -> None:
        super().__init__(config)
        text, vision, width = config.text_config, config.vision_config, config.projection_dim
        self.text_model = XCLIPTextModel(text)
        self.vision_model = XCLIPVisionModel(vision)
        self.visual_projection = Linear(vision.hidden_size, width, bias=False)
        self.text_projection = Linear(text.hidden_size, width, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value))
        self.prompts_visual_layernorm = nn.LayerNorm(vision.hidden_size, eps=vision.layer_norm_eps)
        self.prompts_visual_projection = nn.Parameter(torch.empty(vision.hidden_size, width))
        self.mit = TimeTransformer(vision)
        self.prompts_generator = PromptGenerator(config)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            nn.init.normal_(self.prompts_visual_projection, std=self.config.vision_config.hidden_size**-0.5)

    def get_text_features(self, input_ids: Tensor | None = None, **inputs: Tensor | None) -> Tensor:
        """Projected texts (texts, projection), not normalised and without prompts."""
        return self.text_projection(self.text_model(input_ids, **inputs).pooler_output)

    def get_video_features(self, pixel_values: Tensor | None = None, **inputs: Any) -> Tensor:
        """Videos (videos, projection) of (videos, frames, channels, height, width), not normalised."""
        return self.watch(pixel_values, **inputs)[1].pooler_output

    def watch(self, pixel_values: Tensor | None, **inputs: Any) -> tuple[ModelOutput, ModelOutput]:
        """The outputs of the tower of frames and of the transformer over time."""
        if pixel_values is None or pixel_values.dim() != 5:
            raise ValueError("pass pixel_values (videos, frames, channels, height, width)")
        vision = self.vision_model(pixel_values.flatten(0, 1), **inputs)
        vectors = self.visual_projection(vision.pooler_output)
        return vision, self.mit(vectors.unflatten(0, pixel_values.shape[:2]))

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        return_loss: bool | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> XCLIPOutput:
        """Texts (texts, sequence) and videos (videos, frames, channels, height, width) to similarities.

        `return_loss` takes pair i to be text i and video i.
        """
        vision, time = self.watch(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        assert pixel_values is not None
        patches = self.prompts_visual_layernorm(vision.last_hidden_state[:, 1:])
        patches = (patches @ self.prompts_visual_projection).unflatten(0, pixel_values.shape[:2]).mean(1)
        text = self.text_model(input_ids, attention_mask, position_ids)
        texts = self.text_projection(text.pooler_output).expand(len(patches), -1, -1)
        with unrecorded():
            texts = texts + self.prompts_generator(texts, patches)
        videos, texts = F.normalize(time.pooler_output, dim=-1), F.normalize(texts, dim=-1)
        per_video = torch.einsum("vd,vtd->vt", videos, self.logit_scale.exp() * texts)
        return XCLIPOutput(
            loss=contrastive_loss(per_video.t()) if return_loss else None,
            logits_per_video=per_video,
            logits_per_text=per_video.t(),
            text_embeds=texts,
            video_embeds=videos,
            text_model_output=text,
            vision_model_output=vision,
            mit_output=time,
        )
