"""Heads of speech and audio encoders."""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.outputs import (
    CausalLMOutput,
    MaskedLMOutput,
    ModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
    XVectorOutput,
)
from zoo_core.nn.linear import Linear


def ctc_loss(logits: Tensor, labels: Tensor, lengths: Tensor, config: PretrainedConfig) -> Tensor:
    """Connectionist temporal classification (https://doi.org/10.1145/1143844.1143891).

    Args:
        logits: (batch, frames, vocabulary). labels: (batch, targets), negative where padded.
        lengths: (batch,) frames that count.

    Raises:
        ValueError: a label beyond the vocabulary.
    """
    if int(labels.max()) >= logits.shape[-1]:
        raise ValueError(f"label {int(labels.max())} is not below vocab_size {logits.shape[-1]}")
    kept = labels >= 0
    scores = logits.float().log_softmax(-1).transpose(0, 1)
    with torch.backends.cudnn.flags(enabled=False):  # its CTC gives no gradient that can be repeated
        return F.ctc_loss(
            scores,
            labels.masked_select(kept),
            lengths,
            kept.sum(-1),
            blank=config.pad_token_id or 0,
            reduction=config.ctc_loss_reduction,
            zero_infinity=config.ctc_zero_infinity,
        )


class AudioHead(Headed):
    """What the heads below share: the input's name, the frames that count, freezing."""

    main_input_name = "input_values"

    @property
    def encoder(self) -> Any:
        """The base model, which has `frame_mask` and `freeze_feature_encoder`."""
        return self.model

    def frame_lengths(self, outputs: ModelOutput, values: Tensor, mask: Tensor | None) -> Tensor:
        """(batch,) frames that are not padding."""
        frames: int = outputs.last_hidden_state.shape[1]
        if mask is None:
            return torch.full((len(values),), frames, device=values.device)
        return cast(Tensor, self.encoder.frame_mask(frames, mask).sum(-1))

    def freeze_feature_encoder(self) -> None:
        """Keep the convolutions as they are in training."""
        self.encoder.freeze_feature_encoder()

    def freeze_base_model(self) -> None:
        """Train the head alone."""
        self.model.requires_grad_(False)


