"""Qwen3-Omni's speech: frames of codes, their sound, the whole, against recorded answers of the reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from zoo_core import AutoConfig, AutoModelForTextToWaveform
from zoo_core.errors import ConfigError, GenerationError
from zoo_multimodal.qwen3_omni_moe.code2wav import Qwen3OmniMoeCode2Wav
from zoo_multimodal.qwen3_omni_moe.talker import (
    Qwen3OmniMoeTalkerCodePredictorModelForConditionalGeneration,
    Qwen3OmniMoeTalkerForConditionalGeneration,
)

RECORDED = json.loads((Path(__file__).parent / "qwen3_omni_speech.json").read_text())
START, END, SYSTEM, USER, ASSISTANT = range(50, 55)
AUDIO, IMAGE, VIDEO, SOUND_STARTS, SIGHT_STARTS, LINE = range(40, 46)
MEDIA = {"audio_token_id": AUDIO, "image_token_id": IMAGE, "video_token_id": VIDEO}
MEDIA |= {"audio_start_token_id": SOUND_STARTS, "vision_start_token_id": SIGHT_STARTS}
MEDIA |= {"position_id_per_seconds": 13}
SIZES = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 24, "num_hidden_layers": 2}
HEADS = {"num_key_value_heads": 1, "head_dim": 8, "max_position_embeddings": 256}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8}
SCALING = {"rope_scaling": {"rope_type": "default", "mrope_section": [2, 1, 1], "mrope_interleaved": True}}
AUDIO_TOWER = {"d_model": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16}
AUDIO_TOWER |= {"num_mel_bins": 8, "output_dim": 16, "downsample_hidden_size": 4}
VISION_TOWER = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "patch_size": 2}
VISION_TOWER |= {"out_hidden_size": 16, "deepstack_visual_indexes": [0], "num_position_embeddings": 16}  # type: ignore[dict-item]
CODEC = {"codec_eos_token_id": 1090, "codec_nothink_id": 1091, "codec_think_bos_id": 1092}
CODEC |= {"codec_think_eos_id": 1093, "codec_pad_id": 1094, "codec_bos_id": 1095}
TALKER = {
    **MEDIA,
    **CODEC,
    "num_code_groups": 3,
    "thinker_hidden_size": 16,
    "accept_hidden_layer": 1,
    "text_config": {**SIZES, **HEADS, **EXPERTS, **SCALING, "vocab_size": 1100}
    | {"shared_expert_intermediate_size": 12},
    "code_predictor_config": {**SIZES, **HEADS, "vocab_size": 80, "num_code_groups": 3},
    "speaker_id": {"ethan": 1096, "chelsie": 1097},
}
SOUND = {**SIZES, "codebook_size": 80, "num_key_value_heads": 2, "num_quantizers": 3, "sliding_window": 4}
SOUND |= {"upsample_rates": [3, 2], "upsampling_ratios": [2], "decoder_dim": 12}  # type: ignore[dict-item]
WHOLE = {
    "thinker_config": {
        **MEDIA,
        "audio_config": AUDIO_TOWER,
        "vision_config": VISION_TOWER,
        "user_token_id": USER,
        "text_config": {**SIZES, **HEADS, **EXPERTS, **SCALING, "vocab_size": 64},
    },
    "talker_config": TALKER,
    "code2wav_config": SOUND,
    "im_start_token_id": START,
    "im_end_token_id": END,
    "tts_pad_token_id": 60,
    "tts_bos_token_id": 61,
    "tts_eos_token_id": 62,
    "system_token_id": SYSTEM,
    "user_token_id": USER,
    "assistant_token_id": ASSISTANT,
}
ASKS = [START, ASSISTANT, LINE]
PROMPT = [START, SYSTEM, 1, END, START, USER, SOUND_STARTS, AUDIO, AUDIO, 3, SIGHT_STARTS, IMAGE, 4, END]
PROMPT += [*ASKS, 20, 21, END, START, USER, 7, 8, END, *ASKS]
MELS = torch.sin(torch.arange(8 * 16) * 0.7).view(1, 8, 16)
PIXELS = torch.sin(torch.arange(4 * 24) * 0.2).view(4, 24)
CALL = {"input_features": MELS, "feature_attention_mask": torch.ones(1, 16, dtype=torch.long)}
CALL |= {"pixel_values": PIXELS, "image_grid_thw": torch.tensor([[1, 2, 2]])}
LIMITS = {"thinker_max_new_tokens": 5, "thinker_eos_token_id": END, "do_sample": False}
LIMITS |= {"talker_max_new_tokens": 7, "talker_do_sample": False}
CODES = torch.arange(3 * 11).view(1, 3, 11) * 7 % 80
VECTORS = torch.sin(torch.arange(2 * 5 * 16) * 0.9).view(2, 5, 16)


@pytest.fixture(scope="module")
def omni() -> Any:
    """A small model whose weights are the same everywhere: sines of their places."""
    config = AutoConfig.for_model("qwen3_omni_moe", **WHOLE)
    model: Any = AutoModelForTextToWaveform.from_config(config).eval()
    for number, (name, tensor) in enumerate(sorted(model.state_dict().items())):
        if tensor.is_floating_point() and tensor.dim() > 1:
            places = torch.arange(tensor.numel(), dtype=torch.float64)
            # heads so steep that drawing from them leaves no choice
            size = 300 if "code_predictor.lm_head" in name else 0.15 if "code2wav" in name else 0.4
            waves = torch.sin(places * 1.7 + places**2 * 0.013 + number) * size
            tensor.copy_(waves.view_as(tensor))
    return model


def near(found: torch.Tensor, name: str, **options: float) -> bool:
    return torch.allclose(found.float(), torch.tensor(RECORDED[name]), **{"atol": 5e-5, **options})


def test_it_writes_and_speaks_as_the_reference(omni: Any) -> None:
    codes: list[Any] = []
    handle = omni.code2wav.register_forward_pre_hook(lambda _, given: codes.append(given[0]))
    found, wave = omni.generate(torch.tensor([PROMPT]), "Chelsie", **CALL, **LIMITS)
    handle.remove()
    assert found.sequences[0].tolist() == RECORDED["ids"] and codes[0][0].tolist() == RECORDED["codes"]
    assert near(wave[0, 0], "wave")


@torch.no_grad()
def test_parts_answer_as_the_reference(omni: Any) -> None:
    chunks = omni.code2wav.chunked_decode(CODES, chunk_size=4, left_context_size=2)
    assert near(omni.code2wav(CODES)[0, 0], "sound") and near(chunks[0, 0], "chunks")
    talked = omni.talker(inputs_embeds=VECTORS, output_router_logits=True)
    assert near(talked.logits[:, -1, :9], "talker") and near(talked.aux_loss, "balance")
    predictor = omni.talker.code_predictor
    first = predictor(inputs_embeds=VECTORS[:, :2], use_cache=True)
    second = predictor(torch.tensor([[3], [7]]), past_key_values=first.past_key_values)
    assert near(torch.stack((first.logits[:, -1, :9], second.logits[:, -1, :9])), "predictor", atol=0.1)
    embedded = predictor.model.embed_tokens[0](torch.tensor([[3], [7]]))
    whole = predictor(inputs_embeds=torch.cat((VECTORS[:, :2], embedded), dim=1), use_cache=False)
    assert (
        torch.allclose(whole.logits[:, -1], second.logits[:, -1], atol=0.01) and whole.generation_steps == 2
    )


def test_a_video_with_its_sound_is_text_to_the_talker_unless_told(omni: Any) -> None:
    ids = torch.tensor([[SIGHT_STARTS, SOUND_STARTS, VIDEO, AUDIO, VIDEO, 3]])
    grid = {"video_grid_thw": torch.tensor([[2, 2, 2]]), "second_per_grids": torch.tensor([0.1])}
    plain, _ = omni.talker.get_rope_index(ids, **grid)
    assert plain[0, 0].tolist() == [0, 1, 2, 3, 4, 5]
    told, _ = omni.talker.get_rope_index(ids, use_audio_in_video=True, **grid)
    assert told[0, 0].tolist() == pytest.approx([0, 1, 2, 2, 3.3, 4.3])


def test_it_saves_its_parts_and_can_be_silent(omni: Any, tmp_path: Path) -> None:
    omni.save_pretrained(tmp_path)
    sound = Qwen3OmniMoeCode2Wav.from_pretrained(tmp_path)
    assert torch.equal(sound.code_embedding.weight, omni.code2wav.code_embedding.weight)
    talker = Qwen3OmniMoeTalkerForConditionalGeneration.from_pretrained(tmp_path)
    assert torch.equal(talker.codec_head.weight, omni.talker.codec_head.weight)
    again: Any = AutoModelForTextToWaveform.from_pretrained(tmp_path, enable_audio_output=False)
    assert not again.has_talker and set(again.voices) == {"ethan", "chelsie"}
    ids, wave = again.generate(torch.tensor([PROMPT]), **CALL, **LIMITS)
    assert ids[0].tolist() == RECORDED["ids"] and wave is None
    rows, _ = omni.generate(torch.tensor([[1, 2], [3, 4]]), return_audio=False, **LIMITS)
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("prompt", "changes", "message"),
    [
        ([PROMPT, PROMPT], {}, "one prompt is spoken at a time"),
        ([PROMPT], {"speaker": "Bob"}, "'bob' is not known; this checkpoint has: ethan, chelsie"),
        ([PROMPT[:-3]], {}, "ends by asking for a reply"),
        ([PROMPT], {"talker_num_beams": 2}, "leave out talker_num_beams=2"),
        ([[1, 2, 3]], {}, "ends by asking for a reply"),
        ([[START, 9, 3, *ASKS]], {}, "at token 0 stands 9"),
        ([[START, USER, 3, END, *ASKS]], {"thinker_max_new_tokens": 1}, "speech needs two"),
        ([[START, USER, 3, END, *ASKS]], {"talker_max_new_tokens": 1}, "raise talker_max_new_tokens"),
    ],
)
def test_impossible_calls_say_what_works(
    omni: Any, prompt: list[list[int]], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(GenerationError, match=message):
        omni.generate(torch.tensor(prompt), **{**LIMITS, **changes})


def test_impossible_parts_say_what_works(omni: Any) -> None:
    with pytest.raises(ValueError, match=r"pass \(batch, 3, frames\)"):
        omni.code2wav(CODES[:, :2])
    with pytest.raises(ValueError, match="from 0 to 79"):
        omni.code2wav(CODES + 9)
    with pytest.raises(ValueError, match="chunk_size=0"):
        omni.code2wav.chunked_decode(CODES, chunk_size=0)
    predictor: Qwen3OmniMoeTalkerCodePredictorModelForConditionalGeneration = omni.talker.code_predictor
    with pytest.raises(ValueError, match="begins with two vectors"):
        predictor(torch.tensor([[3]]))
    with pytest.raises(ValueError, match="2 codes are predicted"):
        predictor(inputs_embeds=VECTORS)
    with pytest.raises(ConfigError, match="num_code_groups"):
        AutoConfig.for_model("qwen3_omni_moe", **{**WHOLE, "talker_config": {**TALKER, "num_code_groups": 4}})
