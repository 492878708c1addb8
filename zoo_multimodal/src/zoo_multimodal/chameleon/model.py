"""Chameleon: a decoder over tokens of text and of images alike."""

from __future__ import annotations

import string
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_options
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import BranchNormLayer, PreNormLayer
from zoo_multimodal.chameleon.config import ChameleonConfig
from zoo_multimodal.chameleon.vq import ChameleonVQVAE, TokenIds, image_codes

MARK = "IMGIMG"
"""How the tokens of image codes begin."""


def code_of(token: str) -> int | None:
    """The code that a token stands for; None if it is not an image's."""
    if not token.startswith(MARK):
        return None
    letters = token[len(MARK) : -1]
    return int("".join(str(string.ascii_uppercase.index(letter)) for letter in letters))


class ChameleonPreTrainedModel(PreTrainedModel):
    """What both Chameleon classes share."""

    config_class = ChameleonConfig
    base_model_prefix = "model"
    ignored_names = ("*rotary_emb.inv_freq", "*vqmodel.decoder.*")


class HeadNorm(nn.Module):
    """Normalises each head by itself, with weights for each head."""

    def __init__(self, heads: int, width: int) -> None:
        super().__init__()
        self.weight, self.bias = (
            nn.Parameter(torch.ones(heads, width)),
            nn.Parameter(torch.zeros(heads, width)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(..., heads, width) to the same."""
        return F.layer_norm(x, x.shape[-1:], eps=1e-5) * self.weight + self.bias


class ChameleonAttention(Attention):
    """Self-attention with normalised queries and keys."""

    def __init__(self, config: ChameleonConfig, layer_idx: int) -> None:
        super().__init__(
            config.hidden_size, config.num_attention_heads, **attention_options(config, layer_idx)
        )
        self.q_norm = HeadNorm(self.num_heads, self.head_dim)
        self.k_norm = HeadNorm(self.num_kv_heads, self.head_dim)


class BehindLayer(BranchNormLayer):
    """Norms behind the blocks, under the names of those before them."""

    hub_names = {
        "post_attention_layernorm": "input_layernorm",
        "post_feedforward_layernorm": "post_attention_layernorm",
    }


class ChameleonModel(ChameleonPreTrainedModel, DecoderModel):
    """The decoder without a head, and the image tokenizer."""

    hub_names: dict[str, str] = {}

    def __init__(self, config: ChameleonConfig) -> None:
        super().__init__(config)
        self.vqmodel = ChameleonVQVAE(config.vq_config)
        self.image_ids = TokenIds(image_codes(config.vocabulary_map, code_of))
        self.post_init()

    def make_layer(self, config: ChameleonConfig, layer_idx: int) -> nn.Module:  # type: ignore[override]
        wiring = BehindLayer if config.swin_norm else PreNormLayer
        return wiring(
            config.hidden_size,
            self.norm_of(config),
            self_attn=ChameleonAttention(config, layer_idx),
            mlp=self.make_mlp(config, layer_idx),
        )

    def get_image_tokens(self, pixel_values: Tensor) -> Tensor:
        """Images (images, channels, height, width) to ids of tokens (images, places)."""
        return self.image_ids(self.vqmodel.encode(pixel_values))

    def get_image_features(self, pixel_values: Tensor) -> Tensor:
        """Images (images, channels, height, width) to embeddings (images, places, hidden)."""
        return self.embed_tokens(self.get_image_tokens(pixel_values))

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Text (batch, sequence) with placeholders, and their images, to states (batch, sequence, hidden)."""
        if pixel_values is not None:
            if input_ids is None:
                raise ValueError("pixel_values need input_ids, whose placeholders they fill")
            input_ids = place_tokens(
                input_ids, self.config.image_token_id, self.get_image_tokens(pixel_values)
            )
        return super().forward(input_ids, attention_mask, **inputs)


def place_tokens(input_ids: Tensor, placeholder: int | None, tokens: Tensor) -> Tensor:
    """Ids (batch, sequence) whose placeholders are replaced by the tokens of images, in order."""
    places = input_ids == placeholder
    if int(places.sum()) != tokens.numel():
        raise ValueError(
            f"the text has {int(places.sum())} image placeholder tokens for {tokens.numel()} image tokens; "
            "the processor puts one placeholder for each token of each image, so pass its output unchanged"
        )
    return input_ids.masked_scatter(places, tokens.to(input_ids))


class ChameleonForConditionalGeneration(ForCausalLM, ChameleonPreTrainedModel):
    """Chameleon with a language modeling head, which never writes tokens of images."""

    base_class = ChameleonModel

    def score(self, hidden: Tensor) -> Tensor:
        logits = super().score(hidden)
        model: Any = self.model
        return logits.index_fill(-1, model.image_ids.ids.to(logits.device), torch.finfo(logits.dtype).min)
