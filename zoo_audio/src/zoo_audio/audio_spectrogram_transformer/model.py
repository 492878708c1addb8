"""AST: a vision transformer over overlapping patches of a spectrogram, with two class tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.audio_spectrogram_transformer.config import ASTConfig
from zoo_core.checkpoint.dialects import VIT, VIT_LAYER
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import sequence_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, SequenceClassifierOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.stack import run_layers


class ASTPreTrainedModel(PreTrainedModel):
    """What all AST classes share."""

    config_class = ASTConfig
    base_model_prefix = "audio_spectrogram_transformer"
    main_input_name = "input_values"

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, ASTEmbeddings):
            for table in (module.cls_token, module.distillation_token, module.position_embeddings):
                nn.init.zeros_(table)


class ASTPatches(nn.Module):
    """Overlapping patches of (frequency, time)."""

    def __init__(self, config: ASTConfig) -> None:
        super().__init__()
        size, strides = config.patch_size, (config.frequency_stride, config.time_stride)
        self.projection = nn.Conv2d(1, config.hidden_size, size, strides)
        rows, columns = (config.num_mel_bins - size) // strides[0], (config.max_length - size) // strides[1]
        self.count = (rows + 1) * (columns + 1)

    def forward(self, input_values: Tensor) -> Tensor:
        """(batch, frames, mels) to (batch, patches, hidden)."""
        pictures = input_values[:, None].transpose(2, 3)
        return self.projection(pictures.to(self.projection.weight.dtype)).flatten(2).transpose(1, 2)


class ASTEmbeddings(nn.Module):
    """Two class tokens and patches, with learned positions."""

    def __init__(self, config: ASTConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.cls_token = nn.Parameter(torch.empty(1, 1, size))
        self.distillation_token = nn.Parameter(torch.empty(1, 1, size))
        self.patch_embeddings = ASTPatches(config)
        self.position_embeddings = nn.Parameter(torch.empty(1, self.patch_embeddings.count + 2, size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.shape = (config.max_length, config.num_mel_bins)

    def forward(self, input_values: Tensor) -> Tensor:
        """(batch, frames, mels) to (batch, 2 + patches, hidden)."""
        if tuple(input_values.shape[1:]) != self.shape:
            raise ValueError(
                f"input_values are {tuple(input_values.shape)}, the model takes (batch, {self.shape[0]} "
                f"frames, {self.shape[1]} mels); set max_length and num_mel_bins of the feature extractor"
            )
        patches = self.patch_embeddings(input_values)
        first = torch.cat((self.cls_token, self.distillation_token), dim=1).expand(len(patches), -1, -1)
        return self.dropout(torch.cat((first, patches), dim=1) + self.position_embeddings)


class ASTLayer(PreNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = VIT_LAYER

    def __init__(self, config: ASTConfig) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                bias=config.qkv_bias,
                out_bias=True,
                dropout=config.attention_probs_dropout_prob,
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )


class ASTModel(ASTPreTrainedModel):
    """Embeddings, layers and a final norm; the pooled output is the mean of the class tokens."""

    hub_names = VIT

    def __init__(self, config: ASTConfig) -> None:
        super().__init__(config)
        self.embeddings = ASTEmbeddings(config)
        self.layers = nn.ModuleList(ASTLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings

    def forward(
        self, input_values: Tensor | None = None, *, head_mask: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """(batch, frames, mels) to states (batch, 2 + patches, hidden) and pooled (batch, hidden)."""
        if input_values is None:
            raise ValueError("pass input_values (batch, frames, mels)")
        hidden = self.embeddings(input_values)
        context = AttentionContext(hidden)
        hidden = run_layers(self.layers, hidden, context, norm=self.norm, head_mask=head_mask)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=hidden[:, :2].mean(1))


class ASTForAudioClassification(Headed, ASTPreTrainedModel):
    """AST with a classifier of the whole sound."""

    base_class = ASTModel
    head_names = {"norm": "classifier.layernorm", "classifier": "classifier.dense"}

    def build_head(self, config: PretrainedConfig) -> None:
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        width = config.num_labels
        self.classifier = nn.Linear(config.hidden_size, width) if width > 0 else nn.Identity()

    def forward(
        self, input_values: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> SequenceClassifierOutput:
        """(batch, frames, mels) to logits (batch, labels)."""
        outputs = self.model(input_values, **inputs)
        logits = self.classifier(self.norm(outputs.pooler_output))
        loss = None if labels is None else sequence_loss(logits, labels, self.config)
        return SequenceClassifierOutput.carry(outputs, loss=loss, logits=logits)
