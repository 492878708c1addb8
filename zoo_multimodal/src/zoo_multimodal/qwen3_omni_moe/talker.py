"""The talker of Qwen3-Omni: frames of codes, from what the thinker writes.

A language model with experts writes the first code of each frame, a small one the others.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.generation import GenerationMixin
from zoo_core.heads.language import with_balance
from zoo_core.modeling.loss import causal_lm_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithPast, MoeCausalLMOutputWithPast
from zoo_core.nn.activation import activation
from zoo_core.nn.cache import Cache, RowSlot
from zoo_core.nn.linear import Linear
from zoo_multimodal.qwen2_5_omni.talker import Talker
from zoo_multimodal.qwen2_vl.positions import shift
from zoo_multimodal.qwen3_omni_moe.config import (
    Qwen3OmniMoeTalkerCodePredictorConfig,
    Qwen3OmniMoeTalkerConfig,
    Qwen3OmniMoeTalkerTextConfig,
)
from zoo_multimodal.qwen3_omni_moe.thinker import Qwen3OmniMoeThinkerTextModel
from zoo_text.qwen2_moe.model import GatedExpert, SparseMoE, is_sparse
from zoo_text.qwen3.model import QKNormDecoder


class Qwen3OmniMoeTalkerOutputWithPast(MoeCausalLMOutputWithPast):
    """Scores of the next frame's first code, after `generation_step` frames."""

    generation_step: int | None = None


class Qwen3OmniMoeTalkerCodePredictorOutputWithPast(CausalLMOutputWithPast):
    """Scores of a frame's next code, after `generation_steps` of those that are predicted."""

    generation_steps: int | None = None


class Projection(nn.Module):
    """The thinker's width to the talker's."""

    hub_names = {"fc1": "linear_fc1", "fc2": "linear_fc2"}

    def __init__(self, config: Any) -> None:
        super().__init__()
        text = config.text_config
        self.fc1 = nn.Linear(config.thinker_hidden_size, text.intermediate_size)
        self.fc2 = nn.Linear(text.intermediate_size, text.hidden_size)
        self.act = activation(text.hidden_act)

    def forward(self, hidden: Tensor) -> Tensor:
        found: Tensor = self.fc2(self.act(self.fc1(hidden)))
        return found


class Qwen3OmniMoeTalkerModel(Qwen3OmniMoeThinkerTextModel):
    """The talker's language model without its head."""

    config_class = Qwen3OmniMoeTalkerTextConfig
    base_model_prefix = "talker.model"
    hub_names = {"embed_tokens": "codec_embedding"}

    def make_mlp(self, config: Any, layer_idx: int) -> nn.Module:
        if not is_sparse(config, layer_idx):
            return super().make_mlp(config, layer_idx)
        width = config.shared_expert_intermediate_size
        return SparseMoE(config, GatedExpert(config.hidden_size, width, config.hidden_act))


class Qwen3OmniMoeTalkerCodePredictorModel(QKNormDecoder):
    """The code predictor without its heads: vectors (batch, 1 + codes, hidden) to states."""

    config_class = Qwen3OmniMoeTalkerCodePredictorConfig
    base_model_prefix = "talker.code_predictor.model"
    hub_names = {"embed_tokens": "codec_embedding"}

    def make_embeddings(self, config: PretrainedConfig) -> None:
        tables = (
            nn.Embedding(config.vocab_size, config.hidden_size) for _ in range(config.num_code_groups - 1)
        )
        self.embed_tokens = nn.ModuleList(tables)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        if input_ids is not None or inputs_embeds is None:
            raise ValueError("each code has a table of its own: pass inputs_embeds, and no input_ids")
        return inputs_embeds


