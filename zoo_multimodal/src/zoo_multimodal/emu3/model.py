"""Emu3: a Llama over tokens of text and of images."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_multimodal.chameleon.model import place_tokens
from zoo_multimodal.chameleon.vq import TokenIds, image_codes
from zoo_multimodal.emu3.config import Emu3Config, Emu3TextConfig
from zoo_multimodal.emu3.vq import Emu3VQVAE

MARK, END_OF_ROW = "<|visual token", "<|extra_200|>"


def code_of(token: str) -> int | None:
    """The code that a token such as "<|visual token000012|>" stands for; None if it is not an image's."""
    return int(token[len(MARK) : -2]) if token.startswith(MARK) else None


class Emu3PreTrainedModel(PreTrainedModel):
    """What all Emu3 classes share."""

    config_class = Emu3Config
    base_model_prefix = "model"
    ignored_names = ("*rotary_emb.inv_freq",)


class Emu3TextModel(Emu3PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    config_class = Emu3TextConfig


class Emu3ForCausalLM(ForCausalLM, Emu3PreTrainedModel):
    """The decoder with a language modeling head; it takes a whole model's config as well."""

    config_class = Emu3TextConfig
    base_class = Emu3TextModel

    def __init__(self, config: Any) -> None:
        super().__init__(config.get_text_config())


class Emu3Model(Emu3PreTrainedModel):
    """The decoder without its head, and the image tokenizer."""

    hub_names = {"text_model": "text_model.model"}

    def __init__(self, config: Emu3Config) -> None:
        super().__init__(config)
        self.text_model = Emu3TextModel(config.text_config)
        self.vqmodel = Emu3VQVAE(config.vq_config)
        self.image_ids = TokenIds(image_codes(config.vocabulary_map, code_of))
        self.end_of_row = (config.vocabulary_map or {}).get(END_OF_ROW, 0)
        self.post_init()

    def get_decoder(self) -> nn.Module:
        return self.text_model

    def get_input_embeddings(self) -> nn.Module:
        return self.text_model.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.text_model.set_input_embeddings(value)

    def get_image_tokens(self, pixel_values: Tensor, image_sizes: Tensor) -> Tensor:
        """Ids of all images' tokens (tokens,), each row of codes followed by a token for its end."""
        found = self.vqmodel.encode(pixel_values, image_sizes)
        rows = [F.pad(self.image_ids(codes), (0, 1), value=self.end_of_row) for codes in found]
        return torch.cat([one.flatten() for one in rows])

    def get_image_features(self, pixel_values: Tensor, image_sizes: Tensor) -> Tensor:
        """Embeddings of all images' tokens (tokens, hidden)."""
        return self.text_model.embed_tokens(self.get_image_tokens(pixel_values, image_sizes))

    def decode_image_tokens(self, image_tokens: Tensor, height: int, width: int) -> Tensor:
        """Ids (images, tokens), `height` rows of `width` codes with their ends first, to pixels of images."""
        rows = image_tokens[:, : height * (width + 1)].view(-1, height, width + 1)
        return self.vqmodel.decode(self.image_ids.reverse(rows[..., :-1]))

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_sizes: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Text (batch, sequence) with placeholders, and images with their sizes (images, 2), to states."""
        if pixel_values is not None:
            if input_ids is None or image_sizes is None:
                raise ValueError("pixel_values need input_ids, whose placeholders they fill, and image_sizes")
            tokens = self.get_image_tokens(pixel_values, image_sizes)
            input_ids = place_tokens(input_ids, self.config.image_token_id, tokens)
        return self.text_model(input_ids, attention_mask, **inputs)


class Emu3ForConditionalGeneration(ForCausalLM, Emu3PreTrainedModel):
    """Emu3 with the decoder's head."""

    base_class = Emu3Model
    base_name = ""
    head_names = {"lm_head": "text_model.lm_head"}
    #: the reference's head drops the images that it is given, and its numbers are those of the text alone
    reads_images: ClassVar[bool] = False

    def make_lm_head(self, config: Emu3Config) -> nn.Module:  # type: ignore[override]
        return super().make_lm_head(config.text_config)

    def ties(self) -> dict[str, str]:
        tied = self.config.get_text_config().tie_word_embeddings
        return {"lm_head.weight": "model.text_model.embed_tokens.weight"} if tied else {}

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_sizes: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """As the base model's, to scores of the next token; images count where `reads_images` is set."""
        if pixel_values is not None and not self.reads_images:
            warnings.warn(
                "Emu3ForConditionalGeneration gives the reference's numbers, which do not depend on images; "
                "set model.reads_images = True to have them read",
                stacklevel=3,
            )
            pixel_values = None
        return super().forward(
            input_ids,
            pixel_values=pixel_values,
            image_sizes=image_sizes,
            attention_mask=attention_mask,
            **inputs,
        )

    def decode_image_tokens(self, image_tokens: Tensor, height: int, width: int) -> Tensor:
        """See the base model."""
        model: Any = self.model
        return model.decode_image_tokens(image_tokens, height, width)
