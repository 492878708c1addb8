"""Tokenizers written in Python, as third parties write them, and the parts they share."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import pytest

from zoo_core.errors import MissingDependency, TokenizerError
from zoo_core.tokenization import AddedToken, PreTrainedTokenizer
from zoo_core.tokenization.sentencepiece_model import read_sentencepiece
from zoo_text.tokenizers import moses
from zoo_text.tokenizers.layout import LayoutLMv2Tokenizer
from zoo_text.tokenizers.multilingual import MBartTokenizer, NllbTokenizer
from zoo_text.tokenizers.translation import M2M100Tokenizer, MarianTokenizer

VOCABULARIES = Path(__file__).parents[1] / "parity" / "tokenizers" / "vocabularies"


class Characters(PreTrainedTokenizer):
    """The style of older custom tokenizers: methods overridden, special tokens built by hand."""

    vocab_files_names = {"vocab_file": "chars.json"}
    model_input_names = ["input_ids", "attention_mask"]

    def __init__(self, vocab_file, unk_token="?", pad_token="_", eos_token="$", **kwargs):
        self.vocab = self.ids = json.loads(Path(vocab_file).read_text())
        super().__init__(unk_token=unk_token, pad_token=pad_token, eos_token=eos_token, **kwargs)

    @property
    def vocab_size(self):
        return len(self.ids)

    def get_vocab(self):
        return dict(self.ids, **self.added_tokens_encoder)

    def _tokenize(self, text):
        return list(text)

    def _convert_token_to_id(self, token):
        return self.ids.get(token, self.ids["?"])

    def _convert_id_to_token(self, index):
        return next((token for token, i in self.ids.items() if i == index), None)

    def convert_tokens_to_string(self, tokens):
        return "".join(tokens)

    def build_inputs_with_special_tokens(self, token_ids_0, token_ids_1=None):
        return [*token_ids_0, *(token_ids_1 or []), self.eos_token_id]

    def save_vocabulary(self, save_directory, filename_prefix=None):
        path = Path(save_directory) / "chars.json"
        path.write_text(json.dumps(self.ids))
        return (str(path),)


@pytest.fixture
def characters(tmp_path) -> Characters:
    (tmp_path / "chars.json").write_text(json.dumps({c: i for i, c in enumerate("_$?abcd ")}))
    return Characters.from_pretrained(tmp_path)


def test_a_custom_tokenizer_has_the_whole_surface(characters, tmp_path) -> None:
    assert characters("ab")["input_ids"] == [3, 4, 1]
    batch = characters(["abc", "z"], padding=True, return_tensors="np")
    assert batch["input_ids"].tolist() == [[3, 4, 5, 1], [2, 1, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert characters("abcd", truncation=True, max_length=3)["input_ids"] == [3, 4, 1]
    cut = characters("abcd", truncation=True, max_length=3, stride=1, return_overflowing_tokens=True)
    assert (cut["input_ids"], cut["overflowing_tokens"], cut["num_truncated_tokens"]) == (
        [3, 4, 1],
        [4, 5, 6],
        2,
    )
    assert characters(["a", "b"], is_split_into_words=True)["input_ids"] == [3, 4, 1]
    assert characters("a", "b")["input_ids"] == [3, 4, 1]
    assert characters.decode([3, 4, 1], skip_special_tokens=True) == "ab"
    with pytest.raises(TokenizerError, match="no offsets"):
        characters("ab", return_offsets_mapping=True)
    with pytest.raises(TokenizerError, match="offsets"):
        characters("ab").word_ids()
    characters.add_tokens(["ab"])
    characters.save_pretrained(tmp_path / "saved")
    again = Characters.from_pretrained(tmp_path / "saved")
    assert again("cab")["input_ids"] == [5, 8, 1]
    assert pickle.loads(pickle.dumps(again))("cab") == copy.deepcopy(again)("cab")


@pytest.mark.parametrize(
    ("token", "text", "expected"),
    [
        (AddedToken("<x>"), "a <x> b", ["a", " ", "<x>", " ", "b"]),
        (AddedToken("<x>", lstrip=True), "a <x> b", ["a", "<x>", " ", "b"]),
        (AddedToken("<x>", rstrip=True), "a <x> b", ["a", " ", "<x>", "b"]),
        (AddedToken("b", single_word=True), "ab b", ["a", "b", " ", "b"]),
    ],
)
def test_added_tokens_are_cut_out_as_their_flags_say(characters, token, text, expected) -> None:
    characters.add_tokens([token])
    assert characters.tokenize(text) == expected


def test_languages(tmp_path) -> None:
    (tmp_path / "sentencepiece.bpe.model").write_bytes((VOCABULARIES / "unigram.model").read_bytes())
    mbart = MBartTokenizer.from_pretrained(tmp_path, src_lang="en_XX", tgt_lang="ro_RO")
    codes = mbart.lang_code_to_id
    assert mbart("a")["input_ids"][-2:] == [2, codes["en_XX"]]
    assert mbart("a", text_target="a")["labels"][-2:] == [2, codes["ro_RO"]]
    assert mbart("a", text_target="a")["input_ids"][-1] == codes["en_XX"]
    mbart.src_lang = "de_DE"
    assert mbart("a")["input_ids"][-1] == codes["de_DE"]
    with pytest.raises(TokenizerError, match="xx_XX"):
        mbart.src_lang = "xx_XX"
    nllb = NllbTokenizer.from_pretrained(tmp_path, src_lang="fra_Latn", legacy_behaviour=True)
    assert nllb.convert_ids_to_tokens(nllb("a")["input_ids"][-2:]) == ["</s>", "fra_Latn"]


def test_translation_vocabularies(tmp_path) -> None:
    for name, source in {
        "sentencepiece.bpe.model": "unigram.model",
        "source.spm": "unigram.model",
        "target.spm": "unigram.model",
        "vocab.json": "pieces.json",
    }.items():
        (tmp_path / name).write_bytes((VOCABULARIES / source).read_bytes())
    m2m = M2M100Tokenizer.from_pretrained(tmp_path, src_lang="en", tgt_lang="fr")
    pair = m2m("the zoo", text_target="the zoo")
    assert pair["input_ids"][0] == m2m.get_lang_id("en")
    assert pair["labels"][0] == m2m.get_lang_id("fr")
    assert m2m.decode([m2m.get_lang_id("fr")]) == "__fr__"
    marian = MarianTokenizer.from_pretrained(tmp_path)
    assert marian("the", text_target="the")["labels"] == marian("the")["input_ids"]
    (tmp_path / "source.spm").unlink()
    with pytest.raises(TokenizerError, match=r"source\.spm"):
        MarianTokenizer.from_pretrained(tmp_path)


def test_boxes_follow_their_words(vocab_folder) -> None:
    tokenizer = LayoutLMv2Tokenizer.from_pretrained(vocab_folder)
    boxes = [[1, 2, 3, 4], [5, 6, 7, 8]]
    encoded = tokenizer(["hello", "worlds"], boxes=boxes, word_labels=[7, 8])
    end = [1000] * 4
    assert encoded["bbox"] == [[0] * 4, boxes[0], boxes[1], boxes[1], end]
    assert encoded["labels"] == [-100, 7, 8, -100, -100]
    with pytest.raises(TokenizerError, match="1 for 2 words"):
        tokenizer(["hello", "worlds"], boxes=boxes[:1])
    with pytest.raises(TokenizerError, match=r"word 1 of row 0 lies at \[5, 6, 1200, 8\], outside the page"):
        tokenizer(["hello", "worlds"], boxes=[boxes[0], [5, 6, 1200, 8]])
    with pytest.raises(TokenizerError, match="boxes="):
        tokenizer(["hello"])


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Don't! Mr. Smith, e.g. 3.5", "en", "Don &apos;t ! Mr. Smith , e.g. 3.5"),
        ("L'été, c'est l'homme.", "fr", "L&apos; été , c&apos; est l&apos; homme ."),
        ("1,000 a,b... end.", "en", "1,000 a , b ... end ."),
        ("你好 नमस्ते", "en", "你 好 नमस्ते"),
        ("<b> & [x]", "en", "&lt; b &gt; &amp; &#91; x &#93;"),
    ],
)
def test_words_as_moses_splits_them(text, language, words) -> None:
    assert moses.tokenize(text, language) == words.split()
    assert moses.detokenize(words.split(), "en" if language == "en" else "fr").replace(
        " ", ""
    ) == text.replace(" ", "")


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage", b"\x0a\xff\xff\xff\xff\xff", b"\x0a\x03abc", b"\x0f", b"\x0a\x04\x0a\x02\xff\xfe"],
)
def test_a_broken_sentencepiece_model_is_named(tmp_path, data) -> None:
    (tmp_path / "x.model").write_bytes(data)
    with pytest.raises(TokenizerError, match=r"x\.model"):
        read_sentencepiece(tmp_path / "x.model")


def test_a_missing_package_is_named_with_its_install(tmp_path) -> None:
    from zoo_text.tokenizers.japanese import BertJapaneseTokenizer
    from zoo_text.tokenizers.wordpiece import RoFormerTokenizer

    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n今天\n", encoding="utf-8")
    with pytest.raises(MissingDependency, match="pip install rjieba"):
        RoFormerTokenizer.from_pretrained(tmp_path)
    with pytest.raises(MissingDependency, match="pip install fugashi"):
        BertJapaneseTokenizer.from_pretrained(tmp_path, word_tokenizer_type="mecab")
