"""`SandboxedModel`: a torch module whose parameters are here and whose code runs in a sandbox."""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self

import torch
from torch import Tensor, nn

from zoo_core.checkpoint import DictSource, WeightSource, load_weights, open_weights, save_weights
from zoo_core.config import PretrainedConfig
from zoo_core.errors import SandboxError
from zoo_core.hub import HubOptions, Repository
from zoo_core.modeling.loading import dtype_of, one_device
from zoo_core.remote.code import RemoteCode
from zoo_core.remote.host import parts
from zoo_core.remote.host.generation import generation_config, generation_settings
from zoo_core.remote.host.saving import write_code
from zoo_core.remote.host.session import ModelSession, Recipe
from zoo_core.remote.trust import LoadContext


class SandboxedModel(nn.Module):
    """A model whose class is code of a repository.

    Its parameters are real: optimizers, ``state_dict`` and in-place changes act on the memory that the
    sandbox computes with. A forward is differentiable once. Methods of the repository's class are called by
    name; what they take and give must be tensors, arrays, images, numbers, strings and collections of them.

    Not possible: hooks and calls inside of it, a gradient of gradients, other devices than the CPU, copies by
    ``deepcopy`` or pickle (save and load instead). What a limit stopped can be brought back by `restart`.
    """

    _code: ClassVar[RemoteCode]
    _context: ClassVar[LoadContext]
    config_class: ClassVar[type[PretrainedConfig] | None] = None

    def __init__(self, config: PretrainedConfig, recipe: Recipe) -> None:
        super().__init__()
        session = ModelSession(recipe)
        about = session.description
        self.__dict__["_session"] = session
        self.__dict__["_rows"] = {row.name: row for row in session.rows}
        self.__dict__["_methods"] = frozenset(about["methods"])
        self.config = config
        self.name_or_path = ""
        self.main_input_name = about["main_input_name"]
        self.base_model_prefix = about["base_model_prefix"]
        names = list(parts.grow(self, session.rows, about["modules"]))
        values, persistent = session.buffers()
        parts.put_buffers(self, values, persistent, about["modules"])
        parts.put_names(self, session.naming)
        self.generation_config = generation_config(recipe.generation) if self.can_generate() else None
        self._settings_then = copy.deepcopy(vars(self.generation_config)) if self.generation_config else {}
        self.__dict__["_places"] = parts.places(self, names), parts.places(self, values)

    # Loading

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | os.PathLike[str] | None,
        *model_args: Any,
        config: PretrainedConfig | None = None,
        state_dict: Mapping[str, Tensor] | None = None,
        dtype: torch.dtype | str | None = None,
        torch_dtype: torch.dtype | str | None = None,
        attn_implementation: str | None = None,
        device_map: Any = None,
        ignore_mismatched_sizes: bool = False,
        output_loading_info: bool = False,
        from_tf: bool = False,
        from_flax: bool = False,
        use_safetensors: bool | None = None,
        variant: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """The model with the weights of a checkpoint, in evaluation mode. Keywords as of
        `PreTrainedModel`."""
        repository = kwargs.pop("_repository", None)
        options = HubOptions.pop_from(kwargs)
        if repository is None and pretrained_model_name_or_path is not None:
            repository = Repository(pretrained_model_name_or_path, options=options)
        _refuse_arguments(model_args, device_map)
        assert config is not None
        config = copy.deepcopy(config)
        for name in list(kwargs):
            if hasattr(config, name) and not name.startswith("_"):
                setattr(config, name, kwargs.pop(name))
        source: WeightSource
        if repository is None:
            source = DictSource(state_dict or {})
        else:
            source = open_weights(
                repository,
                variant=variant,
                use_safetensors=use_safetensors,
                from_tf=from_tf,
                from_flax=from_flax,
            )
        with source:
            wanted = dtype_of(dtype if dtype is not None else torch_dtype, config, source)
            generation = generation_settings(repository)
            model = cls(config, cls._recipe(config, wanted, attn_implementation, generation))
            report = load_weights(
                model,
                source,
                dtype=wanted,
                ignore_mismatched_sizes=ignore_mismatched_sizes,
                rebuild=model._initialised,
            )
            model._settle(wanted)
        if repository is not None:
            model.name_or_path = config.name_or_path = repository.name
        model.eval()
        return (model, report.loading_info()) if output_loading_info else model

    @classmethod
    def _from_config(
        cls,
        config: PretrainedConfig,
        *,
        attn_implementation: str | None = None,
        dtype: torch.dtype | str | None = None,
        torch_dtype: torch.dtype | str | None = None,
        **kwargs: Any,
    ) -> Self:
        """The model with the weights that its own code initialises, in training mode."""
        config = copy.deepcopy(config)
        source = DictSource({}, description="no file")
        wanted = dtype_of(dtype if dtype is not None else torch_dtype, config, source)
        model = cls(config, cls._recipe(config, wanted, attn_implementation, {}))
        load_weights(model, source, dtype=wanted, rebuild=model._initialised, log=False)
        model._settle(wanted)
        return model

    @classmethod
    def _recipe(
        cls,
        config: PretrainedConfig,
        dtype: torch.dtype,
        attention: str | None,
        generation: Mapping[str, Any],
    ) -> Recipe:
        return Recipe(
            code=cls._code,
            config_code=getattr(type(config), "_code", None),
            values=config.to_dict(),
            dtype=dtype,
            attention=attention or config._attn_implementation,
            generation=generation,
            policy=cls._context.policy,
        )

    def _initialised(self) -> nn.Module:
        """A second tree with the values that the model's own code gives all parameters."""
        session = self._session_now()
        tree = nn.Module()
        found = parts.grow(tree, session.rows, session.description["modules"])
        values = session.initial_values(list(found))
        for row in session.rows:
            for name in (row.name, *row.aliases):
                path, _, leaf = name.rpartition(".")
                trainable = found[row.name].requires_grad
                tree.get_submodule(path)._parameters[leaf] = nn.Parameter(values[row.name], trainable)
        return tree

    def _settle(self, dtype: torch.dtype) -> None:
        """Bind the loaded weights into the sandbox."""
        self.config.dtype = str(dtype).removeprefix("torch.")
        self._session_now().bind(self._by_name(), self._buffers_by_name())

    # Calling

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The repository's forward. Differentiable in parameters and inputs, once."""
        return self._run("__call__", args, kwargs)

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        """The model's own ``generate``: one call, the loop runs inside."""
        settings = kwargs.pop("generation_config", None)
        if settings is not None:
            kwargs = {**settings.to_diff_dict(), **kwargs}
        kwargs = {**self._settings_changed(), **kwargs}
        with torch.no_grad():
            return self._run("generate", args, kwargs)

    def restart(self) -> None:
        """Start a fresh worker with the weights as they are now. What its code kept beside them is lost."""
        old = self._session_now()
        buffers = self._buffers_by_name()
        session = ModelSession(old.recipe)
        if session.rows != old.rows:
            raise SandboxError("the sandboxed model is built differently each time; it cannot be restarted")
        old.close()
        self.__dict__["_session"] = session
        session.bind(self._by_name(), buffers)

    def close(self) -> None:
        """End the worker. The parameters stay; `restart` brings the model back."""
        self._session_now().close()

    @property
    def sandbox_log(self) -> str:
        """The last that the code printed, control characters spelled out."""
        return self._session_now().worker.log

    def _run(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        session = self._session_now()
        with session.worker.lock:
            if session.stale:
                self.restart()
                session = self._session_now()
            self.__dict__["_buffers_moved"] = True
            return session.call(
                method,
                args,
                kwargs,
                training=self.training,
                parameters=self._by_name(),
                buffers=self._buffers_by_name(),
            )

    def _session_now(self) -> ModelSession:
        session: ModelSession = self.__dict__["_session"]
        return session

    def _by_name(self) -> dict[str, nn.Parameter]:
        found: Any = {name: owner._parameters[leaf] for name, owner, leaf in self.__dict__["_places"][0]}
        return found  # type: ignore[no-any-return]

    def _buffers_by_name(self) -> dict[str, Tensor]:
        found: Any = {name: owner._buffers[leaf] for name, owner, leaf in self.__dict__["_places"][1]}
        return found  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("_methods", ()):

            def method(*args: Any, **kwargs: Any) -> Any:
                return self._run(name, args, kwargs)

            method.__name__ = name
            return method
        return super().__getattr__(name)

    # State

    def pull_buffers(self) -> None:
        """Bring the buffers that calls have changed (running statistics) from the sandbox."""
        session = self._session_now()
        if not self.__dict__.get("_buffers_moved") or not session.worker.alive:
            return
        self.__dict__["_buffers_moved"] = False
        values, _ = session.buffers()
        here = self._buffers_by_name()
        with torch.no_grad():
            for name, value in values.items():
                if name in here and here[name].shape == value.shape and here[name].dtype == value.dtype:
                    here[name].copy_(value)
        session.note_buffers(here)

    def named_buffers(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, Tensor]]:
        self.pull_buffers()
        return super().named_buffers(*args, **kwargs)

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        self.pull_buffers()
        return super().state_dict(*args, **kwargs)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self.pull_buffers()
        probe = fn(torch.empty(0))
        if probe.device.type != "cpu":
            raise SandboxError(
                f"the sandbox computes on the CPU only for now; .to({str(probe.device)!r}) needs the code in "
                "process: approve it, then pass sandbox=False"
            )
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        *,
        state_dict: Mapping[str, Tensor] | None = None,
        max_shard_size: int | str = "5GB",
        safe_serialization: bool = True,
        variant: str | None = None,
    ) -> None:
        """Write config, weights and the code files, so that the folder loads as the repository did."""
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        self.pull_buffers()
        save_weights(
            self,
            folder,
            max_shard_size=max_shard_size,
            safe_serialization=safe_serialization,
            variant=variant,
            state_dict=state_dict,
        )
        recipe = self._session_now().recipe
        self.config.architectures = [recipe.code.reference.class_name]
        write_code(folder, self.config, [recipe.code, *([recipe.config_code] if recipe.config_code else [])])
        if self.generation_config is not None and (recipe.generation or self._settings_changed()):
            self.generation_config.save_pretrained(folder)

    def _settings_changed(self) -> dict[str, Any]:
        """The generation settings that the program has changed since the model was loaded."""
        then = self._settings_then
        now = vars(self.generation_config) if self.generation_config is not None else {}
        return {name: value for name, value in now.items() if value != then.get(name)}

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises :class:`SandboxError`: the parameters of a sandboxed model keep their shapes."""
        raise SandboxError(
            "a sandboxed model keeps the shapes of its parameters; change them where its code runs in "
            "process (sandbox=False), or set vocab_size in the config and pass ignore_mismatched_sizes=True"
        )

    def set_input_embeddings(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises :class:`SandboxError`, as `resize_token_embeddings` does."""
        self.resize_token_embeddings()

    def push_to_hub(self, repo_id: str, **kwargs: Any) -> str:
        """Upload what `save_pretrained` writes; returns the address of the commit."""
        from zoo_core.hub import upload

        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return upload(folder, repo_id, **kwargs)

    # Questions

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    @property
    def dtype(self) -> torch.dtype:
        """Of the first floating-point parameter."""
        return next((p.dtype for p in self.parameters() if p.is_floating_point()), torch.float32)

    def num_parameters(self, only_trainable: bool = False) -> int:
        """Count of parameter elements; shared ones count once."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad or not only_trainable)

    def can_generate(self) -> bool:
        """Whether the repository's class has ``generate``."""
        return "generate" in self.__dict__["_methods"]

    def _get_name(self) -> str:
        return f"{self._code.reference.class_name} (sandboxed)"

    def __reduce__(self) -> NoReturn:
        raise SandboxError(
            "a sandboxed model can be neither pickled nor copied; save_pretrained and load it again"
        )

    def __deepcopy__(self, memo: Any) -> NoReturn:
        self.__reduce__()


def model_class(code: RemoteCode, context: LoadContext) -> type[SandboxedModel]:
    """A model class that stands for ``code``."""
    made: type[SandboxedModel] = type(
        code.reference.class_name,
        (SandboxedModel,),
        {"_code": code, "_context": context, "__module__": __name__},
    )
    return made


def _refuse_arguments(model_args: tuple[Any, ...], device_map: Any) -> None:
    if model_args:
        raise SandboxError("positional arguments of a sandboxed model's constructor are not passed on")
    if one_device(device_map) is not None:
        raise SandboxError(f"device_map={device_map!r}: the sandbox computes on the CPU only for now")
