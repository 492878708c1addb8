#!/usr/bin/env python3
"""Measure the fixtures of this folder with the reference, in an environment of its own that has it.

    pip install transformers==4.57.6 "tokenizers<0.23" sentencepiece protobuf sacremoses rjieba
    python measure.py [--vocabularies] [CLASS...]

Each CLASS.json holds the vocabulary files it was made from (names in vocabularies/, trained by
``--vocabularies`` on the text below), the keywords of its construction, and what the reference answers.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
VOCABULARIES = HERE / "vocabularies"

TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "Don't you think that it's 3.14159 or 2,718 times better?",
    "Zażółć gęślą jaźń, naïve café, Übergröße.",
    "Привет, мир! Как дела?",
    "你好,世界。今天天气很好。",
    "こんにちは世界、元気ですか?",
    "안녕하세요 세계",
    "def f(x):\n    return x ** 2  # square",
    "Emoji: 😀🚀 and tabs\tand   spaces",
    "Mr. Smith paid $5 (or 10%) for \"it\" [sic]... e.g. 'so'",
    "",
    "  leading and trailing  ",
    "<s> special </s> [MASK] <mask> text",
]
CORPUS = [
    *TEXTS,
    "A plugin adds an architecture to the zoo.",
    "Words of a language model, split and joined.",
] * 20

WORDPIECE = {"vocab.txt": "wordpiece.txt"}
BYTE_LEVEL = {"vocab.json": "byte_level.json", "merges.txt": "byte_level_merges.txt"}
CLIP = {"vocab.json": "clip.json", "merges.txt": "clip_merges.txt"}
WORD_BPE = {"vocab.json": "word_bpe.json", "merges.txt": "word_bpe_merges.txt"}
CTRL = {"vocab.json": "at_bpe.json", "merges.txt": "at_bpe_merges.txt"}
ENTITIES = {"entity_vocab.json": "entities.json"}
LLAMA = {"tokenizer.model": "bpe.model"}


def pieces(name: str, model: str = "unigram.model") -> dict[str, str]:
    return {name: model}


SPIECE, FAIRSEQ = pieces("spiece.model"), pieces("sentencepiece.bpe.model")
CASES: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    **{
        f"{n}Tokenizer": (WORDPIECE, {})
        for n in ["Bert", "DistilBert", "Electra", "MPNet", "Realm", "RetriBert", "LayoutLM"]
    },
    **{
        f"{n}Tokenizer": (WORDPIECE, {})
        for n in ["Splinter", "SqueezeBert", "ConvBert", "Lxmert", "MobileBert"]
    },
    "DPRQuestionEncoderTokenizer": (WORDPIECE, {}),
    "RoFormerTokenizer": (WORDPIECE, {}),
    "BertTokenizer.cased": (WORDPIECE, {"do_lower_case": False}),
    "FunnelTokenizer": (pieces("vocab.txt", "funnel.txt"), {}),
    "ProphetNetTokenizer": (pieces("prophetnet.tokenizer", "wordpiece.txt"), {}),
    **{
        f"{n}Tokenizer": (BYTE_LEVEL, {})
        for n in ["GPT2", "CodeGen", "Qwen2", "Roberta", "Bart", "LED", "Longformer", "Mvp"]
    },
    **{f"{n}Tokenizer": (BYTE_LEVEL, {}) for n in ["Blenderbot", "Deberta", "Whisper"]},
    "GPT2Tokenizer.prefix": (BYTE_LEVEL, {"add_prefix_space": True}),
    "CLIPTokenizer": (CLIP, {}),
    "OpenAIGPTTokenizer": (WORD_BPE, {}),
    **{f"{n}Tokenizer": (WORD_BPE, {}) for n in ["Herbert", "XLM", "Flaubert", "BioGpt"]},
    **{f"{n}Tokenizer": (CTRL, {}) for n in ["CTRL", "Speech2Text2"]},
    **{f"{n}Tokenizer": (LLAMA, {}) for n in ["Llama", "CodeLlama", "Gemma"]},
    "LlamaTokenizer.eos": (LLAMA, {"add_eos_token": True, "legacy": False}),
    **{f"{n}Tokenizer": (SPIECE, {}) for n in ["Albert", "XLNet", "BigBird", "Reformer", "FNet"]},
    **{f"{n}Tokenizer": (pieces("spiece.model", "t5.model"), {}) for n in ["T5", "MT5", "Pegasus"]},
    **{f"{n}Tokenizer": (SPIECE, {}) for n in ["BertGeneration", "Siglip"]},
    "GPTSw3Tokenizer": (SPIECE, {"pad_token": "<pad>", "unk_token": "<unk>", "bos_token": "<s>"}),
    "AlbertTokenizer.nfkc": (pieces("spiece.model", "nfkc.model"), {}),
    "RemBertTokenizer": (pieces("sentencepiece.model"), {}),
    "DebertaV2Tokenizer": (pieces("spm.model"), {"split_by_punct": True}),
    **{
        f"{n}Tokenizer": (FAIRSEQ, {})
        for n in ["XLMRoberta", "Camembert", "Barthez", "XGLM", "MBart", "MBart50", "Nllb"]
    },
    "PLBartTokenizer": (FAIRSEQ, {"src_lang": "java"}),
    "SeamlessM4TTokenizer": (FAIRSEQ, {}),
    "LukeTokenizer": ({**BYTE_LEVEL, **ENTITIES}, {}),
    "MLukeTokenizer": ({**FAIRSEQ, **ENTITIES}, {}),
    "SpeechT5Tokenizer": (pieces("spm_char.model"), {}),
    "XLMProphetNetTokenizer": (pieces("prophetnet.tokenizer"), {}),
    "M2M100Tokenizer": ({**FAIRSEQ, "vocab.json": "pieces.json"}, {"src_lang": "fr"}),
    "Speech2TextTokenizer": ({**FAIRSEQ, "vocab.json": "pieces.json"}, {}),
    "MarianTokenizer": (
        {"source.spm": "unigram.model", "target.spm": "unigram.model", "vocab.json": "pieces.json"},
        {},
    ),
    **{f"{n}Tokenizer": ({}, {}) for n in ["ByT5", "Canine", "Perceiver"]},
    "MyT5Tokenizer": (pieces("byte_maps.json", "byte_maps.json"), {}),
    "BertweetTokenizer": ({"vocab.txt": "fairseq.txt", "bpe.codes": "fairseq_codes.txt"}, {}),
    "PhobertTokenizer": ({"vocab.txt": "fairseq.txt", "bpe.codes": "fairseq_codes.txt"}, {}),
    "BartphoTokenizer": ({**FAIRSEQ, "dict.txt": "kept.txt"}, {}),
    "DiaTokenizer": ({}, {}),
    "Wav2Vec2CTCTokenizer": (pieces("vocab.json", "characters.json"), {}),
    "VitsTokenizer": (pieces("vocab.json", "characters.json"), {"phonemize": False}),
    "MgpstrTokenizer": (pieces("vocab.json", "characters.json"), {}),
    "EsmTokenizer": (pieces("vocab.txt", "esm.txt"), {}),
    "TransfoXLTokenizer": (pieces("vocab.txt", "words.txt"), {}),
    "BertJapaneseTokenizer": (WORDPIECE, {"word_tokenizer_type": "basic"}),
}


def train_vocabularies() -> None:
    import sentencepiece
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    VOCABULARIES.mkdir(exist_ok=True)
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    wordpiece = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    wordpiece.normalizer, wordpiece.pre_tokenizer = (
        normalizers.BertNormalizer(),
        pre_tokenizers.BertPreTokenizer(),
    )
    wordpiece.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=260, special_tokens=marks))
    words = sorted(wordpiece.get_vocab(), key=wordpiece.get_vocab().get)
    words += ["Mr", "##r", "The", "Don", "X"]
    write("wordpiece.txt", "\n".join(words) + "\n")
    funnel = {"[PAD]": "<pad>", "[UNK]": "<unk>", "[CLS]": "<cls>", "[SEP]": "<sep>", "[MASK]": "<mask>"}
    write("tapas.txt", "\n".join([words[0], "[EMPTY]", *words[1:], "actor", "age"]) + "\n")
    write("funnel.txt", "\n".join([funnel.get(word, word) for word in words] + ["<s>", "</s>"]) + "\n")

    first = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<|endoftext|>"]
    byte_level = Tokenizer(models.BPE())
    byte_level.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=first, initial_alphabet=alphabet)
    byte_level.train_from_iterator(CORPUS, trainer)
    write_bpe("byte_level", byte_level)
    clip = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    clip.normalizer = normalizers.Lowercase()
    clip.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ends = ["<|startoftext|>", "<|endoftext|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=ends, initial_alphabet=alphabet, end_of_word_suffix="</w>"
    )
    clip.train_from_iterator(CORPUS, trainer)
    write_bpe("clip", clip)
    word_bpe = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    word_bpe.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=first, end_of_word_suffix="</w>")
    word_bpe.train_from_iterator(CORPUS, trainer)
    write_bpe("word_bpe", word_bpe)
    state = json.loads(word_bpe.to_str())["model"]
    spelled = [
        t.removesuffix("</w>") if t.endswith("</w>") else t + "@@" for t in state["vocab"] if t not in first
    ]
    write(
        "at_bpe.json",
        json.dumps({t: i for i, t in enumerate(dict.fromkeys([*first, *spelled]))}, ensure_ascii=False),
    )
    shutil.copy(VOCABULARIES / "word_bpe_merges.txt", VOCABULARIES / "at_bpe_merges.txt")
    write_derived(spelled, state["merges"])

    for name, options in {
        "unigram": {"model_type": "unigram", "normalization_rule_name": "identity", "vocab_size": 230},
        "t5": {"model_type": "unigram", "normalization_rule_name": "identity", "vocab_size": 230}
        | {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
        "nfkc": {"model_type": "unigram", "normalization_rule_name": "nmt_nfkc", "vocab_size": 200},
        "bpe": {
            "model_type": "bpe",
            "normalization_rule_name": "identity",
            "vocab_size": 600,
            "byte_fallback": True,
        }
        | {"remove_extra_whitespaces": False, "allow_whitespace_only_pieces": True, "split_digits": True},
    }.items():
        with open(VOCABULARIES / f"{name}.model", "wb") as model:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(CORPUS),
                model_writer=model,
                minloglevel=2,
                hard_vocab_limit=False,
                **options,
            )
    model = sentencepiece.SentencePieceProcessor(model_file=str(VOCABULARIES / "unigram.model"))
    known = [model.id_to_piece(i) for i in range(3, len(model)) if i % 17]
    write("kept.txt", "".join(f"{piece} 1\n" for piece in known if piece.split()))
    write("pieces.json", json.dumps({t: i for i, t in enumerate([*first[:4], *known])}, ensure_ascii=False))
    spelled = sorted({word for text in CORPUS for word in re.findall(r"\w+|[^\w\s]", text)} - {"fox", "_"})
    write("words.txt", "\n".join(["<eos>", "<unk>", "<formula>", "@-@", "@,@", "@.@", *spelled]) + "\n")
    signs = sorted({sign for text in TEXTS for sign in text} - {" "})
    vocab = ["<pad>", "<s>", "</s>", "<unk>", "|", "[GO]", "[s]", *signs]
    write("characters.json", json.dumps({t: i for i, t in enumerate(vocab)}, ensure_ascii=False))
    entities = ["[PAD]", "[UNK]", "[MASK]", "[MASK2]", "Mr. Smith", "fox"]
    write("entities.json", json.dumps({name: i for i, name in enumerate(entities)}))
    write(
        "esm.txt",
        "\n".join(["<cls>", "<pad>", "<eos>", "<unk>", *"LAGVSERTIDPKQNFYMHWC", ".", "-", "<mask>"]),
    )


def write_derived(spelled: list[str], merges: list[list[str]]) -> None:
    """Vocabularies in other formats: fairseq's, with a count for each token, and rules over bytes."""
    write("fairseq.txt", "".join(f"{token} {i}\n" for i, token in enumerate(spelled)))
    write("fairseq_codes.txt", "".join(f"{' '.join(merge)} {i}\n" for i, merge in enumerate(merges)))
    decompose = {f"{byte:02x}": f"{byte + 32:02x} e2" for byte in range(0x41, 0x5B)}
    rules = {"d0 bf": "c5", "d0 b8": "c6", "74 68 65": "c7 c8", "74 68": "c9", "e4 bd": "ca cb"}
    write("byte_maps.json", json.dumps({"decompose_map": decompose, "merge_map": rules}))


