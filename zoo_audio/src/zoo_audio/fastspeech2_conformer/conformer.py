"""The Conformer that is FastSpeech 2's encoder and, without embeddings, its decoder."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.seamless_m4t.conformer import ConvolutionModule, RelativeAttention
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers


class ConvolutionalFeedForward(nn.Module):
    """Two convolutions over neighbouring places (https://arxiv.org/abs/1905.09263, section 3.1)."""

    def __init__(self, size: int, inner: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(size, inner, kernel, padding=(kernel - 1) // 2)
        self.conv2 = nn.Conv1d(inner, size, kernel, padding=(kernel - 1) // 2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        inner = self.dropout(self.conv1(hidden.transpose(1, 2)).relu())
        return self.conv2(inner).transpose(1, 2)


class FastSpeech2Layer(nn.Module):
    """Half a feed-forward block, attention, convolution, the other half; norms before or after each."""

    hub_names = {
        "ffn1": "feed_forward_macaron",
        "ffn1_layer_norm": "ff_macaron_layer_norm",
        "ffn2": "feed_forward",
        "ffn2_layer_norm": "ff_layer_norm",
        "conv_module.batch_norm": "conv_module.norm",
    }

    def __init__(self, config: PretrainedConfig, part: dict[str, Any]) -> None:
        super().__init__()
        size, dropout = config.hidden_size, part["dropout_rate"]
        self.before, self.dropout = part["normalize_before"], nn.Dropout(dropout)
        sizes: Any = SimpleNamespace(
            hidden_size=size,
            speech_encoder_attention_heads=part["num_attention_heads"],
            speech_encoder_dropout=part["attention_dropout_rate"],
            speech_encoder_hidden_act=part.get("activation", "silu"),
            conv_depthwise_kernel_size=part["kernel_size"],
        )

        def feed_forward() -> nn.Module:
            kernel = config.positionwise_conv_kernel_size
            return ConvolutionalFeedForward(size, part["linear_units"], kernel, dropout)

        macaron, convolving = config.use_macaron_style_in_conformer, config.use_cnn_in_conformer
        self.self_attn, self.self_attn_layer_norm = RelativeAttention(sizes), nn.LayerNorm(size)
        self.concat_linear = nn.Linear(2 * size, size) if part["concat_after"] else None
        self.ffn1 = feed_forward() if macaron else None
        self.ffn1_layer_norm = nn.LayerNorm(size) if macaron else None
        self.ffn2, self.ffn2_layer_norm = feed_forward(), nn.LayerNorm(size)
        self.share = 0.5 if macaron else 1.0
        self.conv_module: ConvolutionModule | None = None
        self.conv_layer_norm: nn.Module | None = None
        self.final_layer_norm: nn.Module | None = None
        if convolving:
            self.conv_module = ConvolutionModule(sizes, causal=False, bias=True)
            self.conv_module.layer_norm = nn.Identity()  # it stands here, before or after
            self.conv_module.dropout = nn.Dropout(0.0)
            self.conv_layer_norm, self.final_layer_norm = nn.LayerNorm(size), nn.LayerNorm(size)

    def forward(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        if self.ffn1 is not None and self.ffn1_layer_norm is not None:
            hidden = self.around(hidden, self.ffn1, self.ffn1_layer_norm, self.share)
        hidden = self.around(hidden, self.attend, self.self_attn_layer_norm, 1.0, context)
        if self.conv_module is not None and self.conv_layer_norm is not None:
            hidden = self.around(hidden, self.conv_module, self.conv_layer_norm, 1.0, None)
        hidden = self.around(hidden, self.ffn2, self.ffn2_layer_norm, self.share)
        return hidden if self.final_layer_norm is None else self.final_layer_norm(hidden)

    def attend(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        """What attention adds, or with `concat_after` a map of it and of its input."""
        found = self.self_attn(hidden, context)
        if self.concat_linear is None:
            return found
        return self.concat_linear(torch.cat((hidden, found), dim=-1))

    def around(self, hidden: Tensor, block: Any, norm: nn.Module, share: float, *more: Any) -> Tensor:
        """The input and a share of what a block makes of it, normalised before or after."""
        inner = norm(hidden) if self.before else hidden
        hidden = hidden + share * self.dropout(block(inner, *more))
        return hidden if self.before else norm(hidden)


class FastSpeech2Encoder(PreTrainedModel):
    """Phonemes (batch, phonemes), or as the decoder frames (batch, frames, hidden), to states."""

    hub_names = {"layers": "conformer_layers", "embed_tokens": "embed"}

    def __init__(self, config: PretrainedConfig, kind: str) -> None:
        super().__init__(config)
        part = getattr(config, f"{kind}_config")
        self.embed_tokens: nn.Module | None = None
        if kind == "encoder":
            self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=0)
        self.scale = math.sqrt(config.hidden_size)
        self.dropout = nn.Dropout(part["positional_dropout_rate"])
        self.layers = nn.ModuleList(FastSpeech2Layer(config, part) for _ in range(part["layers"]))
        self.post_init()

    def forward(self, hidden: Tensor, attention_mask: Tensor | None = None) -> BaseModelOutput:
        if self.embed_tokens is not None:
            hidden = self.embed_tokens(hidden)
        hidden = self.dropout(hidden * self.scale)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden, attention_mask))
        return BaseModelOutput(last_hidden_state=hidden)
