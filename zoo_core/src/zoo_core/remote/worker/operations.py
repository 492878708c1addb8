"""What a worker can be asked: import code, build objects from it, call them, differentiate, forget."""

from __future__ import annotations

import base64
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

import torch

from zoo_core.remote import loading
from zoo_core.remote.facade.modules import Facade
from zoo_core.remote.wire.arena import Arena
from zoo_core.remote.wire.codec import Decoder, Encoder
from zoo_core.remote.worker.graphs import Graphs
from zoo_core.remote.worker.importer import PrivatePackage
from zoo_core.remote.worker.models import ModelHost


class Operations:
    """The state of one worker: packages, one model or other object, things kept for the program."""

    def __init__(self, descriptors: dict[str, int], sizes: dict[str, int]) -> None:
        self._descriptors = descriptors
        self.inbox = Arena(descriptors["inbox"], sizes["inbox"], writable=False)
        self.outbox = Arena(descriptors["outbox"], sizes["outbox"], writable=True)
        self._facade = Facade()
        self._packages: dict[str, PrivatePackage] = {}
        self._kept: dict[int, Any] = {}
        self._next_kept = 1
        self._graphs = Graphs()
        self.model: ModelHost | None = None
        self.object: Any = None

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request."""
        self.outbox.reset()
        for number in request.get("forget", ()):
            self._kept.pop(number, None)
            self._graphs.forget(number)
        return self._OPERATIONS[request["op"]](self, request)

    def _decode(self, value: Any) -> tuple[Any, Decoder]:
        decoder = Decoder(self.inbox, kept=lambda number, _: self._kept[number])
        return decoder.decode(value), decoder

    def _keep(self, value: Any) -> dict[str, Any]:
        number, self._next_kept = self._next_kept, self._next_kept + 2
        self._kept[number] = value
        return {"h": [number, type(value).__name__[:200]]}

    def _encode(self, value: Any) -> Any:
        return Encoder(self.outbox, keep=self._keep).encode(value)

    def _class(self, where: list[str]) -> Any:
        package, filename, name = where
        module = self._packages[package].load(filename)
        found = getattr(module, name, None)
        if not isinstance(found, type):
            raise ImportError(f"{filename} defines no class {name}")
        return found

    def _import(self, request: dict[str, Any]) -> dict[str, Any]:
        files = {name: base64.b64decode(data) for name, data in request["files"].items()}
        name = request["package"]
        if name not in self._packages:
            self._packages[name] = PrivatePackage(
                name, {}, origin=request["origin"], facade=self._facade, visible=True
            )
        self._packages[name].add(files)
        return {}

    def _config(self, request: dict[str, Any]) -> dict[str, Any]:
        values, _ = self._decode(request["value"])
        config = self._class(request["class"]).from_dict(values)
        return {
            "value": self._encode(config.to_dict()),
            "attribute_map": self._encode(dict(getattr(type(config), "attribute_map", {}))),
            "model_type": str(getattr(type(config), "model_type", "")),
        }

    def _make_config(self, request: dict[str, Any]) -> Any:
        values, _ = self._decode(request["config"])
        if request["config_class"] is not None:
            return self._class(request["config_class"]).from_dict(values)
        config_class = getattr(self._class(request["class"]), "config_class", None)
        if config_class is None:
            from zoo_core.remote.facade.configuration import native_config

            return native_config(values)
        return config_class.from_dict(values)

    def _build(self, request: dict[str, Any]) -> dict[str, Any]:
        dtype = self._decode(request["dtype"])[0]
        config = self._make_config(request)
        config._attn_implementation = request["attention"]
        self.model = ModelHost(self._class(request["class"]), config, dtype)
        self.model.take_generation(self._decode(request["generation"])[0])
        return self._encode_plain(self.model.description())

    def _encode_plain(self, value: dict[str, Any]) -> dict[str, Any]:
        return {"value": self._encode(value)}

    @property
    def _built(self) -> ModelHost:
        if self.model is None:
            raise RuntimeError("no model was built in this worker")
        return self.model

    def _table(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"rows": self._built.table(request["start"], request["count"])}

    def _buffers(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._encode_plain(self._built.buffers())

    def _initial(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("rng") is not None:
            torch.set_rng_state(self._decode(request["rng"])[0])
        names, _ = self._decode(request["value"])
        return self._encode_plain(self._built.initial_values(names, done=request["done"]))

    def _bind(self, request: dict[str, Any]) -> dict[str, Any]:
        self._built.bind(self._descriptors["weights"], request["size"], request["tensors"])
        return {}

    def _set_buffers(self, request: dict[str, Any]) -> dict[str, Any]:
        self._built.set_buffers(self._decode(request["value"])[0])
        return {}

    def _call(self, request: dict[str, Any]) -> dict[str, Any]:
        (args, kwargs), decoder = self._decode(request["value"])
        target = self._built.module if self.model is not None else self.object
        state = self._prepare(target, request)
        for tensor in decoder.marked:
            tensor.requires_grad_()
        with torch.set_grad_enabled(request["grad"]):
            result = attrgetter(request["method"])(target)(*args, **kwargs)
        encoder = Encoder(
            self.outbox,
            keep=self._keep,
            tracked=(lambda tensor: tensor.requires_grad) if request["grad"] else None,
        )
        answer: dict[str, Any] = {"value": encoder.encode(result)}
        if state is not None:
            answer["drew"] = not torch.equal(state, torch.get_rng_state())
        if encoder.marked:
            inputs = [*decoder.marked, *(self._built.parameters[name] for name in request["parameters"])]
            self._graphs.remember(request["graph"], encoder.marked, inputs)
        return answer

    def _prepare(self, target: Any, request: dict[str, Any]) -> torch.Tensor | None:
        """Set mode, trainable parameters and random state as the program has them."""
        if self.model is not None:
            if request["training"] is not None and target.training != request["training"]:
                target.train(request["training"])
            if request["trainable"] is not None:
                trainable = set(request["trainable"])
                for name, parameter in self.model.parameters.items():
                    parameter.requires_grad_(name in trainable)
        if request.get("rng") is None:
            return None
        state: torch.Tensor = self._decode(request["rng"])[0]
        torch.set_rng_state(state)
        return state

    def _backward(self, request: dict[str, Any]) -> dict[str, Any]:
        gradients, _ = self._decode(request["value"])
        return {"value": self._encode(self._graphs.backward(request["graph"], gradients))}

    def _new(self, request: dict[str, Any]) -> dict[str, Any]:
        (folder, kwargs), _ = self._decode(request["value"])
        parts = request["parts"]
        if parts:
            loading.inside = lambda auto_class, reference: self._class(parts[auto_class])
            kwargs["trust_remote_code"] = True
        self.object = self._class(request["class"]).from_pretrained(folder, **kwargs)
        methods = [name for name in dir(type(self.object)) if not name.startswith("_")]
        callables = [name for name in methods if callable(getattr(type(self.object), name, None))]
        return {"value": self._encode({"methods": callables[:1000], "class": type(self.object).__name__})}

    def _get(self, request: dict[str, Any]) -> dict[str, Any]:
        target = self._built.module if self.model is not None else self.object
        return {"value": self._encode(attrgetter(request["name"])(target))}

    def _settings(self, request: dict[str, Any]) -> dict[str, Any]:
        """What the tokenizer that was made, or is a part of what was made, would write of itself."""
        from zoo_core.tokenization import PreTrainedTokenizerBase
        from zoo_core.tokenization.saving import config_of

        found = getattr(self.object, "tokenizer", self.object)
        if not isinstance(found, PreTrainedTokenizerBase):
            return {"value": None}
        return {"value": self._encode({**config_of(found), "chat_template": found.chat_template})}

    def _set(self, request: dict[str, Any]) -> dict[str, Any]:
        target = self._built.module if self.model is not None else self.object
        setattr(target, request["name"], self._decode(request["value"])[0])
        return {}

    def _unpickle(self, request: dict[str, Any]) -> dict[str, Any]:
        from zoo_core.remote.worker.pickles import read_pickle

        self.object = read_pickle(self._descriptors["extra0"])
        return {"rows": self.object.rows()}

    def _pickled(self, request: dict[str, Any]) -> dict[str, Any]:
        return self._encode_plain(self.object.tensors(self._decode(request["value"])[0]))

    def _ping(self, request: dict[str, Any]) -> dict[str, Any]:
        return {}

    _OPERATIONS: Final[dict[str, Callable[[Operations, dict[str, Any]], dict[str, Any]]]] = {
        "import": _import, "config": _config, "build": _build, "table": _table, "buffers": _buffers,
        "initial": _initial, "bind": _bind, "set_buffers": _set_buffers, "call": _call, "new": _new,
        "backward": _backward, "get": _get, "set": _set, "unpickle": _unpickle, "pickled": _pickled,
        "ping": _ping, "settings": _settings,
    }  # fmt: skip
