"""From a checkpoint, or a config alone, to a model whose every tensor has a known origin."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from zoo_core.checkpoint import (
    TORCH_DTYPES,
    DictSource,
    WeightSource,
    construct,
    first_floating,
    load_weights,
    open_weights,
)
from zoo_core.errors import MissingDependency
from zoo_core.hub import HubOptions, Repository
from zoo_core.quantization.config import BitsAndBytesConfig, asked_for, of_file

if TYPE_CHECKING:
    from zoo_core.config import PretrainedConfig
    from zoo_core.modeling.model import PreTrainedModel
    from zoo_core.quantization.layers import Quantizer

ModelT = TypeVar("ModelT", bound="PreTrainedModel")

#: keywords of the reference that ask for what is done anyway, or that mean nothing here
_WITHOUT_EFFECT = ("low_cpu_mem_usage", "weights_only", "_fast_init", "adapter_kwargs", "_from_auto")


def from_pretrained(
    cls: type[ModelT],
    name_or_path: str | os.PathLike[str] | None,
    *model_args: Any,
    config: PretrainedConfig | str | os.PathLike[str] | None = None,
    state_dict: Mapping[str, Tensor] | None = None,
    dtype: torch.dtype | str | None = None,
    torch_dtype: torch.dtype | str | None = None,
    attn_implementation: str | dict[str, str] | None = None,
    device_map: str | int | torch.device | Mapping[str, Any] | None = None,
    ignore_mismatched_sizes: bool = False,
    output_loading_info: bool = False,
    from_tf: bool = False,
    from_flax: bool = False,
    use_safetensors: bool | None = None,
    variant: str | None = None,
    quantization_config: BitsAndBytesConfig | Mapping[str, Any] | None = None,
    load_in_8bit: bool | None = None,
    load_in_4bit: bool | None = None,
    **kwargs: Any,
) -> Any:
    """A model of class `cls` with the weights of a checkpoint, in evaluation mode.

    Args:
        name_or_path: id on the Hub, folder, or weight file; None with `config` and `state_dict`.
        model_args: passed to the constructor after the config.
        config: used instead of the checkpoint's. Remaining keywords then go to the constructor; without
            it those that name attributes of the config override them, and the rest goes to the constructor.
        state_dict: weights instead of the checkpoint's, under canonical or Hub names.
        dtype: of the weights; "auto" for the checkpoint's own, float32 by default.
        attn_implementation: "eager", "sdpa" (default), "flash_attention_2" or "flex_attention".
        device_map: the one device to load to: a name, a number, a torch.device, {"": device}, or "auto"
            for an accelerator if there is one.
        ignore_mismatched_sizes: initialise weights of other shapes anew instead of raising.
        output_loading_info: return (model, info) with missing_keys, unexpected_keys, mismatched_keys and
            error_msgs.
        from_tf, from_flax, use_safetensors, variant: which weight files to read.
        quantization_config: a BitsAndBytesConfig; linear layers are held in 8 or 4 bits, everything else in
            float16 unless `dtype` says otherwise. A checkpoint that is stored so needs no keyword.
        load_in_8bit, load_in_4bit: the same with bitsandbytes' defaults.
        kwargs: also cache_dir, force_download, proxies, revision, token, local_files_only, subfolder.

    Raises:
        HubError, ConfigError, CheckpointError: files that cannot be had, or are not what they should be.
    """
    for name in _WITHOUT_EFFECT:
        kwargs.pop(name, None)
    if state_dict is not None and name_or_path is not None:
        raise ValueError("state_dict and a name or path exclude each other: pass None as the name")
    if name_or_path is None and state_dict is None:
        raise ValueError("pass a name or path, or state_dict= together with config=")
    repository = kwargs.pop("_repository", None)
    options = HubOptions.pop_from(kwargs)
    if repository is None and name_or_path is not None:
        repository = Repository(name_or_path, options=options)
    config, kwargs = config_for(cls, config, repository, kwargs)
    source: WeightSource = DictSource(state_dict or {})
    if repository is not None:
        source = open_weights(
            repository, variant=variant, use_safetensors=use_safetensors, from_tf=from_tf, from_flax=from_flax
        )
    asked = asked_for(quantization_config, load_in_8bit, load_in_4bit)
    settings, source = quantization_of(config, asked, source)
    dtype = dtype if dtype is not None else torch_dtype
    with source:
        wanted = dtype_of("float16" if dtype is None and settings is not None else dtype, config, source)
        model = construct(lambda: cls(config, *model_args, **kwargs), dtype=wanted)
        quantizer = None if settings is None else make_quantizer(model, settings, source)
        report = load_weights(
            model,
            source,
            dtype=wanted,
            ignore_mismatched_sizes=ignore_mismatched_sizes,
            device=one_device(device_map),
            rebuild=lambda: cls(copy.deepcopy(config), *model_args, **kwargs),
            convert=None if quantizer is None else quantizer.convert,
        )
        if quantizer is not None:
            quantizer.finish()
    assert isinstance(model, cls)
    settle(model, config, wanted, attn_implementation)
    if repository is not None:
        model.name_or_path = config.name_or_path = repository.name
        model.read_generation_config(repository)
    model.eval()
    return (model, report.loading_info()) if output_loading_info else model


def config_for(
    cls: type[PreTrainedModel],
    config: PretrainedConfig | str | os.PathLike[str] | None,
    repository: Repository | None,
    kwargs: dict[str, Any],
) -> tuple[PretrainedConfig, dict[str, Any]]:
    """A config of the model's own, and the keywords that are left for its constructor."""
    if isinstance(config, str | os.PathLike):
        assert cls.config_class is not None
        return cls.config_class.from_pretrained(config), kwargs
    if config is not None:
        return copy.deepcopy(config), kwargs
    if cls.config_class is None or repository is None:
        raise ValueError(f"{cls.__name__} needs config=: it declares no config_class, or there are no files")
    return cls.config_class.from_pretrained(
        repository.name, return_unused_kwargs=True, _repository=repository, **kwargs
    )


