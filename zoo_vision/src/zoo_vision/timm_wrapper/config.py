"""Configuration of timm's own checkpoints."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig


class TimmWrapperConfig(PretrainedConfig):
    """What timm's config.json says: `architecture` is the network's name, `num_classes` counts the labels.

    `pretrained_cfg`, which the image processor reads, is kept. `do_pooling`: the base model also returns
    the mean over all pixels.
    """

    model_type = "timm_wrapper"

    architecture: str = "resnet50"
    initializer_range: float = 0.02
    do_pooling: bool = True
    model_args: dict[str, Any] | None = None

    def __init__(self, **values: Any) -> None:
        names, count = values.pop("label_names", None), values.pop("num_classes", None)
        if not {"num_labels", "id2label"} & values.keys():
            if names and len(names) == (count or len(names)):
                values["id2label"] = dict(enumerate(names))
            elif count is not None:
                values["num_labels"] = count
        super().__init__(**values)

    def to_dict(self) -> dict[str, Any]:
        return self._as_timm(super().to_dict())

    def to_diff_dict(self) -> dict[str, Any]:
        return self._as_timm(super().to_diff_dict())

    def _as_timm(self, values: dict[str, Any]) -> dict[str, Any]:
        """`num_classes` and `label_names` instead of `id2label` and `label2id`."""
        kept = {name: value for name, value in values.items() if name not in ("id2label", "label2id")}
        return kept | {"num_classes": self.num_labels, "label_names": list(self.id2label.values())}
