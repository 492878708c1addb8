"""The one mapping type that all models return.

A `ModelOutput` answers to attribute (`out.logits`), key (`out["logits"]`) and index (`out[0]`) alike;
fields that were not computed are absent from keys, iteration and indices and read as None by attribute.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, ClassVar, Self, dataclass_transform

from torch.utils import _pytree


@dataclass_transform(kw_only_default=True)
class _Fields:
    pass


class ModelOutput(dict[str, Any], _Fields):
    """A mapping from field name to value with a fixed field order; subclasses annotate their fields.

    Inherited fields come first, or last with the class keyword `own_first`.
    """

    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, own_first: bool = False) -> None:
        super().__init_subclass__()
        own = [n for n, kind in inspect.get_annotations(cls).items() if "ClassVar" not in str(kind)]
        inherited = tuple(f for f in cls.fields if f not in own)
        cls.fields = (*own, *inherited) if own_first else (*inherited, *own)
        for name in own:  # a default in the class body would hide the stored value
            if name in cls.__dict__:
                delattr(cls, name)
        _pytree.register_pytree_node(
            cls,
            lambda out: (list(out.values()), (type(out), tuple(out))),
            lambda values, context: context[0](**dict(zip(context[1], values, strict=True))),
            serialized_type_name=f"{cls.__module__}.{cls.__qualname__}",
        )

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__()
        if args:  # positional values follow the field order; a single mapping is taken as keywords
            if len(args) == 1 and isinstance(args[0], dict):
                values = {**args[0], **values}
            else:
                values = {**dict(zip(self.fields, args, strict=False)), **values}
        unknown = [name for name in values if name not in self.fields]
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no field {unknown[0]!r}; it has {', '.join(self.fields)}"
            )
        for name in self.fields:
            value = values.get(name)
            if value is not None:
                dict.__setitem__(self, name, value)

    @classmethod
    def carry(cls, source: ModelOutput, **values: Any) -> Self:
        """A head's output: `values`, and every field of the same name that the base model returned."""
        return cls(**{**{k: v for k, v in source.items() if k in cls.fields}, **values})

    def __getattr__(self, name: str) -> Any:
        if name in type(self).fields:
            return self.get(name)
        raise AttributeError(f"{type(self).__name__} has no field {name!r}; it has {', '.join(self.fields)}")

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self.fields:
            raise AttributeError(
                f"{type(self).__name__} has no field {name!r}; it has {', '.join(self.fields)}"
            )
        kept = {**self, name: value}
        self.clear()
        for field in self.fields:
            if kept.get(field) is not None:
                dict.__setitem__(self, field, kept[field])

    def __getitem__(self, key: Any) -> Any:
        return dict.__getitem__(self, key) if isinstance(key, str) else self.to_tuple()[key]

    def to_tuple(self) -> tuple[Any, ...]:
        """The computed values in field order."""
        return tuple(self.values())

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)
