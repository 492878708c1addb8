"""What every Auto class is."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from zoo_core.auto.docs import LiveDoc

Path = str | os.PathLike[str]


class AutoClass:
    """A class that stands for others: its class methods return objects of the class that a checkpoint needs.

    A subclass's docstring becomes the summary of a live one.
    """

    _ways: ClassVar[tuple[str, ...]] = ("from_pretrained(pretrained_model_name_or_path)",)
    _kind: ClassVar[str] = "other"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        summary = cls.__dict__.get("__doc__")
        cls.__doc__ = LiveDoc(summary or cls.__name__, kind=cls._kind)  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        name = type(self).__name__
        spelled = " or ".join(f"`{name}.{way}`" for way in self._ways)
        raise OSError(f"{name} is not constructed directly: it has no objects of its own. Use {spelled}.")
