"""Chameleon and Fuyu: images in the place of tokens."""

from __future__ import annotations

import pytest
import torch

from zoo_multimodal.chameleon.config import ChameleonConfig
from zoo_multimodal.chameleon.model import ChameleonForConditionalGeneration, code_of
from zoo_multimodal.chameleon.vq import TokenIds
from zoo_multimodal.fuyu.config import FuyuConfig
from zoo_multimodal.fuyu.model import FuyuForCausalLM

SIZES = {
    "vocab_size": 20, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 16,
}  # fmt: skip


def chameleon() -> ChameleonForConditionalGeneration:
    torch.manual_seed(0)
    codes = {f"IMGIMG{letter}Z": 4 + i for i, letter in enumerate("ABCDE")}
    vq = {"base_channels": 32, "channel_multiplier": [1, 1], "embed_dim": 4, "latent_channels": 4}
    config = ChameleonConfig(
        **SIZES, num_key_value_heads=2, vocabulary_map={"<image>": 3, **codes},
        vq_config={**vq, "num_embeddings": 5, "num_res_blocks": 1}, eos_token_id=None,
    )  # fmt: skip
    return ChameleonForConditionalGeneration(config).eval()


def test_codes_become_tokens_and_are_never_written() -> None:
    assert (code_of("IMGIMGBCZ"), code_of("image")) == (12, None)
    ids = TokenIds({0: 7, 2: 9})
    assert ids(torch.tensor([0, 2, 1])).tolist() == [7, 9, 0]
    assert ids.reverse(torch.tensor([9, 7])).tolist() == [2, 0]
    with pytest.raises(ValueError, match="code 5"):
        ids(torch.tensor([5]))
    logits = chameleon()(torch.tensor([[1, 2]])).logits
    assert (logits[..., 4:9] == torch.finfo(logits.dtype).min).all()


def test_left_padding_does_not_change_what_chameleon_writes() -> None:
    model, pixels = chameleon(), torch.rand(1, 3, 4, 4)
    ids = torch.tensor([[1, 3, 3, 3, 3, 12]])
    padded, mask = torch.cat((ids.new_zeros(1, 2), ids), 1), torch.tensor([[0, 0, 1, 1, 1, 1, 1, 1]])
    wanted = model.generate(ids, pixel_values=pixels, max_new_tokens=4)[:, 6:]
    given = model.generate(padded, attention_mask=mask, pixel_values=pixels, max_new_tokens=4)[:, 8:]
    assert wanted.tolist() == given.tolist()
    with pytest.raises(ValueError, match="3 image placeholder tokens for 4"):
        model(ids[:, 2:], pixel_values=pixels)


def test_fuyu_reads_patches_in_lists_and_alone() -> None:
    torch.manual_seed(0)
    config = FuyuConfig(**SIZES, patch_size=2, image_token_id=3, eos_token_id=None, hidden_act="gelu")
    assert config.text_config.hidden_size == 16
    model = FuyuForCausalLM(config).eval()
    ids, patches = torch.tensor([[3, 3, 5], [0, 3, 6]]), torch.rand(3, 12)
    mask = torch.tensor([[1, 1, 1], [0, 1, 1]])
    both = model(ids, image_patches=[patches[:2], patches[2:]], attention_mask=mask).logits
    alone = model(ids[1:, 1:], image_patches=patches[None, 2:]).logits
    torch.testing.assert_close(both[1:, 1:], alone, atol=1e-5, rtol=1e-4)
    with pytest.raises(ValueError, match="2 image placeholder tokens for 3"):
        model(ids[:1], image_patches=patches[None])
