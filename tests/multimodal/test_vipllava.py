"""ViP-LLaVA as documented: its configuration, its prompt, and layers chosen by the caller."""

from __future__ import annotations

import pytest
import torch

from zoo_core import AutoModelForImageTextToText
from zoo_multimodal.clip.config import CLIPVisionConfig
from zoo_multimodal.vipllava.config import VipLlavaConfig
from zoo_text.llama.config import LlamaConfig

SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2}
IMAGE = 5


def small(layers: int | list[int]) -> VipLlavaConfig:
    return VipLlavaConfig(
        CLIPVisionConfig(**SIZES, num_hidden_layers=2, image_size=28, patch_size=14),
        LlamaConfig(**SIZES, num_hidden_layers=1, vocab_size=32, max_position_embeddings=64),
        image_token_index=IMAGE,
        vision_feature_layers=layers,
    )


def test_defaults() -> None:
    config = VipLlavaConfig()
    assert config.vision_feature_layers == [-2, -5, -8, -11, 6]
    assert (config.image_token_index, config.image_token_id, config.image_seq_length) == (32000, 32000, 576)
    assert (config.projector_hidden_act, config.projector_layernorm_eps) == ("gelu", 1e-5)
    vision = config.vision_config
    assert (vision.model_type, vision.hidden_size, vision.num_hidden_layers) == (
        "clip_vision_model",
        1024,
        24,
    )
    assert config.text_config.model_type == "llama"


@pytest.mark.parametrize(("layers", "width"), [(-1, 16), ([-1, 0, -2], 48)])
def test_layers_are_joined_without_their_class_token(layers: int | list[int], width: int) -> None:
    model = AutoModelForImageTextToText.from_config(small(layers)).eval()
    assert model.model.multi_modal_projector.projector_layernorm.normalized_shape == (width,)
    pixels, ids = torch.zeros(1, 3, 28, 28), torch.tensor([[1, *[IMAGE] * 4, 7]])
    output = model(ids, pixels, labels=ids, output_hidden_states=True, output_attentions=True)
    assert output.logits.shape == (1, 6, 32) and output.loss.shape == ()
    assert type(output).__name__ == "VipLlavaCausalLMOutputWithPast"
    assert output.image_hidden_states.shape == (1, 4, 16)
    assert len(output.hidden_states) == 2 and output.attentions[0].shape == (1, 2, 6, 6)
    chosen = layers if isinstance(layers, int) else layers[::-1]
    other = model(ids, pixels, vision_feature_layers=chosen)
    assert torch.allclose(other.logits, output.logits, atol=1e-5) == isinstance(layers, int)
    with pytest.raises(ValueError, match="exactly one of input_ids and inputs_embeds"):
        model(pixel_values=pixels)


def test_what_follows_the_prompt_is_written() -> None:
    model = AutoModelForImageTextToText.from_config(small([-1, 0])).eval()
    ids, pixels = torch.tensor([[1, *[IMAGE] * 4, 7, 8]]), torch.ones(1, 3, 28, 28)
    options = {"max_new_tokens": 3, "min_new_tokens": 3, "do_sample": False, "pad_token_id": 0}
    written = model.generate(input_ids=ids, pixel_values=pixels, **options)
    assert written.shape == (1, 10) and torch.equal(written[:, :7], ids)
    padded = torch.cat((torch.zeros(1, 2, dtype=torch.long), ids), dim=1)  # on the left, as for batches
    mask = (torch.arange(9) > 1).long()[None]
    again = model.generate(input_ids=padded, attention_mask=mask, pixel_values=pixels, **options)
    assert torch.equal(again[:, 9:], written[:, 7:])
