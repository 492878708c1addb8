"""UDOP: words and the patches in which they stand."""

from __future__ import annotations

import torch

from zoo_multimodal.udop.config import UdopConfig
from zoo_multimodal.udop.model import UdopForConditionalGeneration, join_patches, patch_boxes


def test_patches_without_words_follow_the_text() -> None:
    words, patches = torch.zeros(1, 3, 1), torch.arange(1.0, 5.0)[None, :, None]
    bbox = torch.tensor([[[0.6, 0.1, 0.8, 0.2], [0.7, 0.0, 0.9, 0.1], [0.0, 0.0, 0.0, 0.0]]])
    boxes = patch_boxes(2, 2, words.device)[None]
    states, places, mask = join_patches(words, bbox, torch.tensor([[1, 1, 0]]), patches, boxes, (2, 2))
    assert states.flatten().tolist() == [2, 2, 0, 3, 4, 0, 0]  # the third word has no place, nor a patch
    assert mask.tolist() == [[1, 1, 0, 1, 1, 0, 0]]
    assert places[0, 3].tolist() == [0, 0.5, 0.5, 1]


def test_left_padding_does_not_change_what_is_written() -> None:
    torch.manual_seed(0)
    config = UdopConfig(
        vocab_size=20, d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2, image_size=8, patch_size=4,
        decoder_start_token_id=0,
    )  # fmt: skip
    model = UdopForConditionalGeneration(config).eval()
    ids, bbox, pixels = torch.tensor([[5, 6, 7]]), torch.rand(1, 3, 4), torch.rand(1, 3, 8, 8)
    padded = torch.tensor([[0, 5, 6, 7]]), torch.cat((bbox[:, :1], bbox), 1), torch.tensor([[0, 1, 1, 1]])
    short = model.generate(ids, bbox=bbox, pixel_values=pixels, max_new_tokens=4, min_new_tokens=4)
    long = model.generate(
        padded[0], bbox=padded[1], attention_mask=padded[2], pixel_values=pixels, max_new_tokens=4,
        min_new_tokens=4,
    )  # fmt: skip
    assert short.tolist() == long.tolist()
