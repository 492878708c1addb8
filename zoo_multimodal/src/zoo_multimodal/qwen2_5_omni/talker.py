"""The talker of Qwen2.5-Omni: codes of speech, from what the thinker writes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.generation import GenerationMixin
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.cache import Cache, RowSlot
from zoo_core.nn.linear import Linear
from zoo_multimodal.qwen2_5_omni.config import Qwen2_5OmniTalkerConfig
from zoo_multimodal.qwen2_5_omni.thinker import TimeAligned
from zoo_multimodal.qwen2_vl.model import Qwen2VLCausalLMOutputWithPast
from zoo_multimodal.qwen2_vl.positions import continued, mask_of_new, shift, text_positions
from zoo_text.qwen2_vl_text.model import Qwen2VLTextModel


class Qwen2_5OmniTalkerCausalLMOutputWithPast(Qwen2VLCausalLMOutputWithPast):
    """Scores of the next code, and what of the reply (batch, tokens, embedding) is still to be spoken."""

    thinker_reply_part: Tensor | None = None


class Qwen2_5OmniTalkerModel(Qwen2VLTextModel):
    """The talker without its head; embeddings have the thinker's width."""

    config_class = Qwen2_5OmniTalkerConfig

    def make_embeddings(self, config: PretrainedConfig) -> None:
        padding = config.pad_token_id
        self.embed_tokens = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=padding)


class Talker(TimeAligned, GenerationMixin, PreTrainedModel):
    """What speaks a reply: a language model of codes, `model`, whose scores are those of `codec_head`."""

    base_model_prefix = "talker"
    caches = True  # the reply advances by one with each code
    model: Any
    codec_head: nn.Module

    def merge_size(self) -> int:
        return int(self.config.spatial_merge_size)

    def get_input_embeddings(self) -> nn.Module:
        table: nn.Module = self.model.embed_tokens
        return table

    def get_output_embeddings(self) -> nn.Module:
        return self.codec_head

    def get_decoder(self) -> nn.Module:
        decoder: nn.Module = self.model
        return decoder

    def positions_of(
        self,
        vectors: Tensor,
        attention_mask: Tensor | None,
        cache: Cache | None,
        slot: RowSlot,
        text_ids: Tensor | None,
        **places: Any,
    ) -> Tensor:
        """Positions (3, batch, sequence) of new vectors; `slot` keeps how far they are from their index.

        Args:
            text_ids: (batch, sequence) text of a prompt, which tells them together with `places`, the
                keywords of `get_rope_index`; without, they follow.
        """
        mask = mask_of_new(attention_mask, vectors, cache)
        if text_ids is None:
            positions, deltas = text_positions(mask)
        else:
            positions, deltas = self.get_rope_index(text_ids, attention_mask=mask, **places)
        positions, slot.value = continued(positions, deltas, cache, slot)
        return positions


class Qwen2_5OmniTalkerForConditionalGeneration(Talker):
    """Each code is embedded, the state of the next token of the reply is added, and the sum continues."""

    config_class = Qwen2_5OmniTalkerConfig
    ignored_names = ("thinker.*", "token2wav.*")

    def __init__(self, config: Qwen2_5OmniTalkerConfig) -> None:
        super().__init__(config)
        self.thinker_to_talker_proj = nn.Linear(config.embedding_size, config.hidden_size)
        self.model = Qwen2_5OmniTalkerModel(config)
        self.codec_head = Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        thinker_reply_part: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        rope_deltas: Tensor | None = None,
        use_cache: bool | None = None,
        *,
        input_text_ids: Tensor | None = None,
        image_grid_thw: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        use_audio_in_video: bool | None = None,
        audio_feature_lengths: Tensor | None = None,
        video_second_per_grid: Tensor | None = None,
        **inputs: Any,
    ) -> Qwen2_5OmniTalkerCausalLMOutputWithPast:
        """A prompt of vectors (batch, sequence, embedding), or the codes after it, to scores of the next.

        Args:
            thinker_reply_part: (batch, tokens, embedding) the reply that codes are to speak; with a cache
                it is given once.
            input_text_ids: (batch, sequence) text of the prompt, which tells positions together with the
                grids, see `TimeAligned.get_rope_index`.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        cache = self.model.cache_for(past_key_values, use_cache)
        reply = RowSlot() if cache is None else cache.slot("reply", 0, RowSlot)
        if thinker_reply_part is not None:
            reply.value = thinker_reply_part
        begins = inputs_embeds is not None
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
            if reply.value is not None:
                inputs_embeds = inputs_embeds + reply.value[:, :1].to(inputs_embeds.device)
                reply.value = reply.value[:, 1:] if reply.value.shape[1] > 1 else reply.value
        elif position_ids is None and (cache is None or cache.length == 0):
            inputs_embeds = self.opened(inputs_embeds)
        slot = shift(cache, rope_deltas)
        if position_ids is None:
            position_ids = self.positions_of(
                inputs_embeds,
                attention_mask,
                cache,
                slot,
                input_text_ids if begins else None,
                image_grid_thw=image_grid_thw,
                video_grid_thw=video_grid_thw,
                use_audio_in_video=use_audio_in_video,
                audio_seqlens=audio_feature_lengths,
                second_per_grids=video_second_per_grid,
            )
        outputs = self.model(
            inputs_embeds=self.thinker_to_talker_proj(inputs_embeds),
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=use_cache,
            **inputs,
        )
        return Qwen2_5OmniTalkerCausalLMOutputWithPast.carry(
            outputs,
            logits=self.codec_head(outputs.last_hidden_state).float(),
            rope_deltas=slot.value,
            thinker_reply_part=reply.value,
        )

    def opened(self, vectors: Tensor) -> Tensor:
        """A prompt whose last two vectors say that codes follow."""
        config = self.config
        marks = [config.tts_codec_pad_token_id, config.tts_codec_start_token_id]
        added = self.get_input_embeddings()(torch.tensor(marks, device=vectors.device))
        return torch.cat((vectors[:, :-2], vectors[:, -2:] + added), dim=1)

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, *, position_ids: Tensor | None = None, **inputs: Any
    ) -> dict[str, Any]:
        """As the base's; positions of one axis, which generation counts, are left to the model."""
        return super().prepare_inputs_for_generation(input_ids, **inputs)
