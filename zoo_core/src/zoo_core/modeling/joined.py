"""An encoder and a decoder of any two registered types, joined by the decoder's cross-attention.

See https://arxiv.org/abs/1907.12461. A subclass says what its encoder reads.
"""

from __future__ import annotations

import logging
import os
from inspect import signature
from typing import Any, ClassVar, Self, cast

from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.config.joined import JoinedConfig
from zoo_core.generation import GenerationMixin
from zoo_core.modeling.loss import causal_lm_loss, token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput, Seq2SeqLMOutput
from zoo_core.modeling.parts import build_part
from zoo_core.modeling.seq2seq import as_output, shift_tokens_right

logger = logging.getLogger(__name__)


class JoinedModel(GenerationMixin, PreTrainedModel):
    """Encoder, decoder with a language modeling head, and a linear map where their widths differ.

    Args:
        config: of both; may be left out when both models are given.
        encoder, decoder: models to join; built from the config when None.
    """

    config_class: ClassVar[type[JoinedConfig]]
    #: the loss takes the labels to be the inputs, and shifts them (as recorded of vision-encoder-decoder)
    shift_labels: ClassVar[bool] = False

    def __init__(
        self,
        config: JoinedConfig | None = None,
        encoder: PreTrainedModel | None = None,
        decoder: PreTrainedModel | None = None,
    ) -> None:
        if config is None:
            if encoder is None or decoder is None:
                raise ValueError("pass a config, or both an encoder and a decoder")
            config = self.config_class.from_encoder_decoder_configs(encoder.config, decoder.config)
        super().__init__(config)
        self.encoder = build_part(config.encoder) if encoder is None else encoder
        self.decoder = build_part(config.decoder, "AutoModelForCausalLM") if decoder is None else decoder
        config.encoder, config.decoder = self.encoder.config, self.decoder.config
        if self.encoder.get_output_embeddings() is not None:
            raise ValueError(f"the encoder {type(self.encoder).__name__} must have no language modeling head")
        parts = [signature(part.forward).parameters for part in self.decoder.modules()]
        if not any("encoder_hidden_states" in names for names in parts):
            raise ValueError(
                f"the decoder {type(self.decoder).__name__} has no cross-attention, so it cannot read what "
                "an encoder wrote; decoders of the types bert, gpt2, roberta, bart, mbart and trocr can"
            )
        given, wanted = self.encoder_width(config.encoder), config.decoder.hidden_size
        expected = getattr(config.decoder, "cross_attention_hidden_size", None)
        if expected is not None and expected != given:
            raise ValueError(
                f"the decoder's cross_attention_hidden_size is {expected}, the encoder's states have {given}"
            )
        self.enc_to_dec_proj = nn.Linear(given, wanted) if given != wanted and expected is None else None
        self.post_init()

    def encoder_width(self, config: PretrainedConfig) -> int:
        """Width of the encoder's states."""
        return int(config.hidden_size)

    def encoder_padding(self, attention_mask: Tensor | None, encoded: ModelOutput) -> Tensor | None:
        """Which of the encoder's states count, (batch, source)."""
        return attention_mask

    def get_encoder(self) -> nn.Module:
        return self.encoder

    def get_decoder(self) -> nn.Module:
        return self.decoder

    def get_input_embeddings(self) -> nn.Module:
        return self.decoder.get_input_embeddings()

    def get_output_embeddings(self) -> nn.Module | None:
        return self.decoder.get_output_embeddings()

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> nn.Module:
        raise NotImplementedError(
            f"resize the sides of a {type(self).__name__}: model.decoder.resize_token_embeddings(...)"
        )

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """Labels shifted to the right, see `shift_tokens_right`."""
        start: Any = self.config.decoder_start_token_id
        return shift_tokens_right(labels, self.config.pad_token_id, start)

    def forward(
        self,
        inputs: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        past_key_values: Any = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        **kwargs: Any,
    ) -> Seq2SeqLMOutput:
        """What the encoder reads and decoder ids (batch, target) to logits (batch, target, vocabulary).

        Args:
            labels: (batch, target), which make the decoder's inputs and the loss.
            **kwargs: with the prefix `decoder_` for the decoder, all others for the encoder.
        """
        for_decoder = {name: kwargs.pop(name) for name in list(kwargs) if name.startswith("decoder_")}
        if encoder_outputs is None:
            if attention_mask is not None:
                kwargs["attention_mask"] = attention_mask
            encoder_outputs = self.encoder(inputs, **kwargs)
        encoded = as_output(encoder_outputs)
        states = encoded.last_hidden_state
        if self.enc_to_dec_proj is not None:
            states = self.enc_to_dec_proj(states)
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        optional = {
            "attention_mask": decoder_attention_mask,
            "inputs_embeds": decoder_inputs_embeds,
            "past_key_values": past_key_values,
            "use_cache": use_cache,
            "cache_position": cache_position,
            **{name.removeprefix("decoder_"): value for name, value in for_decoder.items()},
        }
        decoded = self.decoder(
            decoder_input_ids,
            encoder_hidden_states=states,
            encoder_attention_mask=self.encoder_padding(attention_mask, encoded),
            **{name: value for name, value in optional.items() if value is not None},
        )
        loss_of = causal_lm_loss if self.shift_labels else token_loss
        loss = None if labels is None else loss_of(decoded.logits, labels)
        return Seq2SeqLMOutput.join(encoded, decoded, loss=loss, logits=decoded.logits)

    @classmethod
    def from_encoder_decoder_pretrained(
        cls,
        encoder_pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        decoder_pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        *model_args: Any,
        **kwargs: Any,
    ) -> Self:
        """Join two checkpoints; cross-attention that the decoder's lacks starts random, to be trained.

        Args:
            encoder_..., decoder_pretrained_model_name_or_path: Hub names or folders.
            **kwargs: with the prefixes `encoder_` and `decoder_` for the load of each side (also
                `encoder_model`, `decoder_model`, `encoder_config`, `decoder_config`); the rest for the
                joint config.
        """
        own = {n: kwargs.pop(n) for n in ("decoder_start_token_id",) if n in kwargs}
        sides = {
            side: {n.removeprefix(side): kwargs.pop(n) for n in list(kwargs) if n.startswith(side)}
            for side in ("encoder_", "decoder_")
        }
        encoder = cls._side(
            "encoder", encoder_pretrained_model_name_or_path, model_args, sides["encoder_"], decodes=False
        )
        decoder = cls._side(
            "decoder", decoder_pretrained_model_name_or_path, (), sides["decoder_"], decodes=True
        )
        config = cls.config_class.from_encoder_decoder_configs(
            encoder.config, decoder.config, **own, **kwargs
        )
        config.tie_word_embeddings = False
        return cls(config=config, encoder=encoder, decoder=decoder).eval()

    @staticmethod
    def _side(
        side: str, name: Any, model_args: tuple[Any, ...], kwargs: dict[str, Any], *, decodes: bool
    ) -> PreTrainedModel:
        """One of the two models, given or loaded."""
        from zoo_core import AutoConfig, AutoModel, AutoModelForCausalLM

        given = kwargs.pop("model", None)
        if given is not None:
            return cast(PreTrainedModel, given)
        if name is None:
            raise ValueError(f"pass {side}_model, or {side}_pretrained_model_name_or_path")
        if "config" not in kwargs:
            hub = {key: value for key, value in kwargs.items() if key in _HUB_KEYWORDS}
            config, kwargs = AutoConfig.from_pretrained(name, return_unused_kwargs=True, **kwargs)
            kwargs = hub | kwargs
            if (config.is_decoder, config.add_cross_attention) != (decodes, decodes):
                logger.info("%s is loaded as the %s of a joint model", name, side)
                config.is_decoder = config.add_cross_attention = decodes
            kwargs["config"] = config
        auto: Any = AutoModelForCausalLM if decodes else AutoModel
        return cast(PreTrainedModel, auto.from_pretrained(name, *model_args, **kwargs))


_HUB_KEYWORDS = frozenset(
    {"cache_dir", "force_download", "local_files_only", "proxies", "revision", "subfolder", "token",
     "trust_remote_code", "code_revision"}
)  # fmt: skip
