"""What models that write and then speak share: their parts, and whose a keyword of `generate` is."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationMixin

#: the sounds, which the talker does not read
_HEARD = ("input_features", "feature_attention_mask", "attention_mask")
#: what tells positions
_PLACES = ("image_grid_thw", "video_grid_thw", "audio_feature_lengths", "video_second_per_grid")


class SpeakingModel(GenerationMixin):
    """A thinker and, unless it is left out, a talker and a part that makes sound."""

    #: the name of the part that makes sound
    sound_part: ClassVar[str]
    voices: dict[str, Any]

    def make_talker(self) -> None:
        """Create the talker and the part that makes sound."""
        raise NotImplementedError

    @property
    def has_talker(self) -> bool:
        """Whether it can speak."""
        return getattr(self, "talker", None) is not None

    def enable_talker(self) -> None:
        """Add the talker and what makes sound, with new weights unless a load follows."""
        if not self.has_talker:
            self.make_talker()

    def disable_talker(self) -> None:
        """Drop them, to save memory."""
        if self.has_talker:
            delattr(self, "talker")
            delattr(self, self.sound_part)

    def get_input_embeddings(self) -> Any:
        model: Any = self
        return model.thinker.get_input_embeddings()

    def forward(self, *args: Any, **inputs: Any) -> Any:
        """The thinker's scores of the next token."""
        model: Any = self
        return model.thinker(*args, **inputs)

    def speaks(self, return_audio: bool | None, input_ids: Tensor | None) -> bool:
        """Whether a call speaks."""
        if return_audio and not self.has_talker:
            raise GenerationError(
                "return_audio=True needs the talker: load with enable_audio_output=True, or leave it out"
            )
        speaks = self.has_talker if return_audio is None else return_audio
        if speaks and (input_ids is None or len(input_ids) != 1):
            rows = None if input_ids is None else len(input_ids)
            raise GenerationError(
                f"one prompt is spoken at a time, and input_ids has {rows} rows; pass return_audio=False"
            )
        return speaks

    def voice(self, speaker: str) -> Any:
        """What is known of a speaker.

        Raises:
            GenerationError: there is none of that name.
        """
        if speaker not in self.voices:
            known = ", ".join(self.voices) or "none"
            raise GenerationError(f"speaker={speaker!r} is not known; this checkpoint has: {known}")
        return self.voices[speaker]

    def shared_out(self, kwargs: dict[str, Any], *, use_audio_in_video: bool) -> dict[str, dict[str, Any]]:
        """Keywords of a call by part: those that name one are its own, the others the thinker's."""
        sides: dict[str, dict[str, Any]] = {"thinker": {}, "talker": {}, self.sound_part: {}}
        shared: dict[str, Any] = {}
        for name, value in kwargs.items():
            head = name.partition("_")[0]
            if head in sides:
                sides[head][name.removeprefix(f"{head}_")] = value
            else:
                shared[name] = value
        places = {name: shared[name] for name in _PLACES if name in shared}
        if shared.get("feature_attention_mask") is not None:
            places["audio_feature_lengths"] = shared["feature_attention_mask"].sum(1)
        alike = {"use_audio_in_video": use_audio_in_video}
        return {
            "thinker": {**shared, **alike, **sides["thinker"]},
            "talker": {**places, **alike, **sides["talker"]},
            "sound": sides[self.sound_part],
        }


def media_hidden(embedded: Tensor, ids: Tensor, inputs: dict[str, Any], config: Any) -> Tensor:
    """`embedded` (batch, sequence, hidden) with zeros where media stand."""
    given = {"audio": "input_features", "image": "pixel_values", "video": "pixel_values_videos"}
    tokens = [
        getattr(config, f"{what}_token_id") for what, name in given.items() if inputs.get(name) is not None
    ]
    hidden = torch.isin(ids, torch.tensor(tokens, device=ids.device, dtype=ids.dtype))
    return embedded.masked_fill(hidden[..., None], 0.0)
