"""Record the answers of the reference's processors of several modalities; needs transformers 4.57.6.

OmDetTurboProcessor needs torchvision there as well.

    REFERENCE/bin/python tests/parity/processors/record_joint.py tests/parity/processors/joint [NAME ...]

A case is the files that the reference saves, and calls: a method, its arguments, and what it returned or
that it raised. Tokenizers are made here, small ones, and stand in tokenizers/ once.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from joint_cases import CASES
from joint_values import describe, revive
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

PLACE = re.compile(r"<(loc|seg)\d+>")
LETTERS = [chr(c) for c in range(33, 127)]


def byte_tokens() -> Tokenizer:
    """Byte-level BPE without merges: every byte a token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return backend


def roberta_tokens() -> Tokenizer:
    """Byte-level as RoBERTa's: ``<s> ... </s>``."""
    backend = byte_tokens()
    backend.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    ids = {token: backend.token_to_id(token) for token in ("<s>", "</s>")}
    backend.post_processor = processors.RobertaProcessing(
        ("</s>", ids["</s>"]), ("<s>", ids["<s>"]), trim_offsets=True, add_prefix_space=True
    )
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    return backend


def piece_tokens() -> Tokenizer:
    """Letters behind a word mark, with a start token before each text, as Llama's."""
    vocab = {token: i for i, token in enumerate(["<unk>", "<s>", "</s>", "<pad>", "▁", "\n", *LETTERS])}
    backend = Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token="<unk>", fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    backend.add_special_tokens(["<s>", "</s>", "<unk>", "<pad>"])
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    return backend


def ended_tokens() -> Tokenizer:
    """The same with an end token behind each text instead, as T5's."""
    backend = piece_tokens()
    backend.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)]
    )
    return backend


def xlm_tokens() -> Tokenizer:
    """The same between ``<s>`` and ``</s>``, as XLM-RoBERTa's."""
    backend = piece_tokens()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return backend


def word_tokens() -> Tokenizer:
    """Lower-cased word pieces of single letters between ``[CLS]`` and ``[SEP]``, as BERT's."""
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", "[ENC]"]
    letters = [letter for letter in LETTERS if letter == letter.lower()]
    vocab = {token: i for i, token in enumerate([*known, *letters, *(f"##{letter}" for letter in letters)])}
    backend = Tokenizer(models.WordPiece(vocab=vocab, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix="##")
    backend.add_special_tokens(known[:5])
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return backend


TOKENIZERS = {
    "bytes": byte_tokens,
    "pieces": piece_tokens,
    "ended": ended_tokens,
    "xlm": xlm_tokens,
    "words": word_tokens,
    "roberta": roberta_tokens,
}


def build(case: dict[str, Any]) -> Any:
    """The processor of a case, by the reference."""
    reference = importlib.import_module("transformers")
    components = {}
    for name, (kind, settings) in case["components"].items():
        settings = dict(settings)
        if (backend := settings.pop("backend", None)) is not None:
            settings["tokenizer_object"] = TOKENIZERS[backend]()
        components[name] = getattr(reference, kind)(**settings)
    return getattr(reference, case["class"])(**components, **case.get("settings", {}))


def compact(path: Path) -> str:
    """The text of a file, JSON without spaces and without the thousand places that PaliGemma adds itself."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".json":
        return text
    content = json.loads(text)
    if isinstance(found := content.get("added_tokens"), list):
        content["added_tokens"] = [one for one in found if not PLACE.match(one["content"])]
    if isinstance(found := content.get("added_tokens_decoder"), dict):
        kept = {i: one for i, one in found.items() if not PLACE.match(one["content"])}
        content["added_tokens_decoder"] = kept
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def answer(processor: Any, call: dict[str, Any]) -> dict[str, Any] | None:
    """A call with what it returned, or that it was refused; None where it fell over."""
    try:
        returned = getattr(processor, call["method"])(**revive(call["arguments"]))
    except Exception as error:
        if not isinstance(error, ValueError) or "Unable to create tensor" in str(error):
            return None
        print(f"    {call['arguments']} raises {type(error).__name__}: {str(error)[:100]}", file=sys.stderr)
        return {**call, "raises": type(error).__name__}
    return {**call, "returns": describe(returned)}


def main() -> None:
    warnings.simplefilter("ignore")
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    for label, case in CASES.items():
        if wanted and label not in wanted:
            continue
        processor = build(case)
        with tempfile.TemporaryDirectory() as saved:
            processor.save_pretrained(saved)
            files = {
                str(path.relative_to(saved)): compact(path)
                for path in sorted(Path(saved).rglob("*"))
                if path.is_file()
                and path.suffix in (".json", ".jinja")
                and path.name not in ("vocab.json", "added_tokens.json")
            }
        calls = [made for call in case["calls"] if (made := answer(processor, call)) is not None]
        made = {"class": case["class"], "files": files, "calls": calls}
        (folder / f"{label}.json").write_text(
            json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n"
        )


if __name__ == "__main__":
    main()
