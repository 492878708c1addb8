"""Masked autoencoder: a ViT sees some patches of an image, a small one restores the others."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.patch import interpolate_positions, pair
from zoo_core.nn.recording import unrecorded
from zoo_core.nn.stack import run_layers
from zoo_vision.vit.model import ViTEmbeddings, ViTLayer, ViTModel, ViTPreTrainedModel
from zoo_vision.vit_mae.config import ViTMAEConfig


class ViTMAEModelOutput(ModelOutput):
    """States (batch, 1 + kept patches, hidden), in the order of their noise.

    `mask` (batch, patches) is 1 where a patch is hidden; `ids_restore` (batch, patches) ranks their noise.
    """

    last_hidden_state: Tensor
    mask: Tensor | None = None
    ids_restore: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ViTMAEForPreTrainingOutput(ModelOutput):
    """`logits` (batch, patches, pixels x channels); the rest as in ViTMAEModelOutput."""

    loss: Tensor | None = None
    logits: Tensor
    mask: Tensor | None = None
    ids_restore: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ViTMAEPreTrainedModel(ViTPreTrainedModel):
    """What all classes share."""

    config_class: type[PretrainedConfig] = ViTMAEConfig

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, ViTMAEEmbeddings | ViTMAEDecoder):
            table, std = module.position_embeddings, self.config.initializer_range
            with torch.no_grad():
                table.copy_(fixed_positions(module.grid, table.shape[-1]))
            for name in ("cls_token", "mask_token"):
                if getattr(module, name, None) is not None:
                    nn.init.normal_(getattr(module, name), std=std)


def fixed_positions(grid: tuple[int, int], size: int) -> Tensor:
    """(1, 1 + cells, size): zeros, and of each cell the sines and cosines of its column and its row."""
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in grid)
    place = torch.cartesian_prod(rows, columns).view(-1, 2).flip(1)
    angles = place[..., None] / 10000.0 ** (torch.arange(size // 4, dtype=torch.float64) / (size // 4))
    table = torch.cat((angles.sin(), angles.cos()), dim=-1).flatten(1)
    return torch.cat((torch.zeros(1, size), table.float()))[None]


class ViTMAEEmbeddings(ViTEmbeddings):
    """A class token and patches, with fixed positions."""

    def __init__(self, config: Any, *, use_mask_token: bool = False) -> None:
        super().__init__(config)
        self.grid = self.patch_embeddings.grid
        self.position_embeddings.requires_grad_(False)


class ViTMAEModel(ViTModel, ViTMAEPreTrainedModel):
    """Embeddings of the patches that are kept, layers and a final norm."""

    embeddings_class = ViTMAEEmbeddings

    def __init__(self, config: Any) -> None:
        super().__init__(config, add_pooling_layer=False)

    def forward(  # type: ignore[override]
        self,
        pixel_values: Tensor | None = None,
        noise: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> ViTMAEModelOutput:
        """(batch, channels, height, width) to states (batch, 1 + kept patches, hidden).

        Args:
            noise: (batch, patches), the patches with the least are kept; random by default.
            head_mask: (heads,) or (layers, heads). interpolate_pos_encoding: take images of other sizes.
        """
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        hidden = self.embeddings(pixel_values, interpolate=interpolate_pos_encoding)
        shape = (hidden.shape[0], hidden.shape[1] - 1)
        if noise is None:
            noise = torch.rand(shape, device=hidden.device)
        if tuple(noise.shape) != shape:
            raise ValueError(f"noise is {tuple(noise.shape)}, but must be (batch, patches), here {shape}")
        order = noise.argsort(1)
        ranks, count = order.argsort(1), int(shape[1] * (1 - self.config.mask_ratio))
        kept = hidden[:, 1:].take_along_dim(order[:, :count, None], 1)
        hidden = torch.cat((hidden[:, :1], kept), dim=1)
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), head_mask=head_mask)
        mask = (ranks >= count).to(hidden.dtype)
        return ViTMAEModelOutput(last_hidden_state=self.norm(hidden), mask=mask, ids_restore=ranks)


class ViTMAEDecoder(nn.Module):
    """Layers over all patches, hidden ones as a learned vector."""

    hub_names: HubNames = {
        "embed": "decoder_embed",
        "position_embeddings": "decoder_pos_embed",
        "layers": "decoder_layers",
        "norm": "decoder_norm",
        "predict": "decoder_pred",
    }

    def __init__(self, config: Any, grid: tuple[int, int]) -> None:
        super().__init__()
        self.grid, size = grid, config.decoder_hidden_size
        rows, columns = pair(config.patch_size)
        own = copy.copy(config)
        own.hidden_size, own.num_attention_heads = size, config.decoder_num_attention_heads
        own.intermediate_size = config.decoder_intermediate_size
        self.embed = nn.Linear(config.hidden_size, size)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, size))
        places = torch.zeros(1, 1 + grid[0] * grid[1], size)
        self.position_embeddings = nn.Parameter(places, requires_grad=False)
        self.layers = nn.ModuleList(ViTLayer(own) for _ in range(config.decoder_num_hidden_layers))
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.predict = nn.Linear(size, rows * columns * config.num_channels)

    def forward(self, seen: Tensor, ranks: Tensor) -> Tensor:
        """Predictions (batch, patches, pixels x channels), from states (batch, 1 + kept patches, hidden)."""
        x = self.embed(seen)
        hidden = self.mask_token.expand(len(x), ranks.shape[1] + 1 - x.shape[1], -1).to(x.dtype)
        patches = torch.cat((x[:, 1:], hidden), dim=1).take_along_dim(ranks[..., None], 1)
        x = torch.cat((x[:, :1], patches), dim=1)
        # as released, the rows of another image's size are taken as one
        cells = (1, self.grid[0] * self.grid[1])
        x = x + interpolate_positions(self.position_embeddings, cells, (1, ranks.shape[1]))
        with unrecorded():
            x = run_layers(self.layers, x, AttentionContext(x))
        return self.predict(self.norm(x))[:, 1:]


class ViTMAEForPreTraining(Headed, ViTMAEPreTrainedModel):
    """The autoencoder; the loss is the mean squared error of hidden patches' pixels."""

    base_class = ViTMAEModel

    def build_head(self, config: PretrainedConfig) -> None:
        self.decoder = ViTMAEDecoder(config, self.model.embeddings.grid)

    def forward(
        self, pixel_values: Tensor | None = None, noise: Tensor | None = None, **inputs: Any
    ) -> ViTMAEForPreTrainingOutput:
        """See `ViTMAEModel`."""
        outputs = self.model(pixel_values, noise, **inputs)
        assert pixel_values is not None
        logits = self.decoder(outputs.last_hidden_state, outputs.ids_restore)
        errors = (logits - self.patchify(pixel_values)).square().mean(-1)
        loss = (errors * outputs.mask).sum() / outputs.mask.sum()
        return ViTMAEForPreTrainingOutput.carry(outputs, loss=loss, logits=logits)

    def patchify(self, pixel_values: Tensor) -> Tensor:
        """(batch, patches, pixels x channels), each patch's with mean 0 and variance 1 where wanted."""
        rows, columns = pair(self.config.patch_size)
        x = pixel_values.unfold(2, rows, rows).unfold(3, columns, columns).permute(0, 2, 3, 4, 5, 1)
        x = x.flatten(1, 2).flatten(2)
        if self.config.norm_pix_loss:
            x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-6).sqrt()
        return x
