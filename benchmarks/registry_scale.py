"""One model type among 1,000 plugin distributions, against a bare importlib.metadata.entry_points()."""

from pathlib import Path

from harness import Bench

PLUGINS = 1000

# What a real METADATA weighs: a dozen headers and a readme of some kilobytes.
METADATA = (
    """Metadata-Version: 2.4
Name: zoo-plug-{number}
Version: 1.{number}
Summary: One synthetic plugin.
License-Expression: Apache-2.0
Requires-Python: >=3.11
Requires-Dist: zoo-core<0.2,>=0.1
Description-Content-Type: text/markdown

"""
    + "A paragraph of a readme, as long as such paragraphs are, for the parser to read.\n" * 40
)
ENTRY_POINTS = """[zoo_core.architectures.v1]
arch{number} = zoo_plug_{number}:ARCHITECTURE

[zoo_core.components.v1]
Arch{number}Tokenizer = zoo_plug_{number}.tokenizer:Arch{number}Tokenizer
"""
RECORD = """from zoo_core.architecture import Architecture

ARCHITECTURE = Architecture(model_type="arch{number}", config="zoo_plug_{number}.config:Config")
"""

# Both sides import what they need first: the rule is about the look-up, not about importing the library.
BARE = """
import sys, time
sys.path.insert(0, args["folder"])
import importlib.metadata
start = time.perf_counter()
points = importlib.metadata.entry_points()
metrics["look-up ms"] = (time.perf_counter() - start) * 1000
assert len(points.select(group="zoo_core.architectures.v1")) >= args["plugins"]
"""
REGISTRY = """
import sys, time
sys.path.insert(0, args["folder"])
from zoo_core import registry
start = time.perf_counter()
found = registry.get("arch567")
metrics["look-up ms"] = (time.perf_counter() - start) * 1000
assert found.distribution == "zoo-plug-567" and found.version == "1.567"
assert [name for name in sys.modules if name.startswith("zoo_plug_")] == ["zoo_plug_567"]
start = time.perf_counter()
registry.get("arch568")
metrics["second ms"] = (time.perf_counter() - start) * 1000
"""


def run(bench: Bench) -> None:
    folder = install(bench.folder / "plugins", PLUGINS)
    bench.fresh(
        f"one model type among {PLUGINS} distributions",
        args={"folder": str(folder), "plugins": PLUGINS},
        limits={"look-up ms/entry_points": 2},
        zoo=REGISTRY,
        entry_points=BARE,
    )


def install(folder: Path, count: int) -> Path:
    """Write ``count`` distributions as pip would have left them."""
    for number in range(count):
        info = folder / f"zoo_plug_{number}-1.{number}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(METADATA.format(number=number))
        (info / "entry_points.txt").write_text(ENTRY_POINTS.format(number=number))
        package = folder / f"zoo_plug_{number}"
        package.mkdir()
        (package / "__init__.py").write_text(RECORD.format(number=number))
    return folder
