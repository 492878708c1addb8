"""Qwen3-Omni that writes: checkpoints without speech (Thinking, Captioner), or the others without theirs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.qwen2_5_omni.speaking import SpeakingModel
from zoo_multimodal.qwen3_omni_moe.config import Qwen3OmniMoeConfig
from zoo_multimodal.qwen3_omni_moe.thinker import Qwen3OmniMoeThinkerForConditionalGeneration


class Qwen3OmniMoeForConditionalGeneration(SpeakingModel, PreTrainedModel):
    """Text, sounds, images and videos to text, by `generate`."""

    config_class = Qwen3OmniMoeConfig
    sound_part = "code2wav"
    ignored_names = ("talker.*", "code2wav.*")

    def __init__(self, config: Qwen3OmniMoeConfig) -> None:
        super().__init__(config)
        if config.enable_audio_output:
            self.enable_talker()
        self.thinker = Qwen3OmniMoeThinkerForConditionalGeneration(config.thinker_config)
        self.voices: dict[str, Any] = {}
        self.post_init()

    def make_talker(self) -> None:
        """Refuse: there is no talker here.

        Raises:
            NotImplementedError: always; says how to load what writes.
        """
        raise NotImplementedError(
            "the speech of Qwen3-Omni is not implemented; its text is: "
            "from_pretrained(name, enable_audio_output=False)"
        )

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        speaker: str = "Ethan",
        use_audio_in_video: bool = False,
        return_audio: bool | None = None,
        thinker_max_new_tokens: int = 1024,
        thinker_eos_token_id: int = 151645,
        **kwargs: Any,
    ) -> tuple[Any, None]:
        """Ids (batch, length) of prompt and reply, and None where a model that speaks gives its sound.

        Args:
            **kwargs: media, masks and settings of the thinker, also with `thinker_` before them.

        Raises:
            GenerationError: speech was asked for.
        """
        self.speaks(return_audio, input_ids)
        settings = self.shared_out(kwargs, use_audio_in_video=use_audio_in_video)["thinker"]
        settings.setdefault("max_new_tokens", thinker_max_new_tokens)
        settings.setdefault("eos_token_id", thinker_eos_token_id)
        return self.thinker.generate(input_ids, **settings), None
