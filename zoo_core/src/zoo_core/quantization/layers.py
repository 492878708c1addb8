"""Linear layers of bitsandbytes in a model, quantised one by one while its weights are read.

Importing this module imports bitsandbytes; MissingDependency names it where it is not installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint import Fused, NamePlan, Reshaped, WeightSource
from zoo_core.checkpoint.matching import Policies
from zoo_core.errors import CheckpointError, MissingDependency
from zoo_core.nn.linear import Linear
from zoo_core.quantization.config import BitsAndBytesConfig
from zoo_core.quantization.stored import StoredWeights, four_bit_state

try:
    import bitsandbytes as bnb
except ImportError as error:
    raise MissingDependency(
        "8-bit and 4-bit weights need bitsandbytes: pip install 'zoo-core[bitsandbytes]'"
    ) from error


class Linear8bit(bnb.nn.Linear8bitLt):  # type: ignore[misc]
    """bitsandbytes' layer for inputs of any number of dimensions; its own fails on some of four."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() <= 3:
            return _tensor(super().forward(x))
        return _tensor(super().forward(x.flatten(0, -2))).view(*x.shape[:-1], -1)


class Quantizer:
    """Quantises the linear layers of a model that is being loaded, and puts bitsandbytes' layers in place.

    Left out are the output head, layers that share a weight, those that the model keeps in float32 or that
    files hold as something else, and what the settings name.
    """

    def __init__(self, model: nn.Module, settings: BitsAndBytesConfig, source: WeightSource) -> None:
        self.model, self.settings = model, settings
        self.plan = NamePlan.of(model)
        self.source = source if isinstance(source, StoredWeights) else None
        self.targets = {f"{path}.weight": path for path in self._chosen()}

    def _chosen(self) -> list[str]:
        model: Any = self.model
        policies = Policies.of(model)
        head = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
        shared = {*policies.ties, *policies.ties.values()}
        chosen = []
        for path, module in model.named_modules():
            linear = type(module) is nn.Linear or isinstance(module, Linear)
            if not linear or module is head or path.endswith("lm_head"):
                continue
            weight = f"{path}.weight"
            row = self.plan.row_of.get(weight)
            if (
                row is None
                or isinstance(row.op, Reshaped)
                or weight in shared
                or policies.float32(weight, torch.float16)
            ):
                continue
            if not any(self._named(name) for name in (path, *row.hub)):
                chosen.append(path)
        return chosen

    def _named(self, path: str) -> bool:
        """Whether the settings leave out this module, or one around it."""
        return any(f".{name}." in f".{path}." for name in self.settings.llm_int8_skip_modules or ())

    def convert(self, path: str, tensor: Tensor) -> Tensor:
        """What the model shall hold of a tensor that was read; other than layers' weights are unchanged."""
        if path not in self.targets:
            return tensor
        stored = self._stored(path)
        return self.quantized(tensor) if stored is None else self.restored(stored, tensor.device)

    def _stored(self, path: str) -> dict[str, Tensor] | None:
        """The tensors of the file where they are this layer's alone, and in as many bits."""
        row = self.plan.row_of[path]
        if self.source is None or row.op is not None:
            return None
        prefix = getattr(self.model, "base_model_prefix", "")
        hub = row.hub[0]
        for name in (hub, f"{prefix}.{hub}", hub.removeprefix(f"{prefix}.")):
            if name in self.source.stored and self.source.stored[name].bits == self.settings.bits:
                return self.source.parts(name)
        return None

    def quantized(self, tensor: Tensor) -> Tensor:
        """A weight (out, in) in 8 or 4 bits, on its device."""
        settings = self.settings
        if settings.bits == 8:
            keep = settings.llm_int8_has_fp16_weight
            made: Tensor = bnb.nn.Int8Params(tensor, requires_grad=keep, has_fp16_weights=keep)
        else:
            made = bnb.nn.Params4bit(
                tensor,
                requires_grad=False,
                compress_statistics=settings.bnb_4bit_use_double_quant,
                quant_type=settings.bnb_4bit_quant_type,
                quant_storage=getattr(torch, str(settings.bnb_4bit_quant_storage)),
            )
        return made.to(tensor.device)

    def restored(self, parts: Mapping[str, Tensor], device: torch.device) -> Tensor:
        """The same from the tensors of a file, bit for bit."""
        if self.settings.bits == 8:
            weight, scales = parts["weight"].to(device), parts["SCB"].to(device)
            return _tensor(
                bnb.nn.Int8Params(weight, requires_grad=False, has_fp16_weights=False, SCB=scales, CB=weight)
            )
        return _tensor(
            bnb.nn.Params4bit.from_prequantized(
                data=parts["weight"],
                quantized_stats=four_bit_state(parts),
                requires_grad=False,
                device=device,
            )
        )

    def finish(self) -> None:
        """Put the layers in place; those without weights in the file are quantised now."""
        for weight, path in self.targets.items():
            old: Any = self.model.get_submodule(path)
            held = old.weight
            if type(held) is nn.Parameter:
                held = self.convert(weight, held.detach())
            with torch.device("meta"):
                made = self._layer(old)
            made.weight, made.bias = held, old.bias
            made.train(old.training)
            made._initialized = True
            parent, _, name = path.rpartition(".")
            setattr(self.model.get_submodule(parent), name, made)
        model: Any = self.model
        model.is_quantized = True
        model.is_loaded_in_8bit, model.is_loaded_in_4bit = self.settings.bits == 8, self.settings.bits == 4
        model.config.quantization_config = self.settings

    def _layer(self, old: nn.Linear) -> Any:
        settings = self.settings
        shape = (old.in_features, old.out_features, old.bias is not None)
        if settings.bits == 8:
            return Linear8bit(
                *shape,
                has_fp16_weights=settings.llm_int8_has_fp16_weight,
                threshold=settings.llm_int8_threshold,
            )
        made = bnb.nn.Linear4bit(
            *shape,
            compute_dtype=getattr(torch, str(settings.bnb_4bit_compute_dtype)),
            compress_statistics=settings.bnb_4bit_use_double_quant,
            quant_type=settings.bnb_4bit_quant_type,
            quant_storage=getattr(torch, str(settings.bnb_4bit_quant_storage)),
        )
        made.support_avx512bf16_for_cpu = False  # that layout rounds the scales, and saves them so
        return made


