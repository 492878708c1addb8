"""Janus: a Llama that reads images by a SigLIP tower, and draws them as codes of an image tokenizer."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.mlp import MLP
from zoo_multimodal.image_text import ImageTextModel, NamedAsBuiltForConditionalGeneration
from zoo_multimodal.janus.config import JanusConfig, JanusVisionConfig, JanusVQVAEConfig
from zoo_multimodal.janus.vq import JanusVQVAE
from zoo_multimodal.siglip.model import SiglipVisionModel


class JanusPreTrainedModel(PreTrainedModel):
    """What all Janus classes share."""

    config_class = JanusConfig
    base_model_prefix = "model"


class JanusVisionLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = {
        "input_layernorm": "layer_norm1",
        "post_attention_layernorm": "layer_norm2",
        "self_attn.o_proj": "self_attn.projection_layer",
    }

    def __init__(self, config: JanusVisionConfig) -> None:
        norm = partial(nn.LayerNorm, eps=config.layer_norm_eps)
        super().__init__(
            config.hidden_size,
            norm,
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                bias=config.attention_bias,
                out_bias=True,
                dropout=config.attention_dropout,
                qk_norm=nn.LayerNorm if config.use_qk_norm else None,
                qk_norm_full=True,
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
        )


class JanusVisionModel(SiglipVisionModel):
    """The image tower: SigLIP's without its pooling."""

    config_class = JanusVisionConfig
    hub_names = {
        name: file.removeprefix("vision_model.") for name, file in SiglipVisionModel.hub_names.items()
    }

    def make_layer(self, config: JanusVisionConfig) -> nn.Module:
        return JanusVisionLayer(config)


class Aligner(nn.Module):
    """fc1, then further linear maps, each behind an activation."""

    def __init__(self, width: int, hidden_size: int, depth: int, act: str) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden_size)
        self.hidden_layers = nn.ModuleList(nn.Linear(hidden_size, hidden_size) for _ in range(depth - 1))
        self.act = activation(act)

    def forward(self, features: Tensor) -> Tensor:
        hidden = self.fc1(features)
        for layer in self.hidden_layers:
            hidden = layer(self.act(hidden))
        return hidden


class CodeHead(nn.Module):
    """vision_head(act(proj_out(x))): from states to scores of codes."""

    def __init__(self, config: JanusVQVAEConfig) -> None:
        super().__init__()
        self.proj_out = nn.Linear(config.image_token_embed_dim, config.projection_dim)
        self.act = activation(config.hidden_act)
        self.vision_head = nn.Linear(config.projection_dim, config.num_embeddings)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.vision_head(self.act(self.proj_out(hidden)))


class JanusModel(JanusPreTrainedModel, ImageTextModel):
    """The model without its head."""

    hub_names = {"vision_tower": "vision_model", "multi_modal_projector": "aligner"}
    aliases: dict[str, str] = {}

    def __init__(self, config: JanusConfig) -> None:
        super().__init__(config)
        codes = config.vq_config
        self.vqmodel = JanusVQVAE(codes)
        self.generation_embeddings = nn.Embedding(codes.num_embeddings, codes.embed_dim)
        self.generation_aligner = Aligner(
            codes.embed_dim, codes.projection_dim, codes.num_hidden_layers, codes.hidden_act
        )
        self.generation_head = CodeHead(codes)
        self.post_init()

    def make_tower(self, config: JanusConfig) -> nn.Module:  # type: ignore[override]
        return JanusVisionModel(config.vision_config)

    def make_projector(self, config: JanusConfig) -> nn.Module:  # type: ignore[override]
        tower = config.vision_config
        return Aligner(tower.hidden_size, tower.projection_dim, tower.depth, tower.hidden_act)

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """(images, channels, height, width) to (images, patches, hidden)."""
        features: Tensor = self.multi_modal_projector(self.vision_tower(pixel_values).last_hidden_state)
        return features

    def image_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        inputs.pop("generation_mode", None)  # what it says is generate's business
        return {}


class JanusForConditionalGeneration(NamedAsBuiltForConditionalGeneration, JanusPreTrainedModel):
    """Janus with the language model's head."""

    base_class = JanusModel

    def prepare_embeddings_for_image_generation(self, inputs: Tensor) -> Tensor:
        """Codes (...) to what the language model reads for them (..., hidden)."""
        model: Any = self.model
        embedded: Tensor = model.generation_aligner(model.generation_embeddings(inputs))
        return embedded

    def decode_image_tokens(self, image_tokens: Tensor) -> Tensor:
        """Codes (batch, places) to images (batch, height, width, channels)."""
        model: Any = self.model
        image: Tensor = model.vqmodel.decode(image_tokens)
        return image.permute(0, 2, 3, 1)

    def generate(self, inputs: Tensor | None = None, *args: Any, **kwargs: Any) -> Any:
        """As the base's, of text, which is the only `generation_mode` there is here."""
        mode = kwargs.pop("generation_mode", "text")
        if mode != "text":
            raise ValueError(
                f"generation_mode={mode!r}: generate writes text. To draw, let generation_head of the base "
                "model score codes, embed them by prepare_embeddings_for_image_generation, and read the "
                "image by decode_image_tokens"
            )
        return super().generate(inputs, *args, **kwargs)
