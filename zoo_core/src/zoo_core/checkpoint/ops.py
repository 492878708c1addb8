"""Two-way tensor operations between the layout of a model and the layout of its Hub files.

An operation stands as a value in a ``hub_names`` table. Its sources are Hub paths or further operations,
so a chain reads inside out: ``Stacked(Split("experts.*.w1", "experts.*.w3"))`` is the stack over experts
of the concatenation of two tensors. Only :class:`Fused` has several canonical tensors, so it is always
outermost. Every operation is a pure function of tensors and target shapes, and ``save(load(x)) == x``.
A subclass of :class:`Op` may live in an architecture's own package; its settings are plain attributes.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Shape = tuple[int, ...]


class Op:
    """Base of all operations; ``sources`` are the Hub paths or the operations that feed it."""

    copies = True
    """Whether loading always makes new memory, so that the file's own bytes need not stay mapped."""

    def __init__(self, *sources: str | Op) -> None:
        self.sources = sources

    def load(self, tensors: Sequence[Tensor], shapes: Sequence[Shape]) -> list[Tensor]:
        """The canonical tensors, of ``shapes``, from the tensors of the expanded sources."""
        raise NotImplementedError

    def save(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The tensors of the expanded sources, from the canonical ones. Must work on meta tensors."""
        raise NotImplementedError

    def source_shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        """The shape of each expanded source when the canonical tensors have ``shapes``."""
        import torch

        return [tuple(t.shape) for t in self.save([torch.empty(s, device="meta") for s in shapes])]

    def expand(self, shapes: Sequence[Shape]) -> tuple[str | Op, ...]:
        """The sources, written out one by one where a pattern stands for several."""
        return self.sources

    # What follows is the same for every operation.

    def mapped(self, rename: Callable[[str], str]) -> Op:
        """The same operation with every Hub path renamed."""
        clone = copy.copy(self)
        clone.sources = tuple(rename(s) if isinstance(s, str) else s.mapped(rename) for s in self.sources)
        return clone

    def leaves(self, shapes: Sequence[Shape]) -> Iterator[tuple[str, Shape]]:
        """Every Hub name that takes part, in order, with the shape that its tensor must have."""
        for source, shape in zip(self.expand(shapes), self.source_shapes(shapes), strict=True):
            if isinstance(source, str):
                yield source, shape
            else:
                yield from source.leaves([shape])

    def from_hub(self, read: Callable[[str], Tensor], shapes: Sequence[Shape]) -> list[Tensor]:
        """The canonical tensors; ``read`` gives the tensor of a Hub name."""
        parts = []
        for source, shape in zip(self.expand(shapes), self.source_shapes(shapes), strict=True):
            parts.append(read(source) if isinstance(source, str) else source.from_hub(read, [shape])[0])
        return self.load(parts, shapes)

    def to_hub(self, tensors: Sequence[Tensor]) -> Iterator[tuple[str, Tensor]]:
        """Hub names and tensors, from the canonical tensors."""
        shapes = [tuple(t.shape) for t in tensors]
        for source, part in zip(self.expand(shapes), self.save(tensors), strict=True):
            if isinstance(source, str):
                yield source, part
            else:
                yield from source.to_hub([part])

    def copies_memory(self) -> bool:
        """True when no canonical tensor shares memory with the file."""
        return self.copies or any(isinstance(s, Op) and s.copies_memory() for s in self.sources)

    def _settings(self) -> tuple[tuple[str, object], ...]:
        return tuple(sorted((k, v) for k, v in vars(self).items() if k != "sources"))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Op):
            return NotImplemented
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def _key(self) -> tuple[object, ...]:
        return (self.sources, self._settings())

    def __repr__(self) -> str:
        parts = [*map(repr, self.sources), *(f"{k}={v!r}" for k, v in self._settings())]
        return f"{type(self).__name__}({', '.join(parts)})"


class Fused(Op):
    """Several canonical tensors that lie concatenated in one Hub tensor.

    ``groups=1``: one block after the other along ``dim``. ``groups=n``: ``n`` groups, each holding its share
    of every canonical tensor in turn: per head (BLOOM, GPT-NeoX), per key/value head with several query
    heads (Falcon, InternLM2), or element by element (``groups`` equal to the size). The sizes are those of
    the canonical tensors, so they may differ (grouped queries). A bias is fused along its only dimension.
    """

    def __init__(self, source: str | Op, *, dim: int = 0, groups: int = 1) -> None:
        super().__init__(source)
        self.dim = dim
        self.groups = groups

    def _sizes(self, shapes: Sequence[Shape]) -> tuple[int, list[int]]:
        dim = self.dim if len(shapes[0]) > self.dim else 0
        sizes = [s[dim] for s in shapes]
        if any(size % self.groups for size in sizes):
            raise ValueError(f"{self}: sizes {sizes} do not divide into {self.groups} groups")
        return dim, sizes

    def source_shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        dim, sizes = self._sizes(shapes)
        return [(*shapes[0][:dim], sum(sizes), *shapes[0][dim + 1 :])]

    def load(self, tensors: Sequence[Tensor], shapes: Sequence[Shape]) -> list[Tensor]:
        import torch

        dim, sizes = self._sizes(shapes)
        (fused,) = tensors
        if self.groups == 1:
            return list(torch.split(fused, sizes, dim))
        shares = [size // self.groups for size in sizes]
        parts = torch.split(torch.unflatten(fused, dim, (self.groups, sum(shares))), shares, dim + 1)
        return [part.flatten(dim, dim + 1) for part in parts]

    def save(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        import torch

        dim, _ = self._sizes([tuple(t.shape) for t in tensors])
        if self.groups == 1:
            return [torch.cat(list(tensors), dim)]
        parts = [torch.unflatten(t, dim, (self.groups, t.shape[dim] // self.groups)) for t in tensors]
        return [torch.cat(parts, dim + 1).flatten(dim, dim + 1)]

    def copies_memory(self) -> bool:
        (inner,) = self.sources
        return self.groups > 1 or self.dim > 0 or (isinstance(inner, Op) and inner.copies_memory())


class Split(Op):
    """One canonical tensor that lies in several Hub tensors, in order along ``dim``.

    ``sizes``: their sizes along ``dim``; equal parts when not given.
    """

    def __init__(self, *sources: str | Op, dim: int = 0, sizes: Sequence[int] | None = None) -> None:
        super().__init__(*sources)
        self.dim = dim
        self.sizes = None if sizes is None else tuple(sizes)

    def _sizes(self, shape: Shape) -> tuple[int, list[int]]:
        dim = self.dim if len(shape) > self.dim else 0
        if self.sizes is not None:
            return dim, list(self.sizes)
        if shape[dim] % len(self.sources):
            raise ValueError(
                f"{self}: size {shape[dim]} does not divide into {len(self.sources)} equal parts"
            )
        return dim, [shape[dim] // len(self.sources)] * len(self.sources)

    def source_shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        (shape,) = shapes
        dim, sizes = self._sizes(shape)
        return [(*shape[:dim], size, *shape[dim + 1 :]) for size in sizes]

    def load(self, tensors: Sequence[Tensor], shapes: Sequence[Shape]) -> list[Tensor]:
        import torch

        return [torch.cat(list(tensors), self._sizes(shapes[0])[0])]

    def save(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        import torch

        (tensor,) = tensors
        dim, sizes = self._sizes(tuple(tensor.shape))
        return list(torch.split(tensor, sizes, dim))


class Stacked(Op):
    """One canonical tensor whose first dimension runs over N Hub tensors (experts).

    The first ``*`` that is still open in the Hub paths counts from 0 to N-1; N is the canonical size.
    """

    def __init__(self, source: str | Op) -> None:
        super().__init__(source)

    def source_shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        (shape,) = shapes
        return [shape[1:]] * shape[0]

    def expand(self, shapes: Sequence[Shape]) -> tuple[str | Op, ...]:
        (source,) = self.sources
        count = shapes[0][0]
        if isinstance(source, str):
            return tuple(source.replace("*", str(i), 1) for i in range(count))
        return tuple(source.mapped(lambda name, i=i: name.replace("*", str(i), 1)) for i in range(count))  # type: ignore[misc]

    def load(self, tensors: Sequence[Tensor], shapes: Sequence[Shape]) -> list[Tensor]:
        import torch

        return [torch.stack(list(tensors))]

    def save(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        (tensor,) = tensors
        return list(tensor.unbind(0))


class Transposed(Op):
    """A matrix that files hold transposed, (in, out): GPT-2's Conv1D. Stacks of matrices likewise; a bias
    is left as it is."""

    def __init__(self, source: str | Op) -> None:
        super().__init__(source)

    def source_shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        (shape,) = shapes
        return [shape if len(shape) < 2 else (*shape[:-2], shape[-1], shape[-2])]

    def load(self, tensors: Sequence[Tensor], shapes: Sequence[Shape]) -> list[Tensor]:
        return self.save(tensors)

    def save(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        (tensor,) = tensors
        return [tensor if tensor.ndim < 2 else tensor.transpose(-2, -1)]


class Permuted(Op):
    """A Hub tensor, seen with shape ``view`` where given, whose dimensions are permuted by ``dims``.

    Without ``view``: ``canonical = hub.permute(dims)``, for tensors of as many dimensions; others stay as
    they are. With ``view`` (one size may be -1) both sides keep the canonical shape: rotary rows that files
    hold interleaved are ``Permuted("q", (0, 2, 1, 3), view=(heads, head_dim // 2, 2, -1))``.
    """

    def __init__(self, source: str | Op, dims: Sequence[int], *, view: Sequence[int] | None = None) -> None:
        super().__init__(source)
        self.dims = tuple(dims)
        self.view = None if view is None else tuple(view)

    def load(self, tensors: Sequence[Tensor], shapes: Sequence[Shape]) -> list[Tensor]:
        (tensor,) = tensors
        if self.view is not None:
            return [tensor.reshape(self.view).permute(self.dims).reshape(shapes[0])]
        return [tensor.permute(self.dims) if tensor.ndim == len(self.dims) else tensor]

    def save(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        (tensor,) = tensors
        inverse = sorted(range(len(self.dims)), key=self.dims.__getitem__)
        if self.view is not None:
            permuted = [self.view[d] for d in self.dims]
            return [tensor.reshape(permuted).permute(inverse).reshape(tensor.shape)]
        return [tensor.permute(inverse) if tensor.ndim == len(self.dims) else tensor]


class Reshaped(Op):
    """The same elements in the same order, in ``shape`` in files (one size may be -1)."""

    copies = False

    def __init__(self, source: str | Op, shape: Sequence[int]) -> None:
        super().__init__(source)
        self.shape = tuple(shape)

    def source_shapes(self, shapes: Sequence[Shape]) -> list[Shape]:
        (shape,) = shapes
        known = math.prod(s for s in self.shape if s != -1)
        rest = math.prod(shape) // known if known else 0
        return [tuple(rest if s == -1 else s for s in self.shape)]

    def load(self, tensors: Sequence[Tensor], shapes: Sequence[Shape]) -> list[Tensor]:
        return [tensors[0].reshape(shapes[0])]

    def save(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        return [tensors[0].reshape(self.shape)]