def quantization_of(
    config: PretrainedConfig, asked: BitsAndBytesConfig | None, source: WeightSource
) -> tuple[BitsAndBytesConfig | None, WeightSource]:
    """How the model's layers shall be held, and the source, whose weights may be stored so already."""
    recorded = getattr(config, "quantization_config", None)
    if recorded is None or isinstance(source, DictSource):
        return asked, source
    from zoo_core.quantization.stored import StoredWeights

    stored = recorded if isinstance(recorded, BitsAndBytesConfig) else of_file(recorded, source.description)
    if not stored.bits:
        return asked, source
    if asked is not None and asked != stored:
        warnings.warn(
            "the checkpoint is quantised already: its own quantization_config is used, not the keyword's",
            stacklevel=4,
        )
    return stored, StoredWeights(source)


def make_quantizer(model: nn.Module, settings: BitsAndBytesConfig, source: WeightSource) -> Quantizer:
    """What quantises the model's layers; bitsandbytes is imported here."""
    from zoo_core.quantization.layers import Quantizer

    return Quantizer(model, settings, source)


def from_config(
    cls: type[ModelT],
    config: PretrainedConfig,
    *,
    attn_implementation: str | dict[str, str] | None = None,
    dtype: torch.dtype | str | None = None,
    torch_dtype: torch.dtype | str | None = None,
    **kwargs: Any,
) -> ModelT:
    """A model with freshly initialised weights, in training mode."""
    config = copy.deepcopy(config)
    source = DictSource({}, description="no file")
    wanted = dtype_of(dtype if dtype is not None else torch_dtype, config, source)
    model = construct(lambda: cls(config, **kwargs), dtype=wanted)
    rebuild = lambda: cls(copy.deepcopy(config), **kwargs)  # noqa: E731
    load_weights(model, source, dtype=wanted, rebuild=rebuild, log=False)
    assert isinstance(model, cls)
    settle(model, config, wanted, attn_implementation)
    return model


def settle(
    model: PreTrainedModel,
    config: PretrainedConfig,
    dtype: torch.dtype,
    attn_implementation: str | dict[str, str] | None,
) -> None:
    """Note that the weights stand, and their dtype; choose the attention implementation asked for."""
    for module in model.modules():
        module._initialized = True  # type: ignore[assignment]  # a model around this one leaves them alone
    config.dtype = str(dtype).removeprefix("torch.")
    chosen = attn_implementation or config._attn_implementation
    if chosen is not None:
        model.set_attn_implementation(chosen)


def dtype_of(asked: torch.dtype | str | None, config: PretrainedConfig, source: WeightSource) -> torch.dtype:
    """The dtype of a load: as asked, "auto" for that of the config or else the file, float32 by default."""
    if isinstance(asked, torch.dtype):
        return asked
    if asked is None:
        return torch.float32
    if asked == "auto":
        first = first_floating(source.tensors)
        in_file = "float32" if first is None else str(TORCH_DTYPES[first])
        asked = str(config.dtype or in_file)
    found = getattr(torch, str(asked).removeprefix("torch."), None)
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise ValueError(
            f"dtype={asked!r} is no floating-point dtype; pass 'auto', or a name or torch.dtype such as "
            "'float32', 'bfloat16', torch.float16"
        )
    return found


def one_device(device_map: str | int | torch.device | Mapping[str, Any] | None) -> torch.device | None:
    """The device that `device_map` names; None for the CPU, where weights stay mapped from the file."""
    if isinstance(device_map, Mapping):
        places = set(device_map.values())
        if len(places) != 1:
            raise ValueError(
                f"device_map names {len(places)} devices; a model is loaded to one: pass its name, or "
                '{"": "cuda:0"}'
            )
        return one_device(places.pop())
    if device_map is None or device_map == "cpu":
        return None
    if device_map in ("auto", "balanced", "sequential"):
        return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    try:
        device = torch.device(device_map)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device_map={device_map!r} is no device; pass e.g. 'cuda:0', 'cpu' or 'auto'"
        ) from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise MissingDependency(f"device_map={device_map!r}: this torch sees no CUDA device")
    return None if device.type == "cpu" else device
