"""How Moshi speaks: with each text token the depth decoder writes the codes of a frame of sound."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_audio.csm.generation import pick
from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationConfig, GenerationMixin
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache, RowSlot


class MoshiConditionalGenerationGenerateOutput(ModelOutput):
    """Text (rows, steps), its codes (rows, codebooks, steps - 1), and their sound (rows, 1, samples)."""

    audio_sequences: Tensor | None = None
    sequences: Tensor | None = None
    sequences_scores: Tensor | None = None
    scores: tuple[Tensor, ...] | None = None
    logits: tuple[Tensor, ...] | None = None
    beam_indices: Tensor | None = None
    attentions: tuple[tuple[Tensor, ...], ...] | None = None
    hidden_states: tuple[tuple[Tensor, ...], ...] | None = None
    past_key_values: Cache | None = None
    audio_codes: Tensor | None = None


class MoshiUnconditionalInput(NamedTuple):
    """What a dialogue begins with: neither text nor sound."""

    input_ids: Tensor
    user_audio_codes: Tensor
    moshi_audio_codes: Tensor
    attention_mask: Tensor


class MoshiGeneration(GenerationMixin):
    """`generate` of text and sound."""

    caches = True  # what is said stands in it

    def get_unconditional_inputs(self, num_samples: int = 1) -> MoshiUnconditionalInput:
        """One step of nothing, for so many dialogues."""
        model: Any = self
        text = torch.full((num_samples, 1), model.config.vocab_size, device=self.device)
        codes = text.new_full((num_samples, model.config.num_codebooks, 1), model.config.audio_vocab_size)
        return MoshiUnconditionalInput(text, codes, codes, torch.ones_like(text))

    def delayed(self, codes: Tensor) -> Tensor:
        """Codes (batch, codebooks, steps), all but those of the first codebook a step late."""
        model: Any = self
        late = F.pad(codes[:, 1:, :-1], (1, 0), value=model.config.audio_vocab_size)
        return torch.cat((codes[:, :1], late), dim=1)

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        user_input_values: Tensor | None = None,
        user_audio_codes: Tensor | None = None,
        moshi_input_values: Tensor | None = None,
        moshi_audio_codes: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        return_audio_waveforms: bool | None = True,
        return_audio_codes: bool | None = None,
        concat_unconditional_inputs: bool | None = True,
        **kwargs: Any,
    ) -> Any:
        """Text and sound that go on with a dialogue; the user is silent from then on.

        Args:
            input_ids: (batch, steps) text so far. user_*, moshi_*: what both have said, as sound (batch, 1,
                samples) or codes (batch, codebooks, steps); without any a dialogue begins.
            concat_unconditional_inputs: begin with a step of nothing, as Moshi was trained.
            return_audio_waveforms, return_audio_codes: give them beside the text.
            **kwargs: settings of the text; with `depth_decoder_` before them of the codes.

        Returns:
            Text ids (rows, steps); a `MoshiConditionalGenerationGenerateOutput` where more is wanted.
        """
        model: Any = self
        if inputs_embeds is not None:
            raise GenerationError("pass text and codes: Moshi goes on from what was said, not from vectors")
        wants_sound = bool(return_audio_waveforms or return_audio_codes)
        given: Any = kwargs.get("generation_config")
        beams = kwargs.get("num_beams") or (self.settings() if given is None else given).num_beams
        if wants_sound and (beams or 1) > 1:
            raise GenerationError(
                f"num_beams={beams} keeps no sound: pass num_beams=1, or return_audio_waveforms=False and "
                "return_audio_codes=False for the text alone"
            )
        depth = {name: kwargs.pop(name) for name in list(kwargs) if name.startswith("depth_decoder_")}
        text, own, user, mask = self.dialogue(
            input_ids,
            model.codes_of(moshi_input_values, moshi_audio_codes),
            model.codes_of(user_input_values, user_audio_codes),
            kwargs.pop("attention_mask", None),
            begin=bool(concat_unconditional_inputs),
        )
        vectors = model.embed(text, torch.cat((self.delayed(own), self.delayed(user)), dim=1))
        whole = bool(kwargs.pop("return_dict_in_generate", False))
        found: Any = super().generate(
            text,
            inputs_embeds=vectors,
            attention_mask=mask,
            following_codes=self.following(own, user),
            depth_settings=self.depth_settings(depth),
            return_dict_in_generate=True,
            **kwargs,
        )
        if not wants_sound and not whole:
            return found.sequences
        names = MoshiConditionalGenerationGenerateOutput().fields
        kept = {name: found[name] for name in found if name in names} if whole else {}
        out = MoshiConditionalGenerationGenerateOutput(**{**kept, "sequences": found.sequences})
        if wants_sound:
            codes = self.said(own, found, text.shape[1])
            if concat_unconditional_inputs or input_ids is None:
                codes = codes[:, :, 1:]
            if return_audio_codes:
                out.audio_codes = codes
            if return_audio_waveforms:
                out.audio_sequences = model.audio_encoder.decode(codes).audio_values
        return out

    def dialogue(
        self,
        text: Tensor | None,
        own: Tensor | None,
        user: Tensor | None,
        mask: Tensor | None,
        *,
        begin: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Text (batch, steps), codes of both (batch, codebooks, steps), and the mask of the steps."""
        given = [part for part in (text, own, user) if part is not None]
        if not given:
            nothing = self.get_unconditional_inputs()
            return (
                nothing.input_ids,
                nothing.moshi_audio_codes,
                nothing.user_audio_codes,
                nothing.attention_mask,
            )
        if text is None or own is None or user is None:
            raise GenerationError("pass text and what both speakers said, as sound or codes, or none of them")
        steps = {part.shape[-1] for part in given}
        if len(steps) != 1:
            raise GenerationError(
                f"text has {text.shape[-1]} steps, Moshi's codes {own.shape[-1]} and the user's "
                f"{user.shape[-1]}; they must be equally many"
            )
        mask = torch.ones_like(text) if mask is None else mask.long()
        if not begin:
            return text, own, user, mask
        nothing = self.get_unconditional_inputs(len(text))
        return (
            torch.cat((nothing.input_ids, text), dim=1),
            torch.cat((nothing.moshi_audio_codes, own), dim=2),
            torch.cat((nothing.user_audio_codes, user), dim=2),
            torch.cat((nothing.attention_mask, mask), dim=1),
        )

    def following(self, own: Tensor, user: Tensor) -> Tensor:
        """Codes (batch, 2, 2 x codebooks) that are not written: in the next step, and in those after it.

        -1 where the depth decoder writes. The late codes of what was said come with the next step.
        """
        model: Any = self
        silence = self.silence().expand(len(user), -1)
        written = torch.full_like(own[:, :, -1], -1)
        first = torch.cat((written[:, :1], own[:, 1:, -1], silence[:, :1], user[:, 1:, -1]), dim=1)
        later = torch.cat((written, silence), dim=1)
        return torch.stack((first, later), dim=1).to(model.device)

    def silence(self) -> Tensor:
        """Codes (1, codebooks) of a frame of silence."""
        model: Any = self
        codec = model.audio_encoder.config
        samples = codec.frame_size
        blank = torch.zeros(1, 1, samples, device=self.device, dtype=model.dtype)
        codes: Tensor = model.codes_of(blank, None)
        return codes[:, :, 0]

    def depth_settings(self, given: dict[str, Any]) -> GenerationConfig:
        """How the depth decoder decodes: greedily, or by sampling."""
        stored = getattr(self.settings(), "depth_decoder_config", None)
        settings = dict(stored) if isinstance(stored, dict) else {}
        settings |= {name.removeprefix("depth_decoder_"): value for name, value in given.items()}
        config: GenerationConfig = GenerationConfig.from_dict(settings)
        return config

    def written(self, text: Tensor, state: Tensor, config: GenerationConfig | None) -> Tensor:
        """Codes (rows, codebooks) of a text token (rows,) and the state (rows, 1, hidden) that led to it."""
        model: Any = self
        ids = text[:, None]
        for _ in range(model.config.num_codebooks):
            logits = model.depth_decoder(ids, state).logits[:, -1]
            ids = torch.cat((ids, pick(logits, config or GenerationConfig())[:, None]), dim=1)
        return ids[:, 1:]

    def spoken_step(self, input_ids: Tensor, cache: Cache, config: GenerationConfig | None) -> Tensor:
        """The vectors (rows, 1, hidden) of a new text token (rows, 1) with the codes written for it."""
        model: Any = self
        given, states = cache.slot("given", 0, RowSlot), cache.slot("states", 0, RowSlot)
        assert given.value is not None and states.value is not None
        codes = self.written(input_ids[:, -1], states.value[:, -1:], config)
        past = cache.slot("codes", 0, RowSlot)
        new = codes[:, :, None]
        past.value = new if past.value is None else torch.cat((past.value, new), dim=2)
        fixed = given.value[:, 0]
        given.value = given.value[:, -1:].expand(-1, 2, -1)
        both = torch.where(fixed >= 0, fixed, torch.cat((codes, codes), dim=1))
        return model.embed(input_ids, both[:, :, None])

    def said(self, own: Tensor, found: Any, prompt: int) -> Tensor:
        """Codes (rows, codebooks, steps) of the dialogue, the late ones in their places."""
        cache, count = found.past_key_values, found.sequences.shape[1] - prompt
        states, past = cache.slot("states", 0, RowSlot).value, cache.slot("codes", 0, RowSlot).value
        parts = [] if past is None else [past[:, :, : count - 1]]
        last = self.written(found.sequences[:, -1], states[:, count - 1 : count], self.depth_settings({}))
        codes = torch.cat([*parts, last[:, :, None]], dim=2)
        new = torch.cat((codes[:, :1, :-1], codes[:, 1:, 1:]), dim=1)
        return torch.cat((own.repeat_interleave(len(new) // len(own), dim=0), new), dim=2)
