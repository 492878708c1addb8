"""OmDet-Turbo's texts: a vector for each class, all tokens of each task, and a memory of both."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from torch import Tensor, nn

from zoo_core.modeling.parts import build_part
from zoo_multimodal.omdet_turbo.config import OmDetTurboConfig


class OmDetTurboLanguageBackbone(nn.Module):
    """A text model, and a projection of what it makes of classes.

    What it made of a text is remembered, so that the next image is not kept waiting for the same classes:
    outside of training and of gradients, and as long as no weight changes.
    """

    def __init__(self, config: OmDetTurboConfig) -> None:
        super().__init__()
        self.model = build_part(config.text_config)
        self.text_projection = nn.Parameter(
            torch.empty(config.text_projection_in_dim, config.text_projection_out_dim)
        )
        self.reset_parameters()
        self.remembered: dict[Hashable, Tensor] = {}
        self.stamp: Hashable = None
        self.capacity = config.cache_size

    def reset_parameters(self) -> None:
        nn.init.normal_(self.text_projection, std=self.text_projection.shape[0] ** -0.5)

    def forward(
        self,
        class_ids: Tensor,
        task_ids: Tensor,
        task_mask: Tensor,
        counts: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Classes (batch, most classes, width), zeros where an image has fewer; tasks and their mask.

        Args:
            class_ids: (classes of all images, sequence). counts: (batch,), how many are whose.
            task_ids, task_mask: (batch, sequence).
        """
        vectors = self.remember("class", class_ids, self.embed_classes)
        own = vectors.split(counts.tolist())
        classes = nn.utils.rnn.pad_sequence(list(own), batch_first=True)
        tasks = self.remember("task", task_ids, self.embed_tokens)
        return classes, tasks, task_mask

    def embed_classes(self, input_ids: Tensor) -> Tensor:
        """(texts, width) of ids (texts, sequence): where a text ends, at the token of the highest id."""
        ends = input_ids.argmax(-1)[:, None, None]
        return self.embed_tokens(input_ids).take_along_dim(ends, 1)[:, 0] @ self.text_projection

    def embed_tokens(self, input_ids: Tensor) -> Tensor:
        """(texts, sequence, width) of ids (texts, sequence)."""
        out = self.model(input_ids, output_hidden_states=False, output_attentions=False)
        return out.last_hidden_state

    def remember(self, kind: str, input_ids: Tensor, embed: Callable[[Tensor], Tensor]) -> Tensor:
        """What `embed` makes of each row of ids, from memory where it can be."""
        if self.training or torch.is_grad_enabled() or torch.compiler.is_compiling() or self.capacity < 1:
            return embed(input_ids)
        stamp = self._stamp()
        if stamp != self.stamp:
            self.stamp, self.remembered = stamp, {}
        keys = [(kind, *row) for row in input_ids.tolist()]
        known = {key: value for key in keys if (value := self.remembered.pop(key, None)) is not None}
        new = {key: i for i, key in enumerate(keys) if key not in known}
        if new:
            known.update(zip(new, embed(input_ids[list(new.values())]), strict=True))
        self.remembered.update(known)  # the latest stand last; threads at most read a text twice
        for key in list(self.remembered)[: -self.capacity]:
            self.remembered.pop(key, None)
        return torch.stack([known[key] for key in keys])

    def _stamp(self) -> Hashable:
        """Differs whenever a weight has been changed in place, moved or replaced, and by autocast."""
        weight = self.text_projection
        device = weight.device.type
        cast = torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device)
        state = tuple((p.data_ptr(), 0 if p.is_inference() else p._version) for p in self.parameters())
        return weight.device, weight.dtype, cast, hash(state)
