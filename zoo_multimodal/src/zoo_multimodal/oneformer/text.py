"""What OneFormer learns queries from: texts that say what an image holds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import CLIP_LAYER, stacked_attention
from zoo_core.checkpoint.names import HubNames
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_multimodal.oneformer.config import OneFormerConfig
from zoo_vision.maskformer.head import MaskHead


class TextLayer(PreNormLayer):
    """Attention of every token to all, and a feed-forward block."""

    hub_names: HubNames = {**CLIP_LAYER, **stacked_attention("self_attn")}

    def __init__(self, size: int) -> None:
        attention, mlp = Attention(size, size // 64), MLP(size, 4 * size, "quick_gelu")
        super().__init__(size, nn.LayerNorm, self_attn=attention, mlp=mlp)


class TextMapper(nn.Module):
    """A vector for each text of an image, after them learned ones that all images share."""

    hub_names: HubNames = {
        "positions": "text_encoder.positional_embedding",
        "tokens": "text_encoder.token_embedding",
        "layers": "text_encoder.transformer.layers",
        "norm": "text_encoder.ln_final",
        "projector": "text_projector.layers",
        "prompts": "prompt_ctx",
    }

    def __init__(self, config: OneFormerConfig) -> None:
        super().__init__()
        size, hidden = config.text_encoder_width, config.hidden_dim
        self.tokens = nn.Embedding(config.text_encoder_vocab_size, size)
        self.positions = nn.Parameter(torch.zeros(config.text_encoder_context_length, size))
        self.layers = nn.ModuleList(TextLayer(size) for _ in range(config.text_encoder_num_layers))
        self.norm = nn.LayerNorm(size)
        self.projector = MaskHead(hidden, hidden, start=size, depth=config.text_encoder_proj_layers)
        self.prompts = nn.Embedding(config.text_encoder_n_ctx, hidden) if config.text_encoder_n_ctx else None

    def forward(self, texts: Tensor) -> Tensor:
        """(batch, texts, tokens) to (batch, texts and learned ones, hidden).

        A text's vector is that of its token with the highest number, the end.
        """
        flat = texts.flatten(0, 1)
        x = self.tokens(flat) + self.positions[: flat.shape[1]]
        context = AttentionContext(x)
        for layer in self.layers:
            x = layer(x, context)
        ends = flat.argmax(-1)
        x = self.norm(x)[torch.arange(len(x), device=x.device), ends]
        x = self.projector(x).unflatten(0, texts.shape[:2])
        if self.prompts is None:
            return x
        return torch.cat((x, self.prompts.weight.expand(len(x), -1, -1)), dim=1)
