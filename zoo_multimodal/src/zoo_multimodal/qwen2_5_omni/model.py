"""Qwen2.5-Omni whole: a thinker that writes, a talker that speaks what it writes, and what makes it sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.errors import GenerationError
from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.qwen2_5_omni.config import Qwen2_5OmniConfig
from zoo_multimodal.qwen2_5_omni.speaking import SpeakingModel, media_hidden
from zoo_multimodal.qwen2_5_omni.talker import Qwen2_5OmniTalkerForConditionalGeneration
from zoo_multimodal.qwen2_5_omni.thinker import Qwen2_5OmniThinkerForConditionalGeneration
from zoo_multimodal.qwen2_5_omni.token2wav import Qwen2_5OmniToken2WavModel
from zoo_multimodal.qwen2_5_omni.voices import VoicesFile


class Qwen2_5OmniForConditionalGeneration(VoicesFile, SpeakingModel, PreTrainedModel):
    """Text, sounds, images and videos to text and speech, by `generate`."""

    config_class = Qwen2_5OmniConfig
    sound_part = "token2wav"

    def __init__(self, config: Qwen2_5OmniConfig) -> None:
        super().__init__(config)
        self.thinker = Qwen2_5OmniThinkerForConditionalGeneration(config.thinker_config)
        self.voices: dict[str, dict[str, Any]] = {}
        if config.enable_audio_output:
            self.enable_talker()
        self.post_init()

    def make_talker(self) -> None:
        self.talker = Qwen2_5OmniTalkerForConditionalGeneration(self.config.talker_config)
        self.token2wav = Qwen2_5OmniToken2WavModel(self.config.token2wav_config)

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        speaker: str = "Chelsie",
        use_audio_in_video: bool = False,
        return_audio: bool | None = None,
        thinker_max_new_tokens: int = 1024,
        talker_max_new_tokens: int = 4096,
        talker_do_sample: bool = True,
        talker_top_k: int = 40,
        talker_top_p: float = 0.8,
        talker_temperature: float = 0.9,
        talker_eos_token_id: int | Sequence[int] = (8292, 8294),
        talker_repetition_penalty: float = 1.05,
        **kwargs: Any,
    ) -> Any:
        """Ids (batch, length) of prompt and reply, and with speech (ids, waveform (samples,)).

        Args:
            speaker: whose voice, one of `voices`.
            return_audio: whether to speak; by default if the talker is there. One prompt at a time.
            **kwargs: media, masks and settings of the thinker; with `talker_` or `token2wav_` before them
                settings of those.

        Raises:
            GenerationError: there is no talker, or no such voice; or more than one prompt is to be spoken.
        """
        speaks = self.speaks(return_audio, input_ids)
        sides = self.shared_out(kwargs, use_audio_in_video=use_audio_in_video)
        sides["thinker"].setdefault("max_new_tokens", thinker_max_new_tokens)
        if not speaks:
            return self.thinker.generate(input_ids, **sides["thinker"])
        voice = self.voice(speaker)
        prompt: Any = input_ids
        found = self.thinker.generate(
            prompt, output_hidden_states=True, return_dict_in_generate=True, **sides["thinker"]
        )
        vectors, reply, texts = self.spoken(prompt, found, sides["thinker"], voice)
        drawn = {"top_k": talker_top_k, "top_p": talker_top_p, "temperature": talker_temperature}
        settings = {
            "max_new_tokens": talker_max_new_tokens,
            "do_sample": talker_do_sample,
            "eos_token_id": talker_eos_token_id,
            "repetition_penalty": talker_repetition_penalty,
            **(drawn if talker_do_sample else {}),
        }
        codec = self.talker.config
        ids = torch.full_like(texts, codec.tts_codec_mask_token_id)
        ids[:, -2], ids[:, -1] = codec.tts_codec_pad_token_id, codec.tts_codec_start_token_id
        mask = sides["thinker"].get("attention_mask")
        mask = torch.ones_like(prompt) if mask is None else mask
        codes = self.talker.generate(
            ids,
            inputs_embeds=vectors,
            input_text_ids=texts,
            thinker_reply_part=reply,
            attention_mask=torch.cat((mask, mask.new_ones(len(mask), 2)), dim=1),
            suppress_tokens=[codec.tts_codec_start_token_id],
            **{**settings, **sides["talker"]},
        )
        codes = codes[:, ids.shape[1] : -1]
        if not codes.shape[1]:
            raise GenerationError("the talker wrote no code; raise talker_max_new_tokens")
        wave = self.token2wav(
            codes, conditioning=voice["cond"], reference_mel=voice["ref_mel"], **sides["sound"]
        )
        return found.sequences, wave.float()

    def spoken(
        self, prompt: Tensor, found: Any, inputs: dict[str, Any], voice: dict[str, Any]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What the talker is given: prompt (1, n + 2, embedding), reply (1, tokens, embedding), text ids."""
        table: nn.Module = self.thinker.get_input_embeddings()
        first, *steps = found.hidden_states
        if not steps:
            raise GenerationError("the reply has one token, and speech begins with the second")
        config = self.config.talker_config

        def embed(*ids: int) -> Tensor:
            return table(torch.tensor([ids], device=prompt.device))

        embedded = media_hidden(first[0], prompt, inputs, self.thinker.config)
        reply = torch.cat([step[0] + step[-1] for step in steps], dim=1)
        bos = int(voice["bos_token"])
        vectors = torch.cat((first[-1] + embedded, embed(bos), reply[:, :1]), dim=1)
        ends = embed(config.tts_text_end_token_id, config.tts_text_pad_token_id)
        reply = torch.cat((reply[:, 1:], ends), dim=1)
        written = found.sequences[:, prompt.shape[1] :]
        texts = torch.cat((prompt, prompt.new_tensor([[bos]]), written[:, :1]), dim=1)
        return vectors, reply, texts
