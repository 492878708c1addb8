"""Forward pass of BERT-base with random weights, in one process per side, the sides taking turns."""

from harness import Bench
from materials import bert_base_config

SOURCE = """
import torch
from {library} import AutoConfig, AutoModel
torch.manual_seed(0)
model = AutoModel.from_config(AutoConfig.from_pretrained(args["folder"])).eval()
batch, length = args["shape"]
tokens = torch.randint(1000, 30000, (batch, length))
mask = torch.ones_like(tokens)
if args["padded"]:
    mask[: batch // 2, length // 2 :] = 0

def step():
    with torch.inference_mode():
        model(input_ids=tokens, attention_mask=mask)
"""


def run(bench: Bench) -> None:
    folder = bert_base_config(bench)
    for shape, padded in (((1, 16), False), ((1, 128), False), ((8, 128), True), ((2, 512), False)):
        label = f"batch {shape[0]}, {shape[1]} tokens" + (", half of the rows half padded" if padded else "")
        bench.steady(
            label,
            args={"folder": folder, "shape": shape, "padded": padded},
            repeats=2 * bench.repeats,
            zoo=SOURCE.format(library="zoo_core"),
            transformers=SOURCE.format(library="transformers"),
        )
