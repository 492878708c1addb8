"""Models that write all codes of a frame: prompts are kept, ends follow the delays, beams are refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from zoo_core import AutoConfig, AutoModel, AutoModelForSpeechSeq2Seq
from zoo_core.errors import GenerationError

SIZES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
SIZES |= {"num_key_value_heads": 2, "head_dim": 8}
BOS, PAD, EOS = 99, 98, 97


@pytest.fixture
def dia() -> Any:
    torch.manual_seed(0)
    cross = {"cross_num_attention_heads": 2, "cross_num_key_value_heads": 2, "cross_head_dim": 8}
    config = AutoConfig.for_model(
        "dia",
        encoder_config={**SIZES, "vocab_size": 20},
        decoder_config={**SIZES, **cross, "cross_hidden_size": 16, "vocab_size": 100, "num_channels": 3},
        delay_pattern=[0, 1, 2],
        bos_token_id=BOS,
        pad_token_id=PAD,
        eos_token_id=EOS,
    )
    return AutoModelForSpeechSeq2Seq.from_config(config).eval()


def test_dia_keeps_what_is_given_and_ends_by_its_delays(dia: Any) -> None:
    given = [[BOS, BOS, BOS], [5, BOS, BOS], [PAD, 7, BOS], [PAD, PAD, 9]]
    written = dia.generate(
        torch.tensor([[3, 4, 5]]), decoder_input_ids=torch.tensor([given]), max_new_tokens=8, do_sample=False
    )[0]
    assert written[:2].tolist() == given[:2] and written[2, 1:].tolist() == [7, BOS]
    assert written[3, 2] == 9 and PAD not in written[:4].tolist()[2]
    ends = [int((written[:, channel] == EOS).nonzero()[0]) for channel in range(3)]
    assert len(written) <= 10 and ends == [len(written) - 3, len(written) - 2, len(written) - 1]


def test_dia_refuses_beams(dia: Any) -> None:
    with pytest.raises(GenerationError, match="greedily or by sampling"):
        dia.generate(torch.tensor([[3]]), num_beams=2)


def test_csm_continues_frames_and_refuses_unknown_keywords() -> None:
    torch.manual_seed(0)
    codec = {"hidden_size": 16, "num_filters": 4, "upsampling_ratios": [2], "num_hidden_layers": 1}
    codec |= {"intermediate_size": 8, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 8}
    codec |= {"codebook_dim": 8, "codebook_size": 8, "num_quantizers": 4, "upsample_groups": 16}
    shared = {**SIZES, "num_codebooks": 3, "vocab_size": 8}
    config = AutoConfig.for_model(
        "csm",
        **shared,
        text_vocab_size=20,
        depth_decoder_config={**shared, "backbone_hidden_size": 16},
        codec_config={**codec, "vector_quantization_hidden_dimension": 8},
        pad_token_id=2,
    )
    model: Any = AutoModel.from_config(config).eval()
    frames = model.generate(torch.tensor([[5, 6]]), max_new_tokens=3, do_sample=False)
    assert frames.shape[2] == 3 and frames.shape[1] <= 3
    longer = model.generate(frames, max_new_tokens=2, do_sample=False)
    assert torch.equal(longer[:, : frames.shape[1]], frames)
    with pytest.raises(GenerationError, match="takes no speed"):
        model.generate(torch.tensor([[5]]), speed=2)
