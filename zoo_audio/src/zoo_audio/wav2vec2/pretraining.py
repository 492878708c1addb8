"""wav2vec 2.0's own objective: which quantised frame stood at a hidden place."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.wav2vec2.config import Wav2Vec2Config
from zoo_audio.wav2vec2.model import Wav2Vec2Model, Wav2Vec2PreTrainedModel
from zoo_core.heads.audio import AudioHead
from zoo_core.modeling.outputs import ModelOutput


class Wav2Vec2ForPreTrainingOutput(ModelOutput):
    """States and quantised frames (batch, frames, proj_codevector_dim), and the two losses."""

    loss: Tensor | None = None
    projected_states: Tensor
    projected_quantized_states: Tensor
    codevector_perplexity: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    contrastive_loss: Tensor | None = None
    diversity_loss: Tensor | None = None


class Quantizer(nn.Module):
    """Product quantisation with a Gumbel softmax (https://arxiv.org/abs/1611.01144).

    inputs: width of what is quantised, by default that of the convolutions.
    """

    def __init__(self, config: Wav2Vec2Config, inputs: int | None = None) -> None:
        super().__init__()
        self.groups, self.codes = config.num_codevector_groups, config.num_codevectors_per_group
        if config.codevector_dim % self.groups:
            raise ValueError(
                f"codevector_dim {config.codevector_dim} must be a multiple of "
                f"num_codevector_groups {self.groups}"
            )
        width = config.codevector_dim // self.groups
        self.codevectors = nn.Parameter(torch.rand(1, self.groups * self.codes, width))
        self.weight_proj = nn.Linear(inputs or config.conv_dim[-1], self.groups * self.codes)
        self.temperature = 2.0

    def forward(self, features: Tensor, hidden_places: Tensor | None) -> tuple[Tensor, Tensor]:
        """(batch, frames, channels) to code vectors (batch, frames, codevector_dim) and the perplexity.

        Args:
            hidden_places: bool (batch, frames), the frames that the perplexity counts; all when None.
        """
        scores = self.weight_proj(features).unflatten(-1, (self.groups, self.codes))
        if self.training:
            chosen = F.gumbel_softmax(scores.float(), tau=self.temperature, hard=True).to(scores)
            weights = scores.float().softmax(-1)
        else:
            chosen = F.one_hot(scores.argmax(-1), self.codes).to(scores)
            weights = chosen
        counted = weights.flatten(0, 1)
        if hidden_places is not None:
            counted = counted[hidden_places.flatten().bool()]
        share = counted.mean(0)
        perplexity = torch.exp(-(share * (share + 1e-7).log()).sum(-1)).sum()
        table = self.codevectors.unflatten(1, (self.groups, self.codes))[0]
        return torch.einsum("btgc,gcw->btgw", chosen, table).flatten(2), perplexity


class Wav2Vec2ForPreTraining(AudioHead, Wav2Vec2PreTrainedModel):
    """wav2vec 2.0 with a quantiser and the contrastive loss."""

    base_class = Wav2Vec2Model

    def build_head(self, config: Wav2Vec2Config) -> None:
        self.dropout_features = nn.Dropout(config.feat_quantizer_dropout)
        self.quantizer = Quantizer(config)
        self.project_hid = nn.Linear(config.hidden_size, config.proj_codevector_dim)
        self.project_q = nn.Linear(config.codevector_dim, config.proj_codevector_dim)

    def set_gumbel_temperature(self, temperature: float) -> None:
        """How soft the choice of code vectors is in training."""
        self.quantizer.temperature = temperature

    @staticmethod
    def compute_contrastive_logits(
        target_features: Tensor, negative_features: Tensor, predicted_features: Tensor, temperature: float
    ) -> Tensor:
        """Cosine similarities over `temperature`, (1 + negatives, batch, frames); the first is the truth."""
        candidates = torch.cat((target_features, negative_features))
        similarity = F.cosine_similarity(predicted_features.float(), candidates.float(), dim=-1)
        return similarity.type_as(candidates) / temperature

    def forward(
        self,
        input_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        mask_time_indices: Tensor | None = None,
        sampled_negative_indices: Tensor | None = None,
    ) -> Wav2Vec2ForPreTrainingOutput:
        """As the base model.

        Args:
            mask_time_indices: (batch, frames), frames that were hidden.
            sampled_negative_indices: (batch, frames, negatives) indices into batch x frames; with them
                there is a loss.
        """
        outputs = self.model(input_values, attention_mask, mask_time_indices=mask_time_indices)
        states = self.project_hid(outputs.last_hidden_state)
        features = self.dropout_features(outputs.extract_features)
        codes, perplexity = self.quantizer(features, mask_time_indices)
        codes = self.project_q(codes.to(states.dtype))
        found = Wav2Vec2ForPreTrainingOutput.carry(
            outputs,
            projected_states=states,
            projected_quantized_states=codes,
            codevector_perplexity=perplexity,
        )
        if sampled_negative_indices is not None and mask_time_indices is not None:
            self.add_losses(found, mask_time_indices, sampled_negative_indices)
        return found

    def add_losses(
        self, found: Wav2Vec2ForPreTrainingOutput, hidden_places: Tensor, negatives_at: Tensor
    ) -> None:
        """Set the three losses of an output."""
        states, codes = found.projected_states, found.projected_quantized_states
        batch, frames, width = codes.shape
        negatives = codes.reshape(-1, width)[negatives_at.long().flatten()]
        negatives = negatives.view(batch, frames, -1, width).permute(2, 0, 1, 3)
        temperature = self.config.contrastive_logits_temperature
        logits = self.compute_contrastive_logits(codes[None], negatives, states, temperature)
        same = (codes == negatives).all(-1)  # a negative that equals the truth is none
        logits[1:] = logits[1:].masked_fill(same, float("-inf"))
        scores = logits.transpose(0, 2).reshape(-1, len(logits))
        target = ((1 - hidden_places.long()) * -100).transpose(0, 1).flatten()
        found.contrastive_loss = F.cross_entropy(scores.float(), target, reduction="sum")
        total = self.config.num_codevectors_per_group * self.config.num_codevector_groups
        found.diversity_loss = (total - found.codevector_perplexity) / total * hidden_places.sum()
        found.loss = found.contrastive_loss + self.config.diversity_loss_weight * found.diversity_loss
