"""Configuration of DiNAT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import field
from zoo_vision.nat.config import NatConfig


class DinatConfig(NatConfig):
    """Sizes and switches of a DiNAT, a NAT with `dilations` for each layer of each stage."""

    model_type = "dinat"

    dilations: list[list[int]] = field([[1, 8, 1], [1, 4, 1, 4], [1, 2, 1, 2, 1, 2], [1, 1, 1, 1, 1]])

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if [len(stage) for stage in self.dilations] != self.depths:
            yield "dilations", f"must have one entry for each layer of each stage, {self.depths}"

    def dilations_of(self, stage: int) -> list[int]:
        return self.dilations[stage]