def unpacked(weight: Tensor, state: Mapping[str, Tensor]) -> Tensor:
    """The matrix that a packed 4-bit weight and the tensors beside it stand for."""
    described = bnb.functional.QuantState.from_dict(dict(state), device=weight.device)
    return _tensor(bnb.functional.dequantize_4bit(weight, described))


def _tensor(value: Any) -> Tensor:
    assert isinstance(value, Tensor)
    return value


def stored_tensors(model: nn.Module) -> dict[str, dict[str, Tensor]]:
    """What the file of a quantised model holds: Hub names by the canonical name of a weight, and tensors.

    Raises:
        CheckpointError: a file would hold several layers in one matrix, of which only rows of int8 can be
            laid together.
    """
    plan, found = NamePlan.of(model), dict[str, dict[str, Tensor]]()
    layers = {
        f"{path}.weight": module.state_dict()
        for path, module in model.named_modules()
        if isinstance(module, bnb.nn.Linear8bitLt | bnb.nn.Linear4bit)
    }
    for weight, tensors in layers.items():
        row = plan.row_of[weight]
        if row.canonical[0] != weight:
            continue
        parts = [layers[name] for name in row.canonical if name in layers]
        rows = isinstance(row.op, Fused) and repr(row.op) == repr(Fused(row.hub[0]))
        if row.op is not None and not (rows and len(parts) == len(row.canonical) and "SCB" in tensors):
            raise CheckpointError(
                f"{row.hub[0]} cannot be saved: a file holds {len(row.canonical)} layer(s) in it in another "
                "layout, which quantised weights do not have; save the unquantised model, and quantise it "
                "while loading"
            )
        prefix = row.hub[0].removesuffix("weight")
        found[weight] = {
            prefix + name: tensor
            if row.op is None or not tensor.dim()
            else torch.cat([p[name] for p in parts])
            for name, tensor in tensors.items()
            if name != "bias"
        }
    return found