class Qwen3OmniMoeTalkerCodePredictorModelForConditionalGeneration(GenerationMixin, PreTrainedModel):
    """The codes of a frame after the first, each with a table and a head of its own.

    It begins with two vectors: the talker's state, and the frame's first code as the talker embeds it.
    """

    config_class = Qwen3OmniMoeTalkerCodePredictorConfig
    base_model_prefix = "talker.code_predictor"
    ignored_names = ("thinker.*", "code2wav.*")
    caches = True  # what was embedded is not kept, and each code has another table

    def __init__(self, config: Qwen3OmniMoeTalkerCodePredictorConfig) -> None:
        super().__init__(config)
        self.model = Qwen3OmniMoeTalkerCodePredictorModel(config)
        heads = (
            Linear(config.hidden_size, config.vocab_size, bias=False)
            for _ in range(config.num_code_groups - 1)
        )
        self.lm_head = nn.ModuleList(heads)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.model.embed_tokens

    def get_decoder(self) -> nn.Module:
        return self.model

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        *,
        generation_steps: int | None = None,
        **inputs: Any,
    ) -> Qwen3OmniMoeTalkerCodePredictorOutputWithPast:
        """Two vectors (batch, 2, hidden) and further ones, or the codes after them, to scores of the next.

        Args:
            generation_steps: how many codes stand before; follows from the vectors and the cache.

        Raises:
            ValueError: the frame has no such code.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        cache = self.model.cache_for(past_key_values, use_cache)
        past = 0 if cache is None else int(cache.length)
        given: Any = input_ids if inputs_embeds is None else inputs_embeds
        step = generation_steps
        if step is None or inputs_embeds is not None:
            step = past + given.shape[1] - 2
        if not 0 <= step < len(self.lm_head) or (inputs_embeds is None and not step):
            raise ValueError(
                f"{step} codes cannot stand before one that is predicted: a frame begins with two vectors in "
                f"inputs_embeds, and {len(self.lm_head)} codes are predicted"
            )
        if inputs_embeds is None:
            inputs_embeds = self.model.embed_tokens[step - 1](input_ids)
        outputs = self.model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=use_cache,
            **inputs,
        )
        logits = self.lm_head[step](outputs.last_hidden_state)
        return Qwen3OmniMoeTalkerCodePredictorOutputWithPast.carry(
            outputs,
            loss=None if labels is None else causal_lm_loss(logits, labels),
            logits=logits,
            generation_steps=step + 1,
        )


class Qwen3OmniMoeTalkerForConditionalGeneration(Talker):
    """The codes of each frame are embedded, the next token of the reply is added, and the sum continues."""

    config_class = Qwen3OmniMoeTalkerConfig
    ignored_names = ("thinker.*", "code2wav.*")
    whole_positions = False

    def __init__(self, config: Qwen3OmniMoeTalkerConfig) -> None:
        super().__init__(config)
        text = config.text_config
        self.model = Qwen3OmniMoeTalkerModel(text)
        self.text_projection, self.hidden_projection = Projection(config), Projection(config)
        self.codec_head = Linear(text.hidden_size, text.vocab_size, bias=False)
        self.code_predictor = Qwen3OmniMoeTalkerCodePredictorModelForConditionalGeneration(
            config.code_predictor_config
        )
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        use_audio_in_video: bool | None = None,
        audio_feature_lengths: Tensor | None = None,
        video_second_per_grid: Tensor | None = None,
        image_grid_thw: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        *,
        residual_codes: Tensor | None = None,
        trailing_text_hidden: Tensor | None = None,
        tts_pad_embed: Tensor | None = None,
        generation_step: int | None = None,
        talker_input_ids: Tensor | None = None,
        **inputs: Any,
    ) -> Qwen3OmniMoeTalkerOutputWithPast:
        """Vectors (batch, sequence, hidden) of a prompt, or of frames after it, to scores of first codes.

        Args:
            input_ids: (batch, sequence) first codes alone, embedded as they are; `inputs_embeds` goes first.
            residual_codes: (batch, groups) the frame that the vectors stand for, kept for `codes_of`.
            trailing_text_hidden: (batch, tokens, hidden) the reply that frames are to speak, and
                tts_pad_embed (batch, 1, hidden) what follows it; with a cache they are given once.
            generation_step: frames before this call.
            talker_input_ids: (batch, sequence) text of the prompt, which tells positions together with the
                grids, see `TimeAligned.get_rope_index`.
        """
        if input_ids is None and inputs_embeds is None:
            raise ValueError("pass input_ids or inputs_embeds")
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        cache = self.model.cache_for(past_key_values, use_cache)
        begins = cache is None or cache.length == 0
        slot = shift(cache)
        if cache is not None:
            self.keep(cache, residual_codes, trailing_text_hidden, tts_pad_embed)
        if position_ids is None:
            position_ids = self.positions_of(
                inputs_embeds,
                attention_mask,
                cache,
                slot,
                talker_input_ids if begins else None,
                image_grid_thw=image_grid_thw,
                video_grid_thw=video_grid_thw,
                use_audio_in_video=use_audio_in_video,
                audio_seqlens=audio_feature_lengths,
                second_per_grids=video_second_per_grid,
            )
        outputs = self.model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=use_cache,
            **inputs,
        )
        hidden = outputs.last_hidden_state
        if cache is not None:
            cache.slot("state", 0, RowSlot).value = hidden[:, -1:]
        logits = self.codec_head(hidden)
        found = Qwen3OmniMoeTalkerOutputWithPast.carry(
            outputs,
            loss=None if labels is None else causal_lm_loss(logits, labels),
            logits=logits,
            generation_step=0 if generation_step is None else generation_step + 1,
        )
        with_balance(found, self.config.text_config, attention_mask)
        return found

    def get_rope_index(
        self,
        input_ids: Tensor,
        image_grid_thw: Tensor | None = None,
        video_grid_thw: Tensor | None = None,
        attention_mask: Tensor | None = None,
        use_audio_in_video: bool | None = None,
        *lengths: Tensor | None,
        **places: Any,
    ) -> tuple[Tensor, Tensor]:
        """As the base's; without `use_audio_in_video` a video with its own sound counts as text."""
        if not use_audio_in_video:
            marks = self.config.vision_start_token_id, self.config.audio_start_token_id
            woven = (input_ids[:, :-1] == marks[0]) & (input_ids[:, 1:] == marks[1])
            input_ids = torch.cat((input_ids[:, :-1].masked_fill(woven, -1), input_ids[:, -1:]), dim=1)
        return super().get_rope_index(
            input_ids, image_grid_thw, video_grid_thw, attention_mask, use_audio_in_video, *lengths, **places
        )

    def keep(
        self, cache: Cache, codes: Tensor | None, reply: Tensor | None, following: Tensor | None
    ) -> None:
        """Put a frame, the reply and what follows it into the cache, where they are given."""
        if codes is not None:
            frames = cache.slot("codes", 0, RowSlot)
            new = codes[..., None]
            frames.value = new if frames.value is None else torch.cat((frames.value, new), dim=-1)
        given = [part for part in (reply, following) if part is not None]
        if given:
            cache.slot("reply", 0, RowSlot).value = torch.cat(given, dim=1)

    def codes_of(self, cache: Cache) -> Tensor | None:
        """The frames (batch, groups, frames) that a call of `generate` left in its cache."""
        return cache.slot("codes", 0, RowSlot).value

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        *,
        inputs_embeds: Tensor | None = None,
        past_key_values: Cache | None = None,
        position_ids: Tensor | None = None,
        **inputs: Any,
    ) -> dict[str, Any]:
        """As the base's; the frame that a first code begins is written to its end and embedded.

        Positions of one axis, which generation counts, are left to the model.
        """
        inputs["past_key_values"] = past_key_values
        if inputs_embeds is None and past_key_values is not None:
            state = past_key_values.slot("state", 0, RowSlot).value
            if state is not None:
                frame, vectors = self.frame(input_ids[:, -1:], state)
                reply = past_key_values.slot("reply", 0, RowSlot)
                if reply.value is not None:
                    vectors = vectors + reply.value[:, :1].to(vectors.device)
                    reply.value = reply.value[:, 1:] if reply.value.shape[1] > 1 else reply.value
                inputs |= {"residual_codes": frame}
                inputs_embeds = vectors
        return super().prepare_inputs_for_generation(input_ids, inputs_embeds=inputs_embeds, **inputs)

    def frame(self, first: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """All codes (batch, groups) of a frame, and the sum of their embeddings (batch, 1, hidden).

        Args:
            first: (batch, 1) its first code. state: (batch, 1, hidden) the talker's state before it.
        """
        embedded = self.get_input_embeddings()(first)
        begin = torch.cat((state.to(embedded), embedded), dim=1)
        tables = self.code_predictor.model.embed_tokens
        settings = {"max_new_tokens": len(tables), "do_sample": True, "top_k": 50, "top_p": 0.8}
        others: Any = self.code_predictor.generate(inputs_embeds=begin, **settings)
        for table, code in zip(tables, others.split(1, dim=1), strict=True):
            embedded = embedded + table(code)
        return torch.cat((first, others), dim=1), embedded
