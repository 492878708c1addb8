"""What a record must be: plugins are written by others, and a wrong one is named before it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from zoo_core.architecture import Architecture
from zoo_core.registry import references


def fault(record: object, model_type: str) -> str | None:
    """What is wrong with the ``record`` advertised as ``model_type``; None when nothing is."""
    return next(_faults(record, model_type), None)


def _faults(record: object, model_type: str) -> Iterator[str]:
    if not isinstance(record, Architecture):
        yield f"expected a zoo_core.architecture.Architecture, found {type(record).__name__} {record!r:.80}"
        return
    if record.model_type != model_type or not model_type:
        yield f"the record says model_type={record.model_type!r}; the two must be equal"
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name == "model_type" or (value is None and field.name != "config"):
            continue
        if field.name == "models":
            yield from _model_faults(value)
        else:
            several = field.name == "tokenizer"
            yield from _reference_faults(field.name, value, several=several)


def _model_faults(models: Mapping[str, object]) -> Iterator[str]:
    for auto_class, value in models.items():
        if not isinstance(auto_class, str) or not auto_class.isidentifier():
            yield f"models has the key {auto_class!r}; keys are names of Auto classes such as 'AutoModel'"
        else:
            yield from _reference_faults(f"models[{auto_class!r}]", value, several=True)


def _reference_faults(where: str, value: object, *, several: bool) -> Iterator[str]:
    found = value if several and isinstance(value, tuple) and value else (value,)
    for reference in found:
        try:
            references.parse(reference)
        except ValueError as error:
            yield f"{where}: {error}"