def write(name: str, text: str) -> None:
    (VOCABULARIES / name).write_text(text, encoding="utf-8")


def write_bpe(name: str, tokenizer: Any) -> None:
    model = json.loads(tokenizer.to_str())["model"]
    write(f"{name}.json", json.dumps(model["vocab"], ensure_ascii=False))
    lines = [" ".join(merge) for merge in model["merges"]]
    write(f"{name}_merges.txt", "\n".join(["#version: 0.2", *lines]) + "\n")


def measure(name: str) -> dict[str, Any]:
    import transformers

    files, options = CASES[name]
    cls = name.partition(".")[0]
    with tempfile.TemporaryDirectory() as folder:
        for target, source in files.items():
            shutil.copy(VOCABULARIES / source, Path(folder) / target)
        (Path(folder) / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": cls, **options}))
        kind = getattr(transformers, f"{cls}Fast", None) or getattr(transformers, cls)
        tokenizer = kind.from_pretrained(folder, **options)
        ids = [list(tokenizer(text)["input_ids"]) for text in TEXTS]
        roles = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
        expected: dict[str, Any] = {
            "input_ids": ids,
            "decoded": [tokenizer.decode(row) for row in ids],
            "decoded_skip": [tokenizer.decode(row, skip_special_tokens=True) for row in ids],
            "tokens": tokenizer.convert_ids_to_tokens(ids[1]),
            "pair": {key: list(value) for key, value in tokenizer(TEXTS[0], TEXTS[3]).items()},
            "no_special": list(tokenizer(TEXTS[1], add_special_tokens=False)["input_ids"]),
            "special_ids": {f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in roles},
            "vocab_size": len(tokenizer),
        }
        if tokenizer.pad_token is not None:
            padded = tokenizer(TEXTS[:3], padding=True, truncation=True, max_length=16)
            expected["padded"] = {key: [list(row) for row in value] for key, value in padded.items()}
    return {"class": cls, "files": files, "options": options, "texts": TEXTS, **expected}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vocabularies", action="store_true", help="train the vocabularies anew")
    parser.add_argument("classes", nargs="*", default=[])
    args = parser.parse_args()
    if args.vocabularies:
        train_vocabularies()
    for name in args.classes or CASES:
        try:
            found = measure(name)
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}")
            continue
        (HERE / f"{name}.json").write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
