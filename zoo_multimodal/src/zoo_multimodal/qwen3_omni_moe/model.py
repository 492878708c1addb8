"""Qwen3-Omni whole: a thinker that writes, a talker that speaks what it writes, and what makes it sound."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.cache import Cache
from zoo_multimodal.qwen2_5_omni.speaking import SpeakingModel
from zoo_multimodal.qwen3_omni_moe.code2wav import Qwen3OmniMoeCode2Wav
from zoo_multimodal.qwen3_omni_moe.config import Qwen3OmniMoeConfig
from zoo_multimodal.qwen3_omni_moe.talker import Qwen3OmniMoeTalkerForConditionalGeneration
from zoo_multimodal.qwen3_omni_moe.thinker import Qwen3OmniMoeThinkerForConditionalGeneration

_MARKS = 1024
"""Codes at the vocabulary's end that are marks rather than sound."""
_OPENING = 3
"""Tokens that open a reply: the mark, who speaks, a new line."""


class Qwen3OmniMoeForConditionalGeneration(SpeakingModel, PreTrainedModel):
    """Text, sounds, images and videos to text and speech, by `generate`."""

    config_class = Qwen3OmniMoeConfig
    sound_part = "code2wav"

    def __init__(self, config: Qwen3OmniMoeConfig) -> None:
        super().__init__(config)
        self.thinker = Qwen3OmniMoeThinkerForConditionalGeneration(config.thinker_config)
        self.voices: dict[str, Any] = dict(config.talker_config.speaker_id or {})
        if config.enable_audio_output:
            self.enable_talker()
        self.post_init()

    def make_talker(self) -> None:
        self.talker = Qwen3OmniMoeTalkerForConditionalGeneration(self.config.talker_config)
        self.code2wav = Qwen3OmniMoeCode2Wav(self.config.code2wav_config)

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        speaker: str = "Ethan",
        use_audio_in_video: bool = False,
        return_audio: bool | None = None,
        thinker_max_new_tokens: int = 1024,
        thinker_eos_token_id: int = 151645,
        talker_max_new_tokens: int = 4096,
        talker_do_sample: bool = True,
        talker_top_k: int = 50,
        talker_top_p: float = 1.0,
        talker_temperature: float = 0.9,
        talker_repetition_penalty: float = 1.05,
        **kwargs: Any,
    ) -> tuple[Any, Tensor | None]:
        """What the thinker wrote, and its speech (1, 1, samples), or None.

        With speech the first is an output of `generate` whose `sequences` (1, length) hold prompt and reply;
        without, it is what the thinker's own `generate` returns, by default the ids (batch, length).

        Args:
            speaker: whose voice, one of `voices`, in letters of any case.
            return_audio: whether to speak; by default if the talker is there. One prompt at a time.
            **kwargs: media, masks and settings of the thinker; with `talker_` or `code2wav_` before them
                settings of those.

        Raises:
            GenerationError: there is no talker, or no such voice; more than one prompt is to be spoken, or
                one that does not end by asking for a reply; several replies are asked for.
        """
        speaks = self.speaks(return_audio, input_ids)
        # the talker of released checkpoints counts a video with its own sound as text
        kwargs = {"talker_use_audio_in_video": False, **kwargs}
        sides = self.shared_out(kwargs, use_audio_in_video=use_audio_in_video)
        thinker = sides["thinker"]
        thinker.setdefault("max_new_tokens", thinker_max_new_tokens)
        thinker.setdefault("eos_token_id", thinker_eos_token_id)
        if not speaks:
            return self.thinker.generate(input_ids, **thinker), None
        voice = int(self.voice(speaker.lower()))
        prompt: Any = input_ids
        segments = self.segments(prompt[0])
        for part in ("thinker", "talker"):
            for name in ("num_beams", "num_return_sequences"):
                if (sides[part].get(name) or 1) > 1:
                    raise GenerationError(f"one reply is spoken: leave out {part}_{name}={sides[part][name]}")
        thinker |= {"output_hidden_states": True, "return_dict_in_generate": True}
        found: Any = self.thinker.generate(prompt, **thinker)
        codec = self.talker.config
        size, end = codec.text_config.vocab_size, codec.codec_eos_token_id
        drawn = {"top_k": talker_top_k, "top_p": talker_top_p, "temperature": talker_temperature}
        settings = {
            "max_new_tokens": talker_max_new_tokens,
            "do_sample": talker_do_sample,
            "eos_token_id": end,
            "repetition_penalty": talker_repetition_penalty,
            "suppress_tokens": [code for code in range(max(size - _MARKS, 0), size) if code != end],
            **(drawn if talker_do_sample else {}),
        }
        cache = Cache()
        self.talker.generate(
            **self.spoken(prompt, found, segments, voice),
            past_key_values=cache,
            **{**settings, **sides["talker"]},
        )
        codes = self.talker.codes_of(cache)
        if codes is None:
            raise GenerationError("the talker wrote no frame; raise talker_max_new_tokens")
        return found, self.code2wav.chunked_decode(codes, **sides["sound"]).float()

    def segments(self, prompt: Tensor) -> list[tuple[int, int]]:
        """Where what users say begins and ends in a prompt (tokens,), and then where the reply begins.

        Raises:
            GenerationError: the prompt is none of a chat, or no reply is asked for at its end.
        """
        config = self.config
        starts = (prompt == config.im_start_token_id).nonzero()[:, 0].tolist()
        roles = [int(prompt[start + 1]) if start + 1 < len(prompt) else None for start in starts]
        known = {config.system_token_id, config.user_token_id, config.assistant_token_id}
        for start, role in zip(starts, roles, strict=True):
            if role not in known:
                raise GenerationError(
                    f"after the mark at token {start} stands {role}: neither system, user nor assistant"
                )
        if not starts or roles[-1] != config.assistant_token_id:
            raise GenerationError(
                "speech needs a chat that ends by asking for a reply: apply_chat_template(..., "
                "add_generation_prompt=True), or pass return_audio=False"
            )
        spans = zip(starts, [*starts[1:], len(prompt)], strict=True)
        spoken = [span for span, role in zip(spans, roles, strict=True) if role == config.user_token_id]
        return [*spoken, (starts[-1], len(prompt))]

    def spoken(
        self, prompt: Tensor, found: Any, segments: list[tuple[int, int]], voice: int
    ) -> dict[str, Tensor]:
        """What the talker is given: what users say, then the reply's begin with codes that name the voice."""
        config, talker = self.config, self.talker
        table = self.thinker.get_input_embeddings()
        codec = talker.config
        layers = len(found.hidden_states[0]) - 1
        if not 0 <= codec.accept_hidden_layer <= layers:
            raise GenerationError(
                f"accept_hidden_layer={codec.accept_hidden_layer}: the thinker has {layers} layers"
            )
        embedded = torch.cat([step[0] for step in found.hidden_states], dim=1)
        states = torch.cat([step[codec.accept_hidden_layer] for step in found.hidden_states], dim=1)
        thinker = config.thinker_config
        media = prompt.new_tensor([thinker.audio_token_id, thinker.image_token_id, thinker.video_token_id])
        shown = torch.isin(prompt, media)[..., None]
        *users, (start, _) = segments
        vectors = []
        for span in (slice(*user) for user in users):
            of_text = talker.text_projection(embedded[:, span])
            vectors.append(torch.where(shown[:, span], talker.hidden_projection(states[:, span]), of_text))
        marks = prompt.new_tensor(
            [[config.tts_bos_token_id, config.tts_eos_token_id, config.tts_pad_token_id]]
        )
        begin, end, pad = talker.text_projection(table(marks)).split(1, dim=1)
        reply = talker.text_projection(embedded[:, start:])
        if reply.shape[1] <= _OPENING:
            raise GenerationError(
                "the reply has one token, and speech needs two; raise thinker_max_new_tokens"
            )
        names = [codec.codec_nothink_id, codec.codec_think_bos_id, codec.codec_think_eos_id, voice]
        codes = talker.get_input_embeddings()(
            prompt.new_tensor([[*names, codec.codec_pad_id, codec.codec_bos_id]])
        )
        opening = torch.cat((pad.expand(-1, len(names), -1), begin, reply[:, _OPENING : _OPENING + 1]), dim=1)
        vectors += [reply[:, :_OPENING], opening + codes]
        written = [prompt[:, slice(*user)] for user in users]
        filler = prompt.new_full((1, _OPENING + opening.shape[1]), config.tts_pad_token_id)
        return {
            "inputs_embeds": torch.cat(vectors, dim=1),
            "trailing_text_hidden": torch.cat((reply[:, _OPENING + 1 :], end), dim=1),
            "tts_pad_embed": pad,
            "talker_input_ids": torch.cat((*written, filler), dim=1),
        }
