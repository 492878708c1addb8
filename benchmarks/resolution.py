"""AutoTokenizer and AutoModel in fresh processes: real MiniLM, from import to a first answer."""

from harness import Bench
from materials import minilm

TOKENIZER = """
from {library} import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(args["folder"])
assert tokenizer("The cat sleeps.")["input_ids"] == [101, 1996, 4937, 25126, 1012, 102]
"""
MODEL = """
from {library} import AutoModel
model = AutoModel.from_pretrained(args["folder"])
assert sum(p.numel() for p in model.parameters()) == 22713216
"""
EMBEDDING = """
import torch
from {library} import AutoModel, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(args["folder"])
model = AutoModel.from_pretrained(args["folder"])
with torch.no_grad():
    output = model(**tokenizer(["The cat sleeps."], return_tensors="pt"))
assert output.last_hidden_state.shape == (1, 6, 384)
"""


def run(bench: Bench) -> None:
    args = {"folder": minilm()}
    for label, source in (
        ("AutoTokenizer.from_pretrained(MiniLM)", TOKENIZER),
        ("AutoModel.from_pretrained(MiniLM)", MODEL),
        ("tokenizer, model and one sentence", EMBEDDING),
    ):
        sides = {side: source.format(library=library) for side, library in _LIBRARIES.items()}
        bench.fresh(label, args=args, **sides)


_LIBRARIES = {"zoo": "zoo_core", "transformers": "transformers"}
