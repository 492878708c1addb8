"""zoo run, task by task, on tiny checkpoints with random weights: what it says is what the model says."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import zoo_core
from zoo_core import AutoConfig, registry
from zoo_core.tokenization import PreTrainedTokenizerFast

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "|", *(f"w{i}" for i in range(58))]
LAYERS = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "initializer_range": 0.5,
}  # fmt: skip
BERT = {"vocab_size": 64, "max_position_embeddings": 40, **LAYERS}
VIT = {"image_size": 32, "patch_size": 8, "num_labels": 4, **LAYERS}
T5 = {
    "vocab_size": 64, "d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 2, "num_heads": 2,
    "initializer_factor": 3.0, "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 3,
    "task_specific_params": {
        "summarization": {"prefix": "w1 ", "max_length": 7},
        "translation_en_to_fr": {"prefix": "w2 ", "max_length": 9},
    },
}  # fmt: skip
SEGFORMER = {
    "num_labels": 3, "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1],
    "num_attention_heads": [1, 1, 1, 1], "decoder_hidden_size": 8, "initializer_range": 0.5,
}  # fmt: skip
RESNET = {
    "model_type": "resnet", "embedding_size": 8, "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1],
    "out_features": ["stage4"],
}  # fmt: skip
DETR = {
    "use_timm_backbone": False, "use_pretrained_backbone": False, "backbone": None, "backbone_config": RESNET,
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, "num_queries": 6,
    "num_labels": 3, "init_xavier_std": 3.0, "init_std": 1.0,
}  # fmt: skip
DEPTH = {
    "backbone_config": {
        "model_type": "dinov2", "image_size": 28, "patch_size": 7, "out_indices": [1, 2],
        "reshape_hidden_states": False, "apply_layernorm": True, **LAYERS,
    },
    "patch_size": 7, "reassemble_hidden_size": 16, "reassemble_factors": [2, 1],
    "neck_hidden_sizes": [4, 4], "fusion_hidden_size": 4,
}  # fmt: skip
CLIP = {
    "projection_dim": 8,
    "text_config": {"vocab_size": 64, "max_position_embeddings": 40, "eos_token_id": 3, **LAYERS},
    "vision_config": {"image_size": 32, "patch_size": 8, **LAYERS},
}
SWIN = {
    "model_type": "swin", "embed_dim": 4, "depths": [1, 1, 1], "num_heads": [1, 1, 2], "window_size": 4,
    "out_features": ["stage1", "stage2", "stage3"],
}  # fmt: skip
GROUNDING_DINO = {
    "backbone_config": SWIN, "text_config": {**BERT, "model_type": "bert"}, "d_model": 32, "num_queries": 5,
    "num_feature_levels": 3,
    **{f"{side}_{n}": v for side in ("encoder", "decoder") for n, v in (("layers", 1), ("ffn_dim", 8))},
}  # fmt: skip
OMDET_TURBO = {
    "backbone_config": SWIN, "use_timm_backbone": False, "apply_layernorm_after_vision_backbone": False,
    "text_config": {"model_type": "clip_text_model", "vocab_size": 64, **LAYERS}, "num_queries": 5,
    "encoder_in_channels": [4, 8, 16], "vision_features_channels": [16, 16, 16], "decoder_num_layers": 1,
    **dict.fromkeys(("d_model", "decoder_hidden_dim", "class_embed_dim"), 16),
    **dict.fromkeys(("text_projection_in_dim", "text_projection_out_dim"), 16),
}  # fmt: skip
BLIP = {
    "projection_dim": 8, "image_text_hidden_size": 8,
    "text_config": {
        **BERT, "projection_dim": 8, "encoder_hidden_size": 16, "bos_token_id": 2, "eos_token_id": 3,
        "sep_token_id": 3, "pad_token_id": 0,
    },
    "vision_config": {"image_size": 32, "patch_size": 8, **LAYERS},
}  # fmt: skip
WAV2VEC2 = {
    "vocab_size": 64, "conv_dim": [8, 8], "conv_stride": [20, 16], "conv_kernel": [20, 16],
    "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2, "num_feat_extract_layers": 2,
    "pad_token_id": 0, "num_labels": 3, "do_stable_layer_norm": False, **LAYERS,
}  # fmt: skip
VITS = {
    "vocab_size": 38, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 24,
    "flow_size": 12, "spectrogram_bins": 9, "upsample_rates": [4, 2], "upsample_kernel_sizes": [8, 4],
    "upsample_initial_channel": 16, "num_speakers": 3, "speaker_embedding_size": 6, "wavenet_kernel_size": 5,
    "prior_encoder_num_wavenet_layers": 2, "posterior_encoder_num_wavenet_layers": 2,
    "resblock_kernel_sizes": [3], "resblock_dilation_sizes": [[1, 3]],
    "duration_predictor_filter_channels": 16, "use_stochastic_duration_prediction": False,
}  # fmt: skip
SPEECHT5 = {
    "vocab_size": 64, "speaker_embedding_dim": 6, "conv_dim": [8, 8], "conv_kernel": [8, 4],
    "conv_stride": [4, 4], "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2,
    **dict.fromkeys(("encoder_layers", "decoder_layers"), 1),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), 2),
    **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim", "hidden_size"), 16),
    **dict.fromkeys(("speech_decoder_prenet_units", "speech_decoder_postnet_units", "num_mel_bins"), 8),
}  # fmt: skip
HIFIGAN = {
    "model_in_dim": 8, "upsample_initial_channel": 8, "upsample_rates": [4, 2],
    "upsample_kernel_sizes": [8, 4], "sampling_rate": 8000,
}  # fmt: skip


def tokenizer(**settings: Any) -> PreTrainedTokenizerFast:
    backend = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    named = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, mask_token="[MASK]", model_max_length=40, **named, **settings
    )


def plain(_: Path) -> Any:
    """Of a model that knows no segments."""
    return tokenizer(model_input_names=["input_ids", "attention_mask"])


def images(name: str, **settings: Any) -> Any:
    return registry.component(name)(size={"height": 32, "width": 32}, **settings)


def letters(folder: Path) -> Any:
    (folder / "vocab.json").write_text(
        json.dumps(
            {"<pad>": 0, "<s>": 1, "</s>": 2, "<unk>": 3, "|": 4, **{chr(92 + i): i for i in range(5, 64)}}
        )
    )
    return registry.component("Wav2Vec2CTCTokenizer").from_pretrained(folder)


def characters(folder: Path) -> Any:
    (folder / "vocab.json").write_text(json.dumps({chr(60 + i): i for i in range(38)}))
    return registry.component("VitsTokenizer")(folder / "vocab.json", pad_token="<", phonemize=False)


#: task -> model type, config, Auto class of the model, and what its inputs go through
CHECKPOINTS: dict[str, tuple[str, dict[str, Any], str, list[Callable[[Path], Any]]]] = {
    "classify": ("vit", VIT, "AutoModelForImageClassification", [lambda _: images("ViTImageProcessor")]),
    "classify text": ("bert", BERT, "AutoModelForSequenceClassification", [lambda _: tokenizer()]),
    "classify sound": (
        "wav2vec2", WAV2VEC2, "AutoModelForAudioClassification",
        [lambda _: registry.component("Wav2Vec2FeatureExtractor")()],
    ),
    "classify in words": (
        "clip", CLIP, "AutoModel",
        [plain, lambda _: images("CLIPImageProcessor", do_center_crop=False)],
    ),
    "detect": ("detr", DETR, "AutoModelForObjectDetection", [lambda _: images("DetrImageProcessor")]),
    "detect words": (
        "owlvit", {**CLIP, "projection_dim": 16}, "AutoModelForZeroShotObjectDetection",
        [plain, lambda _: images("OwlViTImageProcessor")],
    ),
    "detect phrases": (
        "grounding-dino", GROUNDING_DINO, "AutoModelForZeroShotObjectDetection",
        [lambda _: tokenizer(), lambda _: images("GroundingDinoImageProcessor")],
    ),
    "detect classes": (
        "omdet-turbo", OMDET_TURBO, "AutoModelForZeroShotObjectDetection",
        [plain, lambda _: images("DetrImageProcessor")],
    ),
    "segment": (
        "segformer", SEGFORMER, "AutoModelForSemanticSegmentation",
        [lambda _: images("SegformerImageProcessor")],
    ),
    "depth": (
        "depth_anything", DEPTH, "AutoModelForDepthEstimation",
        [lambda _: registry.component("DPTImageProcessor")(size={"height": 28, "width": 28})],
    ),
    "caption": (
        "blip", BLIP, "AutoModelForImageTextToText", [plain, lambda _: images("BlipImageProcessor")],
    ),
    "ask": (
        "blip", BLIP, "AutoModelForVisualQuestionAnswering",
        [plain, lambda _: images("BlipImageProcessor")],
    ),
    "ask text": ("bert", BERT, "AutoModelForQuestionAnswering", [lambda _: tokenizer()]),
    "transcribe": (
        "wav2vec2", WAV2VEC2, "AutoModelForCTC",
        [lambda _: registry.component("Wav2Vec2FeatureExtractor")(), letters],
    ),
    "speak": ("vits", VITS, "AutoModelForTextToWaveform", [characters]),
    "speak with a vocoder": ("speecht5", SPEECHT5, "AutoModelForTextToSpectrogram", [plain]),
    "vocoder": ("hifigan", HIFIGAN, "AutoModel", []),
    "embed": ("bert", BERT, "AutoModel", [lambda _: tokenizer()]),
    "fill-mask": ("bert", BERT, "AutoModelForMaskedLM", [lambda _: tokenizer()]),
    "rewrite": ("t5", T5, "AutoModelForSeq2SeqLM", [plain]),
}  # fmt: skip


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a task's checkpoint, made when it is first asked for."""
    made: dict[str, Path] = {}

    def checkpoint(task: str) -> Path:
        if task not in made:
            model_type, values, auto, parts = CHECKPOINTS[task]
            folder = made[task] = tmp_path_factory.mktemp("model")
            with torch.random.fork_rng():
                torch.manual_seed(2)
                config = AutoConfig.for_model(model_type, **values)
                getattr(zoo_core, auto).from_config(config).save_pretrained(folder)
            for part in parts:
                part(folder).save_pretrained(folder)
        return made[task]

    return checkpoint


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture and a sound, where the command runs."""
    monkeypatch.chdir(tmp_path)
    levels = np.random.RandomState(0).randint(0, 256, (60, 80, 3), dtype=np.uint8)
    Image.fromarray(levels).save("picture.png")
    with wave.open("sound.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((np.sin(np.arange(12000) / 9) * 9000).astype("<i2").tobytes())
    return tmp_path


@pytest.fixture
def ask(zoo: Callable[..., str], files: Path, checkpoint: Callable[[str], Path]) -> Callable[..., Any]:
    """Runs a task on the checkpoint of `name`; returns what its JSON says."""

    def ask(task: str, name: str, *words: str) -> Any:
        return json.loads(zoo("run", task, str(checkpoint(name)), *words, "--json"))

    return ask


@pytest.mark.parametrize("name, item", [
    ("classify", "picture.png"), ("classify text", "w3 w4"), ("classify sound", "sound.wav"),
])  # fmt: skip
def test_classify(ask, checkpoint, name, item):
    found = ask("classify", name, item)["classes"]
    labels = AutoConfig.from_pretrained(checkpoint(name)).id2label
    assert sorted(one["label"] for one in found) == sorted(labels.values())
    assert sum(one["score"] for one in found) == pytest.approx(1, abs=1e-5)
    assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)


def test_classify_in_words(ask):
    found = ask("classify", "classify in words", "picture.png", "--labels", "w5, w6 w7")["classes"]
    assert {one["label"] for one in found} == {"w5", "w6 w7"}


def test_detect_draws_what_it_finds(ask, files):
    found = ask("detect", "detect", "picture.png", "--threshold", "0.2")
    assert all(one["score"] > 0.2 and len(one["box"]) == 4 for one in found["objects"])
    assert found["objects"]
    drawn = np.asarray(Image.open(files / "picture.boxes.png"))
    assert drawn.shape == (60, 80, 3)
    assert (drawn != np.asarray(Image.open(files / "picture.png"))).any()


@pytest.mark.parametrize("name", ["detect words", "detect phrases", "detect classes"])
def test_detect_in_words(ask, files, name):
    words = ("picture.png", "--labels", "w5, w6 w7", "--threshold", "0.0001")
    found = ask("detect", name, *words)["objects"]
    assert found and (files / "picture.boxes.png").exists()
    if name != "detect phrases":  # which names any words of the prompt
        assert {one["label"] for one in found} <= {"w5", "w6 w7"}


def test_segment_writes_class_numbers(ask, files):
    found = ask("segment", "segment", "picture.png")
    mask = np.asarray(Image.open(files / "picture.mask.png"))
    assert mask.shape == (60, 80)
    assert {one["number"]: one["share"] for one in found["segments"]} == {
        int(number): pytest.approx(float((mask == number).mean())) for number in np.unique(mask)
    }


def test_depth_writes_a_map(ask, files):
    found = ask("depth", "depth", "picture.png")
    depth = np.asarray(Image.open(files / "picture.depth.png"))
    assert depth.shape == (60, 80)
    assert found["lowest"] <= found["highest"]


def test_files_are_not_replaced_unasked(ask, zoo, checkpoint, files):
    ask("depth", "depth", "picture.png")
    assert "--overwrite" in zoo("run", "depth", str(checkpoint("depth")), "picture.png", status=2)
    ask("depth", "depth", "picture.png", "--overwrite")
    ask("depth", "depth", "picture.png", "--output", "deep/er")
    assert (files / "deep/er/picture.depth.png").is_file()


def test_caption(ask):
    free = ask("caption", "caption", "picture.png", "--max-new-tokens", "5")["text"]
    begun = ask("caption", "caption", "picture.png", "--prompt", "w3 w4", "--max-new-tokens", "5")["text"]
    assert free and begun and free != begun


def test_ask_a_picture(ask):
    assert isinstance(ask("ask", "ask", "picture.png", "-q", "w3 w4", "--max-new-tokens", "4")["answer"], str)


def test_ask_a_text_finds_a_place_in_it(ask):
    text = " ".join(f"w{i % 50}" for i in range(90))
    found = ask("ask", "ask text", text, "-q", "w3 w4")
    assert found["answer"] == text[found["start"] : found["end"]]
    assert found["answer"]


def test_transcribe(ask):
    whole = ask("transcribe", "transcribe", "sound.wav")["text"]
    timed = ask("transcribe", "transcribe", "sound.wav", "--timestamps")
    assert timed["text"] == whole
    assert " ".join(part["text"] for part in timed["parts"]) == whole
    assert all(0 <= part["start"] <= part["end"] <= 1.6 for part in timed["parts"])


@pytest.mark.parametrize("name, options, rate", [
    ("speak", ["--speaker", "1"], 16000),
    ("speak with a vocoder", ["--speaker", "voice.npy", "--vocoder"], 8000),
])  # fmt: skip
def test_speak_writes_sound(ask, checkpoint, files, name, options, rate):
    np.save(files / "voice.npy", np.eye(1, 6))
    options = [*options, *([str(checkpoint("vocoder"))] if options[-1] == "--vocoder" else [])]
    found = ask("speak", name, "AB w5", *options)
    with wave.open(str(files / found["written"])) as file:
        assert (file.getframerate(), file.getnchannels()) == (rate, 1)
        assert file.getnframes() / rate == pytest.approx(found["seconds"], abs=1e-3)


def test_embed(ask):
    found = ask("embed", "embed", "w3 w4")
    assert np.linalg.norm(found["vector"]) == pytest.approx(1, abs=1e-5)
    first = ask("embed", "embed", "w3 w4", "--pooling", "first", "--raw")["vector"]
    assert first != pytest.approx(found["vector"])
    sides = [ask("embed", "classify in words", item)["vector"] for item in ("w3", "picture.png")]
    assert [len(side) for side in sides] == [8, 8]


def test_fill_mask(ask):
    found = ask("fill-mask", "fill-mask", "w3 [MASK] w5", "--top", "3")
    assert [len(gap) for gap in found["gaps"]] == [3]
    assert found["text"] == f"w3 {found['gaps'][0][0]['word']} w5"


def test_rewriting_follows_the_checkpoint(ask, checkpoint):
    """The prefix and the length that the config gives for a task."""
    folder = checkpoint("rewrite")
    model, words = zoo_core.AutoModelForSeq2SeqLM.from_pretrained(folder), plain(folder)

    def written(text: str, length: int) -> str:
        ids = model.generate(**words(text, return_tensors="pt"), max_length=length)
        return words.decode(ids[0], skip_special_tokens=True)

    assert ask("summarise", "rewrite", "w9 w8")["text"] == written("w1 w9 w8", 7)
    pair = ("--from", "en", "--to", "fr")
    assert ask("translate", "rewrite", "w9 w8", *pair)["text"] == written("w2 w9 w8", 9)


def test_inputs_come_from_files_and_standard_input(ask, files, monkeypatch):
    import io

    (files / "text.txt").write_text("w3 w4\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("w3 w4\n"))
    vectors = [ask("embed", "embed", item)["vector"] for item in ("w3 w4", "@text.txt", "-")]
    assert vectors[0] == vectors[1] == vectors[2]


def test_one_bad_input_does_not_stop_the_others(zoo, checkpoint, files):
    (files / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    folder = str(checkpoint("classify"))
    lines = zoo(
        "run", "classify", folder, "broken.png", "none.png", "picture.png", "--json", status=1
    ).splitlines()
    assert ["error" in json.loads(line) for line in lines] == [True, True, False]


@pytest.mark.parametrize("task, name, words, message", [
    ("classify", "embed", ["w3"], "no weights for BertForSequenceClassification"),
    ("depth", "embed", ["picture.png"], "It has some for: classify, ask, embed, fill-mask"),
    ("classify", "classify", ["none.png"], "none.png"),
    ("classify", "classify", ["picture.png", "--labels", "w1"], "leave out --labels"),
    ("classify", "classify in words", ["picture.png"], "--labels"),
    ("detect", "detect", ["picture.png", "--labels", "w1"], "leave out --labels"),
    ("detect", "detect words", ["picture.png"], "wants the classes in words"),
    ("fill-mask", "fill-mask", ["w3 w4"], "has no gap"),
    ("transcribe", "transcribe", ["sound.wav", "--language", "de"], "leave out --language"),
    ("transcribe", "transcribe", ["none.wav"], "none.wav"),
    ("translate", "rewrite", ["w3", "--from", "en", "--to", "xx"], "one pair"),
    ("summarise", "rewrite", [" ".join(["w3"] * 60)], "split it"),
    ("speak", "speak with a vocoder", ["w3"], "--vocoder"),
    ("embed", "embed", ["w3", "--device", "nowhere"], "no device"),
])  # fmt: skip
def test_refused(zoo, checkpoint, files, task, name, words, message):
    assert message in zoo("run", task, str(checkpoint(name)), *words, status=2)


def test_people_read_lines(zoo, checkpoint, files):
    folder = str(checkpoint("classify"))
    shown = zoo("run", "classify", folder, "picture.png", "picture.png", "--top", "1")
    assert shown.count("picture.png") == 2
    assert shown.count("LABEL_") == 2
