"""What an import costs: seconds, modules and MiB."""

from harness import Bench

# The cheapest and the most common import of each library. torch alone is the floor under every model class.
CASES = {
    "the package": ("import zoo_core", "import transformers"),
    "AutoConfig": ("from zoo_core import AutoConfig", "from transformers import AutoConfig"),
    "AutoTokenizer": ("from zoo_core import AutoTokenizer", "from transformers import AutoTokenizer"),
    "AutoModel": ("from zoo_core import AutoModel", "from transformers import AutoModel"),
}


def run(bench: Bench) -> None:
    for label, (zoo, transformers) in CASES.items():
        bench.fresh(label, zoo=zoo, transformers=transformers)
    bench.fresh(
        "BertModel",
        zoo="from zoo_text.bert.model import BertModel",
        transformers="from transformers import BertModel",
        torch="import torch",
    )
