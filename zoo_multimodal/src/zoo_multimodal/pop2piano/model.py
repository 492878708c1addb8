"""Pop2Piano: a T5 whose encoder reads an arranger's vector and the frames of a spectrogram."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.errors import GenerationError
from zoo_core.modeling.outputs import ModelOutput
from zoo_multimodal.pop2piano.config import Pop2PianoConfig
from zoo_text.t5.model import T5ForConditionalGeneration


class MelConditioner(nn.Module):
    """A vector for each arranger."""

    def __init__(self, config: Pop2PianoConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(config.composer_vocab_size, config.d_model)

    def forward(self, features: Tensor, composers: Tensor) -> Tensor:
        """(batch, frames, size) and (batch,) to (batch, 1 + frames, size)."""
        return torch.cat((self.embedding(composers)[:, None], features), dim=1)


class Pop2PianoForConditionalGeneration(T5ForConditionalGeneration):
    """Spectrograms to the tokens of a piano cover."""

    config_class = Pop2PianoConfig
    main_input_name = "input_features"

    def build_head(self, config: PretrainedConfig) -> None:
        super().build_head(config)
        self.mel_conditioner = MelConditioner(config)  # type: ignore[arg-type]

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        input_features: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As of T5; `input_features` (batch, frames, size) stand for embedded ids."""
        if input_features is not None and inputs_embeds is not None:
            raise ValueError("pass one of input_features and inputs_embeds")
        embeds = input_features if inputs_embeds is None else inputs_embeds
        return super().forward(input_ids, inputs_embeds=embeds, **inputs)

    def get_mel_conditioner_outputs(
        self,
        input_features: Tensor,
        composer: str,
        generation_config: Any,
        attention_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Frames (batch, 1 + frames, size) with the arranger's vector in front, and their mask.

        Args:
            composer: a name in `generation_config.composer_to_feature_token`.
            attention_mask: (batch, frames); rows without any frame, which part songs, become zero.

        Raises:
            GenerationError: another name, or a generation config without names.
        """
        numbers = getattr(generation_config, "composer_to_feature_token", None)
        if not numbers:
            raise GenerationError("generation_config has no composer_to_feature_token, which names arrangers")
        if composer not in numbers:
            raise GenerationError(
                f"composer={composer!r} is not known; there are {', '.join(sorted(numbers))}"
            )
        number = numbers[composer] - min(numbers.values())
        features = input_features.to(self.dtype)
        composers = torch.full((len(features),), number, device=features.device)
        joined = self.mel_conditioner(features, composers)
        if attention_mask is None:
            return joined, None
        first = attention_mask[:, :1]
        return joined * first[..., None].bool(), torch.cat((first, attention_mask), dim=1)

    def generate(  # type: ignore[override]
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        composer: str = "composer1",
        generation_config: Any = None,
        **kwargs: Any,
    ) -> Tensor | ModelOutput:
        """Tokens (batch, length) of what `composer` makes of spectrograms (batch, frames, size).

        Args:
            **kwargs: as of `GenerationMixin.generate`.
        """
        if input_features is None:
            raise GenerationError("there is nothing to arrange: pass input_features (batch, frames, size)")
        settings = self.settings() if generation_config is None else generation_config
        embeds, mask = self.get_mel_conditioner_outputs(input_features, composer, settings, attention_mask)
        return super().generate(None, generation_config, inputs_embeds=embeds, attention_mask=mask, **kwargs)
