"""Parakeet: strided convolutions by channel, then a Conformer, and the blank or a token for each frame."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.parakeet.config import ParakeetCTCConfig, ParakeetEncoderConfig
from zoo_audio.seamless_m4t.conformer import ConformerLayer, ConvolutionModule, RelativeAttention
from zoo_core.heads.audio import ctc_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, CausalLMOutput, ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext, token_pairs
from zoo_core.nn.stack import run_layers


class ParakeetGenerateOutput(ModelOutput):
    """Ids (batch, frames), and what `output_...` flags asked for."""

    sequences: Tensor
    logits: Tensor | None = None
    attentions: tuple[Tensor, ...] | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class Activated(nn.Module):
    """An activation by its name, as a layer."""

    def __init__(self, act: str) -> None:
        super().__init__()
        self.act = activation(act)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.act(hidden)


class Subsampling(nn.Module):
    """Convolutions over time and bands; all but the first mix channels apart from places."""

    def __init__(
        self,
        bands: int,
        channels: int,
        size: int,
        *,
        factor: int,
        kernel: int = 3,
        stride: int = 2,
        act: str = "relu",
    ) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        options: dict[str, Any] = {"stride": stride, "padding": (kernel - 1) // 2}
        layers: list[nn.Module] = [nn.Conv2d(1, channels, kernel, **options), Activated(act)]
        for _ in range(int(math.log2(factor)) - 1):
            layers.append(nn.Conv2d(channels, channels, kernel, groups=channels, **options))
            layers += [nn.Conv2d(channels, channels, 1), Activated(act)]
        self.layers = nn.ModuleList(layers)
        left = int(self.frame_lengths(torch.tensor(bands, device="cpu")))
        self.linear = Linear(channels * left, size)

    def shortened(self, lengths: Tensor) -> Tensor:
        """Frames after one strided convolution of so many before it."""
        return (lengths + 2 * ((self.kernel - 1) // 2) - self.kernel) // self.stride + 1

    def frame_lengths(self, lengths: Tensor) -> Tensor:
        """Frames of the output for so many of the input."""
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d) and layer.stride != (1, 1):
                lengths = self.shortened(lengths)
        return lengths

    def forward(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """(batch, frames, bands) to (batch, fewer frames, hidden); padding is zero all the way."""
        hidden = features[:, None]
        lengths = None if mask is None else mask.sum(-1)
        for layer in self.layers:
            hidden = layer(hidden)
            if lengths is None or not isinstance(layer, nn.Conv2d):
                continue
            if layer.stride != (1, 1):
                lengths = self.shortened(lengths)
            kept = torch.arange(hidden.shape[2], device=hidden.device) < lengths[:, None]
            hidden = hidden * kept[:, None, :, None]
        return self.linear(hidden.transpose(1, 2).flatten(2))


class ParakeetLayer(ConformerLayer):
    """A layer of the Conformer under NeMo's names."""

    hub_names = {
        "ffn1": "feed_forward1",
        "ffn1_layer_norm": "norm_feed_forward1",
        "ffn2": "feed_forward2",
        "ffn2_layer_norm": "norm_feed_forward2",
        "self_attn_layer_norm": "norm_self_att",
        "self_attn.position_proj": "self_attn.relative_k_proj",
        "self_attn.pos_bias_u": "self_attn.bias_u",
        "self_attn.pos_bias_v": "self_attn.bias_v",
        "conv_module": "conv",
        "conv_module.layer_norm": "norm_conv",
        "conv_module.batch_norm": "conv.norm",
        "final_layer_norm": "norm_out",
    }

    def __init__(self, config: Any) -> None:
        super().__init__(config, RelativeAttention(config), causal=False)
        self.conv_module = ConvolutionModule(config, causal=False, bias=True)
        self.self_attn.dropout = config.attention_dropout
        self.self_attn.hub_names = {}
        for block in (self.ffn1, self.ffn2):
            block.hub_names = {"fc1": "linear1", "fc2": "linear2"}
            block.activation_dropout = nn.Dropout(config.activation_dropout)
        if not config.attention_bias:
            for module in (self.ffn1, self.ffn2, self.self_attn):
                for part in module.children():
                    if isinstance(part, Linear):
                        part.bias = None


