"""Fill the answers of pop2piano.json by the reference (transformers 4.57.6, librosa, scipy, pretty_midi).

usage: record_pop2piano.py [FILE]; the beats of a case stand in for what essentia would find.
"""

from __future__ import annotations

import importlib.machinery
import json
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np

CASES = Path(__file__).parent / "pop2piano.json"
PLACES = 48


def wave(n: int, seed: int) -> np.ndarray:
    """A tone with noise."""
    noise = np.random.RandomState(seed).standard_normal(n)
    return (np.sin(np.arange(n) * 0.05 * (1 + seed)) * 0.3 + noise * 0.05).astype("float32")


def described(value: Any) -> dict[str, Any]:
    """Kind, shape and some numbers of an array."""
    array = np.asarray(value)
    places = np.unique(np.linspace(0, array.size - 1, num=min(PLACES, array.size)).round().astype(int))
    values = [round(float(number), 5) for number in array.ravel()[places]]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "values": values}


def rounded(notes: Any) -> list[list[float]]:
    """Notes as sorted rows."""
    return sorted(
        [round(float(n.start), 6), round(float(n.end), 6), int(n.pitch), int(n.velocity)] for n in notes
    )


def vocabulary(folder: Path) -> Path:
    """The smallest vocabulary that knows every kind."""
    numbers = {"SPECIAL": range(4), "NOTE": range(128), "VELOCITY": range(2), "TIME": range(60)}
    names = [f"{number}_TOKEN_{kind}" for kind, each in numbers.items() for number in each]
    path = folder / "vocab.json"
    path.write_text(json.dumps({name: index for index, name in enumerate(names)}))
    return path


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else CASES
    cases = json.loads(path.read_text())
    found: list[Any] = []
    package, standard = (types.ModuleType(name) for name in ("essentia", "essentia.standard"))
    package.__spec__ = importlib.machinery.ModuleSpec("essentia", None)
    package.__version__ = "2.1"  # type: ignore[attr-defined]
    package.standard = standard  # type: ignore[attr-defined]
    standard.RhythmExtractor2013 = lambda method: (
        lambda audio: (  # type: ignore[attr-defined]
            120.0,
            np.asarray(found.pop(0)),
            1.0,
            np.ones(1),
            np.ones(1),
        )
    )
    sys.modules |= {"essentia": package, "essentia.standard": standard}
    from transformers import BatchFeature, Pop2PianoFeatureExtractor, Pop2PianoTokenizer

    for case in cases["sounds"]:
        found[:] = case["beats"]
        waves, rates = [wave(*one) for one in case["waves"]], case["rates"]
        single = len(waves) == 1
        extractor = Pop2PianoFeatureExtractor(**case["config"])
        answer = extractor(
            waves[0] if single else waves,
            rates[0] if single else rates,
            return_tensors="np",
            **case["kwargs"],
        )
        case["returns"] = {name: described(value) for name, value in answer.items()}
    tokenizer = Pop2PianoTokenizer(str(vocabulary(Path(tempfile.mkdtemp()))))
    for case in cases["notes"]:
        answer = tokenizer(np.asarray(case["notes"]), **case["kwargs"])
        case["returns"] = {name: np.asarray(value).tolist() for name, value in answer.items()}
    for case in cases["tokens"]:
        notes = tokenizer.relative_tokens_ids_to_notes(np.asarray(case["ids"]), case["start"], case["cutoff"])
        case["returns"] = sorted(np.asarray(notes).tolist())
    for case in cases["songs"]:
        output = BatchFeature({name: np.asarray(value) for name, value in case["output"].items()})
        answer = tokenizer.batch_decode(np.asarray(case["ids"]), output)
        case["returns"] = [rounded(midi.instruments[0].notes) for midi in answer["pretty_midi_objects"]]
    groups = []
    for name, each in cases.items():
        rows = ",\n".join("  " + json.dumps(case) for case in each)
        groups.append(f' "{name}": [\n{rows}\n ]')
    path.write_text("{\n" + ",\n".join(groups) + "\n}\n")


if __name__ == "__main__":
    main()
