"""LXMERT: padding on either side, answers whose number changes, input that lacks its regions."""

from __future__ import annotations

import pytest
import torch

from zoo_multimodal.lxmert.config import LxmertConfig
from zoo_multimodal.lxmert.model import LxmertForQuestionAnswering, LxmertModel

CONFIG = LxmertConfig(
    vocab_size=20, hidden_size=16, num_attention_heads=2, intermediate_size=24, l_layers=1, x_layers=2,
    r_layers=1, visual_feat_dim=8, num_qa_labels=5, initializer_range=0.3,
)  # fmt: skip
IDS = torch.tensor([[5, 6, 7, 0]])
REGIONS = {"visual_feats": torch.rand(1, 3, 8), "visual_pos": torch.rand(1, 3, 4)}


def test_hidden_words_and_regions_change_nothing() -> None:
    model = LxmertModel(CONFIG).eval()
    seen = {
        "attention_mask": torch.tensor([[1, 1, 1, 0]]),
        "visual_attention_mask": torch.tensor([[1, 1, 0]]),
    }
    padded = model(IDS, **REGIONS, **seen, output_attentions=True, output_hidden_states=True)
    alone = model(IDS[:, :3], **{name: value[:, :2] for name, value in REGIONS.items()})
    torch.testing.assert_close(padded.pooled_output, alone.pooled_output)
    torch.testing.assert_close(padded.vision_output[:, :2], alone.vision_output)
    assert [len(padded[side + "_hidden_states"]) for side in ("language", "vision")] == [3, 3]
    assert [weights.shape[1:] for weights in padded.cross_encoder_attentions] == [(2, 4, 3)] * 2
    assert len(padded.language_attentions) == len(padded.vision_attentions) == 1
    assert padded.cross_encoder_attentions[0][..., 2].eq(0).all()


def test_the_number_of_answers_changes() -> None:
    model = LxmertForQuestionAnswering(CONFIG).eval()
    before = model(IDS, **REGIONS).question_answering_score
    layer = model.resize_num_qa_labels(7)
    after = model(IDS, **REGIONS).question_answering_score
    assert layer is model.get_qa_logit_layer() and after.shape == (1, 7) and model.config.num_qa_labels == 7
    torch.testing.assert_close(after[:, :5], before)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "pass visual_feats"),
        ({"visual_feats": torch.rand(2, 3, 8), "visual_pos": torch.rand(2, 3, 4)}, "regions of 2 images"),
    ],
)
def test_bad_input_is_named(inputs: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LxmertModel(CONFIG)(IDS, **inputs)
