"""MarkupLM: pages in HTML as texts with paths, and nodes given apart; paths measured with Beautiful Soup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zoo_core import AutoProcessor, AutoTokenizer
from zoo_core.errors import ProcessingError, TokenizerError
from zoo_text.markuplm.processor import text_nodes

RECORDED = Path(__file__).parents[1] / "parity/processors/joint/MarkupLMProcessor.json"


@pytest.fixture
def processor(tmp_path: Path) -> Any:
    for name, text in json.loads(RECORDED.read_text())["files"].items():
        (tmp_path / name).write_text(text)
    return AutoProcessor.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("just text", []),
        ("<p>x &amp;amp; y", [("x & y", "/p")]),
        ("<ul><li>a<li>b</ul>c", [("a", "/ul/li"), ("b", "/ul/li/li")]),
        ("<div>a</div><div><p>b</p>c</div>", [("a", "/div[1]"), ("b", "/div[2]/p"), ("c", "/div[2]")]),
        ("<p>a<br>b</br>c<br/>d</p>", [("a", "/p"), ("bc", "/p"), ("d", "/p")]),
        ("<a>x<b>y</a>z</b>", [("x", "/a"), ("y", "/a/b")]),
        ("<p><!-- c --><script>1<2</script></p>", [("c", "/p"), ("1<2", "/p/script")]),
        ("<P CLASS=x>&foo; &copy2 &#150;</P>", [("&foo ©2 \u2013", "/p")]),
        ("<p>a</i>b</p>", [("a", "/p"), ("b", "/p")]),
    ],
)
def test_texts_and_paths(page: str, found: list[tuple[str, str]]) -> None:
    assert list(zip(*text_nodes(page), strict=True)) == found


def test_nodes_with_labels(processor: Any) -> None:
    processor.parse_html = False
    batch = processor(nodes=["ab", "c"], xpaths=["/html/zz[3]", "/p[2000]"], node_labels=[5, 6])
    assert batch["labels"] == [-100, 5, -100, 6, -100]
    tags, numbers = batch["xpath_tags_seq"], batch["xpath_subs_seq"]
    assert tags[1] == tags[2] == [3, 5, 6, 6] and tags[0] == [6] * 4
    assert numbers[1] == [0, 3, 1001, 1001] and numbers[3] == [1000, 1001, 1001, 1001]
    with pytest.raises(ProcessingError, match="parse_html"):
        processor("<p>x")
    with pytest.raises(ProcessingError, match="nodes and xpaths"):
        processor(nodes=["a"])
    with pytest.raises(TokenizerError, match="row 0 has 2 for 1"):
        processor(nodes=["a"], xpaths=["/a", "/b"])
    with pytest.raises(TokenizerError, match="step 'p"):
        processor(nodes=["a"], xpaths=["/p[x]"])


def test_bad_pages(processor: Any) -> None:
    with pytest.raises(ProcessingError, match="pass HTML strings"):
        processor()
    with pytest.raises(ProcessingError, match="HTML strings must"):
        processor([5])


def test_a_tokenizer_from_vocabulary_files(processor: Any, tmp_path: Path) -> None:
    recorded = processor(html_strings="<p>a", questions="b")
    (tmp_path / "tokenizer.json").unlink()
    vocabulary = json.loads(json.loads(RECORDED.read_text())["files"]["tokenizer.json"])["model"]["vocab"]
    added = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    vocabulary |= {token: len(vocabulary) + i for i, token in enumerate(added)}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    first = tokenizer("b", ["a"], xpaths=["/p"])
    assert first["input_ids"] == [256, 65, 258, 64, 258]
    assert first["xpath_tags_seq"][3] == [4, 6, 6, 6] == recorded["xpath_tags_seq"][0][-2]
