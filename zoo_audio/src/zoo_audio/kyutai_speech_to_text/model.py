"""Kyutai's speech-to-text: a decoder that reads the codes of a frame and writes a token at every step."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.kyutai_speech_to_text.config import KyutaiSpeechToTextConfig
from zoo_audio.moshi.model import MoshiModel
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.cache import Cache


class KyutaiSpeechToTextPreTrainedModel(PreTrainedModel):
    """What all classes of the type share."""

    config_class = KyutaiSpeechToTextConfig
    base_model_prefix = "model"


class KyutaiSpeechToTextModel(KyutaiSpeechToTextPreTrainedModel, MoshiModel):
    """The decoder without a head; ids are (batch, sequence, 1 + codebooks), text first."""

    hub_names = {"embed_tokens": "embed_tokens.embed_tokens"}

    def make_embeddings(self, config: KyutaiSpeechToTextConfig) -> None:
        rows = config.vocab_size + config.num_codebooks * config.codebook_vocab_size + 1
        pad = config.audio_pad_token_id
        self.embed_tokens = nn.Embedding(rows, config.hidden_size, padding_idx=pad if pad < rows else None)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        if input_ids is None:
            assert inputs_embeds is not None
            return inputs_embeds
        config = self.config
        columns = 1 + config.num_codebooks
        if input_ids.dim() != 3 or input_ids.shape[-1] != columns:
            raise ValueError(
                f"input_ids are {tuple(input_ids.shape)}; expected (batch, sequence, {columns}): a token of "
                f"text and {columns - 1} codes"
            )
        first = torch.arange(columns - 1, device=input_ids.device) * config.codebook_vocab_size
        first = torch.cat((first.new_zeros(1), first + config.vocab_size))
        rows = torch.where(input_ids == config.audio_pad_token_id, input_ids, input_ids + first)
        return self.embed_tokens(rows).sum(2)


class KyutaiSpeechToTextForConditionalGeneration(ForCausalLM, KyutaiSpeechToTextPreTrainedModel):
    """The decoder with a language modeling head, and the codec that hears."""

    base_class = KyutaiSpeechToTextModel
    tied_weights = {}
    constant_inputs = ForCausalLM.constant_inputs | {"audio_codes"}

    def build_head(self, config: KyutaiSpeechToTextConfig) -> None:
        super().build_head(config)
        self.codec_model = build_part(config.codec_config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        audio_codes: Tensor | None = None,
        past_key_values: Cache | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As the base model.

        Args:
            audio_codes: (batch, codebooks, frames) beside text ids (batch, sequence); a token stands with
                the frame before it.
        """
        if audio_codes is not None and input_ids is not None and input_ids.dim() == 2:
            past = 0 if past_key_values is None else past_key_values.length
            begin = torch.full_like(audio_codes[..., :1], self.config.audio_bos_token_id)
            codes = torch.cat((begin, audio_codes), dim=-1)[..., past : past + input_ids.shape[1]]
            input_ids = torch.cat((input_ids[:, : codes.shape[-1], None], codes.transpose(1, 2)), dim=-1)
        return super().forward(input_ids, past_key_values=past_key_values, **inputs)

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_values: Tensor | None = None,
        padding_mask: Tensor | None = None,
        *,
        input_ids: Tensor | None = None,
        max_new_tokens: int | None = None,
        min_new_tokens: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Transcribe waveforms (batch, 1, samples): one token for each frame, of which most are padding.

        Args:
            input_ids: (batch, 1), the first token of the text, by default bos_token_id.
            max_new_tokens: at most as many as there are frames, which is the default.
        """
        if input_values is None:
            raise ValueError("pass input_values (batch, 1, samples), which the processor makes")
        if input_values.dim() == 2:
            input_values = input_values[:, None]
        frames = input_values.shape[-1] // self.config.codec_config.frame_size
        if frames < 1:
            raise ValueError(
                f"the sound has {input_values.shape[-1]} samples; a frame takes "
                f"{self.config.codec_config.frame_size}"
            )
        codes = self.codec_model.encode(
            input_values, padding_mask, num_quantizers=self.config.num_codebooks
        ).audio_codes
        if input_ids is None:
            begin = self.config.bos_token_id
            input_ids = torch.full((len(codes), 1), begin, device=codes.device)
        limits = {"max_new_tokens": min(frames, max_new_tokens or frames)}
        if min_new_tokens is not None:
            limits["min_new_tokens"] = min(frames, min_new_tokens)
        return super().generate(input_ids, audio_codes=codes, **limits, **kwargs)
