"""How weights are quantised by bitsandbytes, as callers ask for it and as config.json records it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from zoo_core.errors import ConfigError

if TYPE_CHECKING:
    import torch

METHOD = "bitsandbytes"


@dataclass
class BitsAndBytesConfig:
    """Linear layers as int8 (https://arxiv.org/abs/2208.07339) or in 4 bits (https://arxiv.org/abs/2305.14314).

    Args:
        load_in_8bit, load_in_4bit: exactly one for anything to happen.
        llm_int8_threshold: features with an absolute value from here on are multiplied in the input's dtype.
        llm_int8_skip_modules: names of modules that stay as they are, besides the output head.
        llm_int8_enable_fp32_cpu_offload: kept for files; a model is on one device here.
        llm_int8_has_fp16_weight: keep the weights unquantised until they are multiplied, for training.
        bnb_4bit_compute_dtype: dtype that products are computed in; float32 by default.
        bnb_4bit_quant_type: "fp4" or "nf4".
        bnb_4bit_use_double_quant: quantise the scales too.
        bnb_4bit_quant_storage: dtype of the packed weights; uint8 by default.

    Raises:
        ConfigError: both switches, or a value that bitsandbytes does not know.
    """

    load_in_8bit: bool = False
    load_in_4bit: bool = False
    llm_int8_threshold: float = 6.0
    llm_int8_skip_modules: list[str] | None = None
    llm_int8_enable_fp32_cpu_offload: bool = False
    llm_int8_has_fp16_weight: bool = False
    bnb_4bit_compute_dtype: torch.dtype | str | None = None
    bnb_4bit_quant_type: str = "fp4"
    bnb_4bit_use_double_quant: bool = False
    bnb_4bit_quant_storage: torch.dtype | str | None = None

    quant_method = METHOD

    def __post_init__(self) -> None:
        self.bnb_4bit_compute_dtype = _name(self.bnb_4bit_compute_dtype, "float32")
        self.bnb_4bit_quant_storage = _name(self.bnb_4bit_quant_storage, "uint8")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "bool" and not isinstance(value, bool):
                raise ConfigError(f"{field.name}={value!r} must be True or False")
        if self.load_in_8bit and self.load_in_4bit:
            raise ConfigError("load_in_8bit and load_in_4bit exclude each other; pass one of them")
        if self.bnb_4bit_quant_type not in ("fp4", "nf4"):
            raise ConfigError(f'bnb_4bit_quant_type={self.bnb_4bit_quant_type!r} must be "fp4" or "nf4"')
        for name, known in (("bnb_4bit_compute_dtype", _COMPUTE), ("bnb_4bit_quant_storage", _STORAGE)):
            if getattr(self, name) not in known:
                raise ConfigError(f"{name}={getattr(self, name)!r} must be one of {', '.join(known)}")
        skipped = self.llm_int8_skip_modules
        if skipped is not None and not all(isinstance(name, str) for name in skipped):
            raise ConfigError(f"llm_int8_skip_modules={skipped!r} must be a list of module names")

    @property
    def bits(self) -> int:
        """8, 4, or 0 where neither is asked for."""
        return 8 if self.load_in_8bit else 4 if self.load_in_4bit else 0

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From the entry of a config.json; what bitsandbytes does not know is left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    def to_dict(self) -> dict[str, Any]:
        """The entry of a config.json, as the reference writes it."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        private = {f"_{name}": own[name] for name in ("load_in_8bit", "load_in_4bit")}
        return {**private, **own, "quant_method": self.quant_method}


_COMPUTE = ("float32", "float16", "bfloat16")
_STORAGE = ("uint8", "int8", "float16", "bfloat16", "float32")


def _name(dtype: Any, default: str) -> str:
    return default if dtype is None else str(dtype).removeprefix("torch.")


def asked_for(
    quantization_config: BitsAndBytesConfig | Mapping[str, Any] | None,
    load_in_8bit: bool | None,
    load_in_4bit: bool | None,
) -> BitsAndBytesConfig | None:
    """What the keywords of a load ask for; None for nothing."""
    if quantization_config is None:
        asked = BitsAndBytesConfig(load_in_8bit=bool(load_in_8bit), load_in_4bit=bool(load_in_4bit))
    elif load_in_8bit or load_in_4bit:
        raise ConfigError(
            f"load_in_{8 if load_in_8bit else 4}bit=True and quantization_config say the same thing twice; "
            "pass quantization_config=BitsAndBytesConfig(...) alone"
        )
    elif isinstance(quantization_config, Mapping):
        asked = of_file(quantization_config, "quantization_config")
    else:
        if not isinstance(quantization_config, BitsAndBytesConfig):
            raise ConfigError(
                f"quantization_config is a {type(quantization_config).__name__}; pass a "
                "zoo_core.BitsAndBytesConfig"
            )
        asked = quantization_config
    return asked if asked.bits else None


def of_file(values: Mapping[str, Any], where: str) -> BitsAndBytesConfig:
    """The entry `quantization_config` of a checkpoint.

    Raises:
        ConfigError: another method than bitsandbytes.
    """
    method = values.get("quant_method", METHOD)
    if method != METHOD:
        raise ConfigError(
            f"{where} was quantised with {method!r}; of quantised checkpoints only those of bitsandbytes are "
            "read. Load the unquantised checkpoint, with load_in_8bit=True or load_in_4bit=True to make it "
            "as small"
        )
    return BitsAndBytesConfig.from_dict(values)