class ParakeetPreTrainedModel(PreTrainedModel):
    """What all Parakeet classes share."""

    config_class = ParakeetCTCConfig
    main_input_name = "input_features"

    def get_input_embeddings(self) -> nn.Module:
        raise NotImplementedError(f"{type(self).__name__} takes spectrograms, not tokens")


class ParakeetEncoder(ParakeetPreTrainedModel):
    """Log-mel frames (batch, frames, bands) to states (batch, fewer frames, hidden)."""

    config_class = ParakeetEncoderConfig
    base_model_prefix = "encoder"

    def __init__(self, config: ParakeetEncoderConfig) -> None:
        super().__init__(config)
        self.input_scale = math.sqrt(config.hidden_size) if config.scale_input else 1.0
        self.subsampling = Subsampling(
            config.num_mel_bins,
            config.subsampling_conv_channels,
            config.hidden_size,
            factor=config.subsampling_factor,
            kernel=config.subsampling_conv_kernel_size,
            stride=config.subsampling_conv_stride,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(ParakeetLayer(config) for _ in range(config.num_hidden_layers))
        self.post_init()

    def frame_mask(self, frames: int, attention_mask: Tensor) -> Tensor:
        """Bool (batch, frames): those that hold no padding, from the mask of the input's frames."""
        lengths = self.subsampling.frame_lengths(attention_mask.sum(-1))
        return torch.arange(frames, device=lengths.device) < lengths[:, None]

    def forward(
        self, input_features: Tensor | None = None, attention_mask: Tensor | None = None
    ) -> BaseModelOutput:
        if input_features is None:
            raise ValueError("pass input_features (batch, frames, bands)")
        hidden = self.subsampling(input_features.to(self.dtype), attention_mask) * self.input_scale
        mask = None if attention_mask is None else self.frame_mask(hidden.shape[1], attention_mask)
        context = AttentionContext(hidden, None if mask is None else token_pairs(mask))
        hidden = run_layers(self.layers, self.dropout(hidden), context, mask=mask)
        return BaseModelOutput(last_hidden_state=hidden)


class ParakeetForCTC(ParakeetPreTrainedModel):
    """Parakeet that transcribes; logits (batch, frames, vocabulary)."""

    def __init__(self, config: ParakeetCTCConfig) -> None:
        super().__init__(config)
        self.encoder = ParakeetEncoder(config.encoder_config)
        self.ctc_head = nn.Conv1d(config.encoder_config.hidden_size, config.vocab_size, 1)
        self.post_init()

    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
    ) -> CausalLMOutput:
        """As the encoder; `labels` (batch, targets) are ids, with pad_token_id for padding."""
        outputs = self.encoder(input_features, attention_mask)
        hidden = outputs.last_hidden_state
        logits = self.ctc_head(hidden.transpose(1, 2)).transpose(1, 2)
        loss = None
        if labels is not None:
            lengths = torch.full((len(hidden),), hidden.shape[1], device=hidden.device)
            if attention_mask is not None:
                lengths = self.encoder.subsampling.frame_lengths(attention_mask.sum(-1))
            labels = labels.masked_fill(labels == self.config.pad_token_id, -100)
            loss = ctc_loss(logits, labels, lengths, self.config)
        return CausalLMOutput.carry(outputs, loss=loss, logits=logits)

    @torch.no_grad()
    def generate(
        self,
        input_features: Tensor,
        attention_mask: Tensor | None = None,
        *,
        return_dict_in_generate: bool = False,
        **inputs: Any,
    ) -> Tensor | ParakeetGenerateOutput:
        """The best id of each frame (batch, frames), or padding; the tokenizer merges them."""
        outputs = self(input_features, attention_mask, return_dict=True, **inputs)
        sequences = outputs.logits.argmax(-1)
        if attention_mask is not None:
            mask = self.encoder.frame_mask(sequences.shape[1], attention_mask)
            sequences = sequences.masked_fill(~mask, self.config.pad_token_id)
        if not return_dict_in_generate:
            return sequences
        return ParakeetGenerateOutput(
            sequences=sequences,
            logits=outputs.logits,
            attentions=outputs.attentions,
            hidden_states=outputs.hidden_states,
        )
