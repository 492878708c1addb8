"""``python -m zoo_core.checkpoint names FOLDER_OR_MODEL_TYPE [--auto AutoModel]``: print the name plan."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from zoo_core.errors import ZooError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line a row: canonical names, then the names in files and the operation between them."""
    parser = argparse.ArgumentParser(prog="python -m zoo_core.checkpoint", description=__doc__)
    parser.add_argument("command", choices=["names"])
    parser.add_argument("model", help="a folder or repository with a config.json, or a model type")
    parser.add_argument("--auto", default="AutoModel", help="the Auto class that chooses the model class")
    given = parser.parse_args(arguments)
    try:
        sys.stdout.write(f"{plan_of(given.model, given.auto)}\n")
    except ZooError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def plan_of(model: str, auto: str = "AutoModel") -> object:
    """The plan of what ``auto`` would build from a folder's config, or from the defaults of a model type."""
    import zoo_core
    from zoo_core import registry
    from zoo_core.checkpoint.materialise import skeleton
    from zoo_core.checkpoint.names import NamePlan

    if model in registry.names():
        resolved = registry.get(model)
        config = registry.load(resolved.architecture.config, distribution=resolved.distribution)()
    else:
        config = zoo_core.AutoConfig.from_pretrained(model)
    resolved = registry.get(config.model_type)
    candidates = resolved.architecture.candidates(auto)
    if not candidates:
        known = ", ".join(resolved.architecture.models)
        raise ZooError(f"{auto} builds no {config.model_type}; pass --auto with one of {known}")
    cls = registry.load(candidates[0], distribution=resolved.distribution)
    with skeleton():
        return NamePlan.of(cls(config))


if __name__ == "__main__":
    raise SystemExit(main())