class OfFeatures(AudioHead):
    """A head whose input is called `input_features`: spectrograms rather than waveforms."""

    main_input_name = "input_features"

    def forward(
        self, input_features: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        """As the next class, of features (batch, frames, bands)."""
        output: ModelOutput = super().forward(input_features, attention_mask, **inputs)
        return output


class FrameScores(AudioHead):
    """Dropout and scores of a token, or the blank, for each frame."""

    def build_head(self, config: PretrainedConfig) -> None:
        if config.vocab_size is None:
            raise ValueError("a CTC head needs config.vocab_size")
        adapted = getattr(config, "add_adapter", False)
        width = config.output_hidden_size if adapted else config.hidden_size
        self.dropout = nn.Dropout(config.final_dropout)
        self.lm_head = Linear(width, config.vocab_size)


class ForCTC(FrameScores):
    """Scores of a token, or the blank, for each frame; logits (batch, frames, vocabulary)."""

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> CausalLMOutput:
        """As the base model; `labels` (batch, targets) are ids, with -100 for padding."""
        outputs = self.model(input_values, attention_mask=attention_mask, **inputs)
        logits = self.lm_head(self.dropout(outputs.last_hidden_state))
        loss = None
        if labels is not None:
            assert input_values is not None
            lengths = self.frame_lengths(outputs, input_values, attention_mask)
            loss = ctc_loss(logits, labels, lengths, self.config)
        return CausalLMOutput.carry(outputs, loss=loss, logits=logits)


class ForMaskedFrames(FrameScores):
    """The same scores without a loss; as in the recorded answers, the attention mask changes nothing."""

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> MaskedLMOutput:
        outputs = self.model(input_values, **inputs)
        logits = self.lm_head(self.dropout(outputs.last_hidden_state))
        return MaskedLMOutput.carry(outputs, logits=logits)


class LayerSum(AudioHead):
    """A head on the last states, or with `use_weighted_layer_sum` on a learned average of all layers'."""

    def build_head(self, config: PretrainedConfig) -> None:
        if getattr(config, "add_adapter", False):
            raise ValueError(f"{type(self).__name__} takes no adapter; set add_adapter=False")
        if config.use_weighted_layer_sum:
            self.layer_weights = nn.Parameter(torch.ones(config.num_hidden_layers + 1))

    def summed(
        self, values: Tensor | None, attention_mask: Tensor | None, inputs: dict[str, Any]
    ) -> tuple[ModelOutput, Tensor]:
        """The base model's output, and the states (batch, frames, hidden) that the head works on.

        An average takes the states of all layers, which are then part of the output, asked for or not.
        """
        if not self.config.use_weighted_layer_sum:
            outputs = self.model(values, attention_mask=attention_mask, **inputs)
            return outputs, outputs.last_hidden_state
        inputs["output_hidden_states"] = True
        outputs = self.model(values, attention_mask=attention_mask, **inputs)
        weights = self.layer_weights.softmax(-1)
        hidden = torch.einsum("l,lbtd->btd", weights, torch.stack(outputs.hidden_states))
        return outputs, hidden


class ForAudioClassification(LayerSum):
    """A projection, the mean over the frames, and a linear layer; logits (batch, labels)."""

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.projector = nn.Linear(config.hidden_size, config.classifier_proj_size)
        self.classifier = nn.Linear(config.classifier_proj_size, config.num_labels)

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> SequenceClassifierOutput:
        outputs, hidden = self.summed(input_values, attention_mask, inputs)
        hidden = self.projector(hidden)
        if attention_mask is None:
            pooled = hidden.mean(1)
        else:
            mask = self.encoder.frame_mask(hidden.shape[1], attention_mask)[..., None]
            pooled = hidden.masked_fill(~mask, 0.0).sum(1) / mask.sum(1)
        logits = self.classifier(pooled)
        loss = None if labels is None else token_loss(logits, labels)
        return SequenceClassifierOutput.carry(outputs, loss=loss, logits=logits)


class ForAudioFrameClassification(LayerSum):
    """A linear layer on every frame; logits (batch, frames, labels)."""

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.classifier = nn.Linear(config.hidden_size, config.num_labels)

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> TokenClassifierOutput:
        """As the base model; `labels` (batch, frames, labels) are one-hot."""
        outputs, hidden = self.summed(input_values, attention_mask, inputs)
        logits = self.classifier(hidden)
        loss = None
        if labels is not None:
            loss = token_loss(logits, labels.view(*logits.shape).argmax(-1))
        return TokenClassifierOutput.carry(outputs, loss=loss, logits=logits)


class TimeDelay(nn.Module):
    """A dilated convolution over time, stored as a linear layer (https://doi.org/10.21437/Interspeech.2015-647)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.size, self.dilation = kernel, dilation
        self.kernel = nn.Linear(inputs * kernel, outputs)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, frames, inputs) to (batch, fewer frames, outputs)."""
        weight = self.kernel.weight.unflatten(1, (self.size, -1)).transpose(1, 2)
        found = F.conv1d(hidden.transpose(1, 2), weight, self.kernel.bias, dilation=self.dilation)
        return found.transpose(1, 2).relu()


class MarginSoftmax(nn.Module):
    """Additive margin softmax (https://arxiv.org/abs/1801.05599)."""

    def __init__(self, size: int, num_labels: int, *, scale: float = 30.0, margin: float = 0.4) -> None:
        super().__init__()
        self.scale, self.margin = scale, margin
        self.weight = nn.Parameter(torch.randn(size, num_labels))

    def forward(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """The loss of vectors (batch, size) against labels (batch,)."""
        labels = labels.flatten()
        cosine = F.normalize(vectors, dim=1) @ F.normalize(self.weight, dim=0)
        right = F.one_hot(labels, self.weight.shape[1]).bool()
        return F.cross_entropy(self.scale * torch.where(right, cosine - self.margin, cosine), labels)


class ForXVector(LayerSum):
    """A vector for the speaker (https://doi.org/10.1109/ICASSP.2018.8461375).

    `embeddings` and `logits` are (batch, xvector_output_dim).
    """

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        dims, kernels, dilations = config.tdnn_dim, config.tdnn_kernel, config.tdnn_dilation
        self.projector = nn.Linear(config.hidden_size, dims[0])
        self.tdnn = nn.ModuleList(
            TimeDelay(dims[max(i - 1, 0)], dims[i], kernels[i], dilations[i]) for i in range(len(dims))
        )
        self.feature_extractor = nn.Linear(dims[-1] * 2, config.xvector_output_dim)
        self.classifier = nn.Linear(config.xvector_output_dim, config.xvector_output_dim)
        self.objective = MarginSoftmax(config.xvector_output_dim, config.num_labels)

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> XVectorOutput:
        outputs, hidden = self.summed(input_values, attention_mask, inputs)
        hidden = self.projector(hidden)
        for layer in self.tdnn:
            hidden = layer(hidden)
        if attention_mask is None:
            pooled = torch.cat((hidden.mean(1), hidden.std(1)), dim=-1)
        else:
            assert input_values is not None
            lengths = self.frame_lengths(outputs, input_values, attention_mask)
            for layer in cast(Any, self.tdnn):  # as recorded: the dilation is left out of account
                lengths = lengths - (layer.size - 1)
            rows = [states[:length] for states, length in zip(hidden, lengths.tolist(), strict=True)]
            pooled = torch.stack([torch.cat((row.mean(0), row.std(0))) for row in rows])
        embeddings = self.feature_extractor(pooled)
        logits = self.classifier(embeddings)
        loss = None if labels is None else self.objective(logits, labels)
        return XVectorOutput.carry(outputs, loss=loss, logits=logits, embeddings=embeddings)
