"""What BLIP-2 and InstructBLIP share: a language model that reads what queries took from an image."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.errors import ConfigError
from zoo_core.generation import GenerationMixin
from zoo_core.modeling.loss import causal_lm_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import (
    BaseModelOutputWithPooling,
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithPast,
    ModelOutput,
    Seq2SeqLMOutput,
)
from zoo_core.modeling.parts import build_part
from zoo_multimodal.blip_2.config import QueryingConfig
from zoo_multimodal.image_text import find_placeholders, place_features


class QueryingModelOutput(ModelOutput):
    """Scores of the next token, and the outputs of all three parts.

    Of an encoder-decoder, `logits` are those of the decoder.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    vision_outputs: BaseModelOutputWithPooling
    qformer_outputs: BaseModelOutputWithPoolingAndCrossAttentions
    language_model_outputs: CausalLMOutputWithPast | Seq2SeqLMOutput


class QueryingModel(PreTrainedModel):
    """Image encoder, queries, and a projection to the embeddings of any registered language model."""

    main_input_name = "pixel_values"

    #: how the language model is built: with its head, or without
    headed = True
    #: field of the config that holds the placeholder's id
    placeholder = "image_token_index"
    vision_class: type[PreTrainedModel]
    qformer_class: type[PreTrainedModel]

    def __init__(self, config: QueryingConfig) -> None:
        super().__init__(config)
        self.vision_model = self.vision_class(config.vision_config)
        self.query_tokens = nn.Parameter(
            torch.empty(1, config.num_query_tokens, config.qformer_config.hidden_size)
        )
        self.qformer = self.qformer_class(config.qformer_config)
        self.language_projection = nn.Linear(
            config.qformer_config.hidden_size, config.text_config.hidden_size
        )
        kind = "AutoModelForCausalLM" if config.use_decoder_only_language_model else "AutoModelForSeq2SeqLM"
        self.language_model = build_part(config.text_config, kind if self.headed else "AutoModel")
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            nn.init.zeros_(self.query_tokens)

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_input_embeddings(value)

    def get_output_embeddings(self) -> Any:
        return self.language_model.get_output_embeddings()

    def set_output_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_output_embeddings(value)

    def get_encoder(self) -> nn.Module:
        model: Any = self.language_model
        encoder: nn.Module = model.get_encoder()
        return encoder

    def get_decoder(self) -> nn.Module:
        model: Any = self.language_model
        decoder: nn.Module = model.get_decoder()
        return decoder

    def ask(self, states: Tensor, **text: Tensor | None) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """Let the queries look at the image encoder's states (batch, source, width)."""
        queries = self.query_tokens.expand(len(states), -1, -1)
        outputs: BaseModelOutputWithPoolingAndCrossAttentions = self.qformer(
            query_embeds=queries, encoder_hidden_states=states, **text
        )
        return outputs

    def see(
        self, pixel_values: Tensor, *, interpolate_pos_encoding: bool = False, **text: Tensor | None
    ) -> tuple[Tensor, Any, Any]:
        """Embeddings (batch, queries, width of the language model), and both parts' outputs."""
        vision = self.vision_model(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        asked = self.ask(vision.last_hidden_state, **text)
        queries = self.query_tokens.shape[1]
        features = self.language_projection(asked.last_hidden_state[:, :queries].to(vision[0].dtype))
        return features, vision, asked

    def embed(self, input_ids: Tensor | None, inputs_embeds: Tensor | None, features: Tensor) -> Tensor:
        """Embedded text (batch, sequence, width) with image features at its placeholders."""
        token = getattr(self.config, self.placeholder)
        if token is None:
            raise ConfigError(
                f"config.{self.placeholder} is None, so there is no telling where the image goes; set it to "
                "the id of the placeholder, e.g. processor.tokenizer.convert_tokens_to_ids('<image>')"
            )
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        table = self.get_input_embeddings()
        embedded = table(input_ids) if inputs_embeds is None else inputs_embeds
        places = find_placeholders(input_ids, embedded, token, table)
        return place_features(embedded, places, features.flatten(0, 1), exact=False)

    def read(
        self,
        embedded: Tensor,
        attention_mask: Tensor | None,
        labels: Tensor | None,
        *,
        use_cache: bool | None = None,
        **inputs: Any,
    ) -> tuple[Tensor | None, Any]:
        """Loss and output of the language model on embedded text."""
        if use_cache is not None:
            inputs["use_cache"] = use_cache
        if not self.config.use_decoder_only_language_model:
            outputs = self.language_model(
                inputs_embeds=embedded, attention_mask=attention_mask, labels=labels, **inputs
            )
            return outputs.loss, outputs
        outputs = self.language_model(inputs_embeds=embedded, attention_mask=attention_mask, **inputs)
        return None if labels is None else causal_lm_loss(outputs.logits, labels), outputs


class QueryingForConditionalGeneration(GenerationMixin, QueryingModel):
    """Text from an image and an optional prompt."""

    def get_image_features(
        self,
        pixel_values: Tensor,
        *text: Tensor | None,
        interpolate_pos_encoding: bool | None = False,
        return_dict: bool | None = False,
    ) -> Any:
        """Projected queries (batch, queries, width); with `return_dict` also both parts' outputs."""
        found = self.see(
            pixel_values, interpolate_pos_encoding=bool(interpolate_pos_encoding), **self.named(text)
        )
        return found if return_dict else found[0]

    def named(self, text: tuple[Tensor | None, ...]) -> dict[str, Tensor | None]:
        """Arguments of the querying transformer from what `get_image_features` was given in order."""
        if text:
            raise TypeError("get_image_features takes pixel_values; pass the rest by name")
        return {}

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        pixel_values: Tensor,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        **generate_kwargs: Any,
    ) -> Tensor | ModelOutput:
        """Token ids (batch, length) that the language model writes about images and prompts.

        Args:
            pixel_values: (batch, channels, height, width).
            input_ids: (batch, sequence) prompts with placeholders; by default placeholders and the start
                token alone. `inputs_embeds` (batch, sequence, width) may stand in their place.
            attention_mask: (batch, sequence).
            generate_kwargs: settings and inputs of the language model, see `GenerationMixin.generate`.

        Returns:
            Of a decoder-only language model prompt and continuation, of an encoder-decoder what it wrote.
        """
        text = {n: generate_kwargs.pop(n) for n in list(generate_kwargs) if n.startswith("qformer_")}
        features, _, _ = self.see(
            pixel_values, interpolate_pos_encoding=interpolate_pos_encoding, **self.qformer_text(text)
        )
        if input_ids is None and inputs_embeds is None:
            input_ids = self.start_tokens(*features.shape[:2]).to(features.device)
        embedded = self.embed(input_ids, inputs_embeds, features)
        if attention_mask is None:
            attention_mask = torch.ones(embedded.shape[:2], dtype=torch.int64, device=embedded.device)
        inputs: dict[str, Any] = {"inputs_embeds": embedded, "attention_mask": attention_mask}
        if input_ids is not None and not self.language_model.config.is_encoder_decoder:
            inputs["input_ids"] = input_ids
        model: Any = self.language_model
        written: Tensor | ModelOutput = model.generate(**inputs, **generate_kwargs)
        return written

    def qformer_text(self, text: dict[str, Any]) -> dict[str, Tensor | None]:
        """Arguments of the querying transformer from those of `generate` that begin with "qformer_"."""
        if text:
            raise TypeError(f"{type(self).__name__} gives its queries no text: leave out {', '.join(text)}")
        return {}

    def start_tokens(self, batch: int, features: int) -> Tensor:
        """(batch, features + 1): the prompt of an image without one."""
        start, token = self.config.text_config.bos_token_id, getattr(self.config, self.placeholder)
        if token is None or start is None:
            missing = self.placeholder if start is not None else "text_config.bos_token_id"
            raise ConfigError(f"config.{missing} is None: set it, or pass input_ids with placeholders")
        ids = [token] * features + [int(start)]
        return torch.tensor([ids]).repeat(batch, 1)
