"""What a processor returns: named arrays, as a mapping and as attributes."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo_core.errors import ProcessingError

if TYPE_CHECKING:
    import torch

ARRAY_KINDS = ("np", "pt")


def array_kind(requested: Any) -> str | None:
    """``None``, ``"np"`` or ``"pt"`` from what a caller wrote for ``return_tensors`` (enums included)."""
    if requested is None:
        return None
    name = str(getattr(requested, "value", requested))
    if name not in ARRAY_KINDS:
        raise ProcessingError(f"return_tensors={requested!r} is not known; use 'np', 'pt' or None")
    return name


def stack(name: str, value: Any, kind: str) -> Any:
    """``value`` (numbers, arrays, tensors, or nested lists of them) as one array of ``kind``.

    Raises:
        ProcessingError: the items differ in shape, so no single array holds them.
    """
    import numpy as np

    if type(value).__module__.partition(".")[0] == "torch":
        return value.detach().cpu().numpy() if kind == "np" else value
    if isinstance(value, (list, tuple)) and value and type(value[0]).__module__.partition(".")[0] == "torch":
        value = [item.detach().cpu().numpy() for item in value]
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.empty(0, dtype=object)
    if array.dtype == object or array.dtype.kind in "US":
        shapes = sorted({str(getattr(item, "shape", "")) or type(item).__name__ for item in value})[:4]
        raise ProcessingError(
            f"{name} cannot become one array: its items differ ({', '.join(shapes)}). Pad or resize them to "
            "one shape, or leave return_tensors out to get a list"
        )
    if kind == "np":
        return array
    import torch

    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64)
    return torch.from_numpy(np.ascontiguousarray(array) if array.ndim else array.copy())


class BatchFeature(UserDict[str, Any]):
    """The named outputs of a processor; ``batch["pixel_values"]`` and ``batch.pixel_values`` are the same.

    Args:
        data: name to arrays, tensors or lists.
        tensor_type: ``"np"`` or ``"pt"`` to turn every value into one array; None leaves them alone.
        skip_tensor_conversion: names that stay as they are.
    """

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        tensor_type: Any = None,
        *,
        skip_tensor_conversion: Sequence[str] = (),
    ) -> None:
        super().__init__(dict(data or {}))
        self.convert_to_tensors(tensor_type, skip_tensor_conversion=skip_tensor_conversion)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "data":
            raise AttributeError(name)
        try:
            return self.data[name]
        except KeyError:
            known = ", ".join(self.data)
            raise AttributeError(f"this batch has no {name!r}; it holds {known or 'nothing'}") from None

    def convert_to_tensors(
        self, tensor_type: Any = None, *, skip_tensor_conversion: Sequence[str] = ()
    ) -> BatchFeature:
        """Turn every value into one array or tensor, in place. None does nothing."""
        kind = array_kind(tensor_type)
        if kind is not None:
            for name, value in self.data.items():
                if name not in skip_tensor_conversion and value is not None:
                    self.data[name] = stack(name, value, kind)
        return self

    def to(self, *args: Any, **kwargs: Any) -> BatchFeature:
        """Move the tensors (also inside lists) as ``Tensor.to`` does; a dtype is given to floats only."""
        import torch

        dtype, device = kwargs.pop("dtype", None), kwargs.pop("device", None)
        for value in args:
            if isinstance(value, torch.dtype):
                dtype = value
            elif isinstance(value, (str, int, torch.device)):
                device = value
            else:
                raise TypeError(f"BatchFeature.to takes a device and a dtype, got {value!r}")

        def move(value: Any) -> Any:
            if isinstance(value, torch.Tensor):
                return value.to(device=device, dtype=dtype if value.is_floating_point() else None, **kwargs)
            if isinstance(value, (list, tuple)):
                return type(value)(move(item) for item in value)
            return value

        self.data = {name: move(value) for name, value in self.data.items()}
        return self

    if TYPE_CHECKING:
        pixel_values: torch.Tensor
        input_ids: torch.Tensor
        attention_mask: torch.Tensor
        input_features: torch.Tensor
        input_values: torch.Tensor
