"""Output classes that code of repositories derives with ``@dataclass``."""

from __future__ import annotations

import inspect
from typing import Any

from zoo_core.modeling import outputs as native


class _Field:
    """An annotated field: its default for whoever asks the class, the stored value for an instance."""

    def __init__(self, name: str, default: Any) -> None:
        self._name, self._default = name, default

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self._default if instance is None else instance.get(self._name)

    def __set__(self, instance: Any, value: Any) -> None:
        instance[self._name] = value


class ModelOutput(native.ModelOutput):
    """The base of all outputs; ``dataclass`` may decorate its subclasses and leaves their constructors."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        own = [name for name, kind in inspect.get_annotations(cls).items() if "ClassVar" not in str(kind)]
        defaults = {name: cls.__dict__[name] for name in own if name in cls.__dict__}
        super().__init_subclass__(**kwargs)
        for name, default in defaults.items():
            setattr(cls, name, _Field(name, default))
        for method in ("__init__", "__eq__", "__repr__"):
            if method not in cls.__dict__:
                setattr(cls, method, getattr(native.ModelOutput, method))


def __getattr__(name: str) -> Any:
    """An output class of the zoo, in a form that can be derived from."""
    found = getattr(native, name, None)
    if not (isinstance(found, type) and issubclass(found, native.ModelOutput)):
        raise AttributeError(name)
    derived = type(name, (found, ModelOutput), {"__module__": __name__, "__doc__": found.__doc__})
    globals()[name] = derived
    return derived
