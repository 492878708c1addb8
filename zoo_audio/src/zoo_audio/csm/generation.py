"""How CSM speaks: the backbone writes a frame's first code, the depth decoder the others."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationConfig, GenerationMixin
from zoo_core.generation.config import DEFAULTS
from zoo_core.generation.session import merged
from zoo_core.nn.cache import Cache


def pick(logits: Tensor, config: GenerationConfig) -> Tensor:
    """A code for each row of logits (batch, vocabulary): the best, or drawn as the settings say."""
    if not config.do_sample:
        return logits.argmax(-1)
    logits = logits.float() / (config.temperature or 1.0)
    if config.top_k:
        worst = logits.topk(min(config.top_k, logits.shape[-1]), dim=-1).values[:, -1:]
        logits = logits.masked_fill(logits < worst, float("-inf"))
    return torch.multinomial(logits.softmax(-1), 1)[:, 0]


class CsmGeneration(GenerationMixin):
    """`generate` of frames."""

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        *,
        attention_mask: Tensor | None = None,
        output_audio: bool = False,
        **kwargs: Any,
    ) -> Tensor | list[Tensor]:
        """Frames (batch, frames, codebooks) for text (batch, tokens), or that follow frames, which are kept.

        Args:
            output_audio: waveforms (samples,) of each row instead. **kwargs: lengths, `do_sample` with
                temperature and top_k.

        Raises:
            GenerationError: another way of decoding than greedy or sampling was asked for.
        """
        model: Any = self
        settings = {name: kwargs.pop(name) for name in list(kwargs) if name in DEFAULTS}
        if kwargs:
            raise GenerationError(f"{type(self).__name__}.generate takes no {', '.join(sorted(kwargs))}")
        if input_ids is None:
            raise GenerationError(
                "pass input_ids: text (batch, tokens), or frames (batch, frames, codebooks)"
            )
        config = merged(self.settings(), generation_config, settings, True)
        if (config.num_beams or 1) > 1 or (config.num_return_sequences or 1) > 1:
            raise GenerationError("CSM decodes greedily or by sampling: leave out num_beams and copies")
        steps = config.max_new_tokens or max((config.max_length or 0) - input_ids.shape[1], 1)
        end = model.config.codebook_eos_token_id
        cache, inputs, frames = Cache(), input_ids, []
        done = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        for step in range(steps):
            read: dict[str, Tensor] = {"input_ids": inputs}
            if inputs.dim() == 2:
                read = {"inputs_embeds": model.embed_text_tokens(inputs)}
            if attention_mask is not None:  # what is hidden does not move positions
                places = (attention_mask.long().cumsum(-1) - 1).masked_fill(attention_mask == 0, 1)
                read["position_ids"] = places[:, -inputs.shape[1] :]
            output = model.backbone_model(**read, attention_mask=attention_mask, past_key_values=cache)
            state = output.last_hidden_state[:, -1]
            logits = model.lm_head(state)
            if step < (config.min_new_tokens or 0) and config.eos_token_id is not None:
                logits[:, config.eos_token_id] = float("-inf")
            frame = self.frame(state, pick(logits, config), config)
            frame = frame.masked_fill(done[:, None], model.config.codebook_pad_token_id)
            frames.append(frame)
            done |= (frame == end).all(-1)
            inputs = frame[:, None]
            if attention_mask is not None:
                attention_mask = torch.cat((attention_mask, attention_mask.new_ones(len(frame), 1)), dim=1)
            if bool(done.all()):
                break
        written = torch.stack(frames, dim=1)
        if output_audio:
            return [self.sound(row) for row in written]
        return torch.cat((input_ids, written), dim=1) if input_ids.dim() == 3 else written

    def frame(self, state: Tensor, first: Tensor, config: GenerationConfig) -> Tensor:
        """All codes (batch, codebooks) of a frame from the backbone's state and the first code."""
        model: Any = self
        codes, cache = [first], Cache()
        inputs = torch.stack((torch.zeros_like(first), first), dim=1)
        for _ in range(model.config.num_codebooks - 1):
            given = state if len(codes) == 1 else None
            logits = model.depth_decoder(inputs, given, past_key_values=cache, use_cache=True).logits[:, -1]
            codes.append(pick(logits, config))
            inputs = codes[-1][:, None]
        return torch.stack(codes, dim=1)

    def sound(self, frames: Tensor) -> Tensor:
        """The waveform (samples,) of frames (frames, codebooks), up to the one that ends them."""
        model: Any = self
        ends = (frames == model.config.codebook_eos_token_id).all(-1).nonzero()
        kept = frames[: int(ends[0])] if len(ends) else frames
        return model.codec_model.decode(kept.t()[None]).audio_values[0, 0]
