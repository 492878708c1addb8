"""How CLVP's decoder is made to speak, and what becomes of its tokens."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationConfig, GenerationMixin


class ClvpGeneration(GenerationMixin):
    """`generate` of speech tokens that are then compared with their text."""

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        pad_to_max_mel_tokens: int | None = None,
        *,
        output_hidden_states: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Speech tokens (batch, tokens) for texts (batch, tokens) in voices, and how well they fit.

        Args:
            input_features: (batch, mels, frames) spectrograms of the voices.
            generation_config, **kwargs: settings of the decoder; without them those of its config.
            pad_to_max_mel_tokens: fill the tokens up to so many.
            output_hidden_states: also those of the encoders.

        Returns:
            A `ClvpOutput`.
        """
        model: Any = self
        kwargs.pop("return_dict_in_generate", None)
        if input_ids is None or input_features is None:
            raise GenerationError("pass input_ids, the text, and input_features, the voice")
        ids = self.spoken(input_ids, input_features, attention_mask, generation_config, kwargs)
        if pad_to_max_mel_tokens is not None and ids.shape[1] < pad_to_max_mel_tokens:
            end = model.config.decoder_config.eos_token_id
            ids = F.pad(ids, (0, pad_to_max_mel_tokens - ids.shape[1]), value=end)
        ids = self.fix_speech_decoder_output(ids)
        flags = {"output_hidden_states": bool(output_hidden_states)}
        found = model.compared(ids, input_ids, None, attention_mask, flags)
        found.speech_ids = ids
        return found

    def spoken(
        self,
        input_ids: Tensor,
        input_features: Tensor,
        attention_mask: Tensor | None,
        generation_config: GenerationConfig | None,
        settings: dict[str, Any],
    ) -> Tensor:
        """Tokens (batch, tokens) as the decoder writes them, the start included."""
        model: Any = self
        decoder = model.speech_decoder_model
        body, start = decoder.model, model.config.decoder_config.bos_token_id
        prompt, mask = model.conditioning_encoder(input_features, input_ids, None, attention_mask)
        rows, length = prompt.shape[:2]
        # The decoder adds a position to every vector, but the prompt has its own: taken off before. Tokens
        # count from the start: it has position 0, and they, as Tortoise was trained, 2, 3, ...
        ids = torch.full((rows, 1), start, device=prompt.device)
        places = torch.cat((torch.arange(length), torch.ones(1, dtype=torch.long))).to(prompt.device)
        table = body.embed_positions.weight
        first = body.embed_tokens(ids) + table[0]
        vectors = torch.cat((prompt, first), dim=1) - table[places]
        written: Any = decoder.generate(
            None,
            generation_config,
            inputs_embeds=vectors,
            position_ids=places.expand(rows, -1),
            attention_mask=F.pad(mask, (0, 1), value=1),
            **settings,
        )
        return torch.cat((ids, getattr(written, "sequences", written)), dim=1)

    def get_speech_features(
        self,
        speech_ids: Tensor | None = None,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        conditioning_encoder_inputs_embeds: Tensor | None = None,
        attention_mask: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Embeddings (batch, projection_dim) of speech tokens: given, or first written for a text."""
        model: Any = self
        if speech_ids is None:
            if input_ids is None or input_features is None:
                raise GenerationError("pass speech_ids, or input_ids and input_features to write them")
            written = self.spoken(input_ids, input_features, attention_mask, generation_config, kwargs)
            speech_ids, attention_mask = self.fix_speech_decoder_output(written), None
        embeds: Tensor = model.speech_encoder_model(speech_ids, attention_mask=attention_mask).embeds
        return embeds

    def fix_speech_decoder_output(self, speech_ids: Tensor) -> Tensor:
        """Tokens without their start, and from their end on filled with those of silence."""
        model: Any = self
        config = model.config.decoder_config
        silence = speech_ids.new_tensor(config.decoder_fixing_codes)
        ids = speech_ids[:, 1:].clone()
        ended = (ids == config.eos_token_id).cumsum(-1) > 0
        ids[ended] = silence[0]
        rows = ended.any(-1)
        tail = min(3, ids.shape[1])
        ids[rows, ids.shape[1] - tail :] = silence[4 - tail :]
        return ids
