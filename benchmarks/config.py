"""AutoConfig in a fresh process, from import to object."""

from harness import Bench
from materials import bert_base_config

ZOO = """
from zoo_core import AutoConfig
config = AutoConfig.from_pretrained(args["folder"])
assert config.hidden_size == 768
assert "torch" not in __import__("sys").modules
"""
TRANSFORMERS = """
from transformers import AutoConfig
config = AutoConfig.from_pretrained(args["folder"])
assert config.hidden_size == 768
"""


def run(bench: Bench) -> None:
    bench.fresh(
        "AutoConfig.from_pretrained(folder)",
        args={"folder": bert_base_config(bench)},
        limits={"seconds": 1 / 20},
        zoo=ZOO,
        transformers=TRANSFORMERS,
    )
