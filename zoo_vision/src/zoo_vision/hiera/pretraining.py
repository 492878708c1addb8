"""Pre-training of Hiera: pixels of hidden units from the visible ones (https://arxiv.org/abs/2111.06377)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.errors import ConfigError
from zoo_core.heads.base import Headed
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.recording import HIDDEN_STATES, unrecorded, wants
from zoo_vision.hiera.config import HieraConfig
from zoo_vision.hiera.model import HieraLayer, HieraModel, HieraPreTrainedModel


class HieraForPreTrainingOutput(ModelOutput):
    """`logits` (batch, cells, pixels x channels) of the last map's cells; the rest as in HieraModelOutput."""

    loss: Tensor | None = None
    logits: Tensor
    bool_masked_pos: Tensor | None = None
    ids_restore: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    reshaped_hidden_states: tuple[Tensor, ...] | None = None


class MultiScaleFusion(nn.Module):
    """The sum of each stage's map brought to the last one's size, unit by unit."""

    hub_names: HubNames = {"heads": "multi_scale_fusion_heads"}

    def __init__(self, config: HieraConfig) -> None:
        super().__init__()
        down, across = config.query_stride
        self.heads = nn.ModuleList()
        for stage in range(config.num_query_pool):
            pools = config.num_query_pool - stage
            kernel = (down**pools, across**pools)
            self.heads.append(nn.Conv2d(config.widths[stage], config.hidden_size, kernel, kernel))

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (batch, units, rows, columns, width), the last as large as a pooled unit, to one such map."""
        *early, fused = maps
        for head, x in zip(self.heads, early, strict=True):
            y = head(x.flatten(0, 1).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
            fused = fused + y.unflatten(0, x.shape[:2])
        return fused


class HieraDecoder(nn.Module):
    """Layers over all cells of the last map, hidden ones as a learned vector."""

    hub_names: HubNames = {
        "embed": "decoder_embeddings",
        "position_embeddings": "decoder_position_embeddings",
        "layers": "decoder_block.layers",
        "norm": "decoder_norm",
        "predict": "decoder_pred",
    }

    def __init__(self, config: HieraConfig) -> None:
        super().__init__()
        size, depth, heads = config.decoder_hidden_size, config.decoder_depth, config.decoder_num_heads
        if size is None or depth is None or heads is None:
            raise ConfigError(
                "pre-training needs decoder_hidden_size, decoder_depth and decoder_num_heads in the config, "
                "for example 512, 8 and 16"
            )
        self.stride = tuple(stride**config.num_query_pool for stride in config.query_stride)
        cells = config.grid[0] // self.stride[0] * (config.grid[1] // self.stride[1])
        pixels = pixels_of_cell(config)
        self.embed = nn.Linear(config.hidden_size, size)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, size))
        self.position_embeddings = nn.Parameter(torch.zeros(1, cells, size))
        self.layers = nn.ModuleList(HieraLayer(config, size, size, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.predict = nn.Linear(size, pixels**2 * config.num_channels)

    def forward(self, visible: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Predictions (batch, cells, pixels^2 x channels), and which cells (batch, cells) were visible.

        Args:
            visible: (batch, kept units, rows, columns, hidden). kept: (batch, rows, columns) of all units.
        """
        x = self.embed(visible)
        batch, _, rows, columns, size = x.shape
        cells = self.mask_token.to(x.dtype)[:, :, None, None].expand(*kept.shape, rows, columns, -1).clone()
        cells[kept] = x.flatten(0, 1)
        x = cells.transpose(2, 3).reshape(batch, -1, size) + self.position_embeddings
        with unrecorded():
            for layer in self.layers:
                x = layer(x)
        seen = kept[:, :, None, :, None].expand(-1, -1, rows, -1, columns).reshape(batch, -1)
        return self.predict(self.norm(x)), seen


def pixels_of_cell(config: HieraConfig) -> int:
    """The side in pixels of a cell of the last map."""
    return config.patch_stride[-1] * config.query_stride[-1] ** config.num_query_pool


class HieraForPreTraining(Headed, HieraPreTrainedModel):
    """Hiera that reconstructs hidden units of an image."""

    base_class = HieraModel
    base_options = {"add_pooling_layer": False, "is_mae": True}
    head_names = {"norm": "encoder_norm"}

    def build_head(self, config: PretrainedConfig) -> None:
        assert isinstance(config, HieraConfig)
        unit = [stride ** (len(config.depths) - 1) for stride in config.query_stride]
        if config.masked_unit_size != unit:
            raise ConfigError(
                f"pre-training hides the cells that pooling joins over all stages, {unit}, but "
                f"masked_unit_size is {config.masked_unit_size}"
            )
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.multiscale_fusion = MultiScaleFusion(config)
        self.decoder = HieraDecoder(config)

    def forward(
        self,
        pixel_values: Tensor | None = None,
        noise: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        interpolate_pos_encoding: bool | None = None,
    ) -> HieraForPreTrainingOutput:
        """The loss is the mean squared error of hidden cells' pixels; inputs as of `HieraModel`."""
        config = self.config
        outputs = self.model(
            pixel_values,
            noise,
            head_mask=head_mask,
            interpolate_pos_encoding=interpolate_pos_encoding,
            output_hidden_states=True,
        )
        assert pixel_values is not None
        maps = outputs.reshaped_hidden_states
        fused = self.multiscale_fusion([*maps[1 : config.num_query_pool + 1], maps[-1]])
        kept = outputs.bool_masked_pos.unflatten(1, self.model.units(pixel_values))
        logits, seen = self.decoder(self.norm(fused), kept)
        wanted = self._pixels(pixel_values)[~seen]
        loss = (logits[~seen] - wanted).square().mean()
        if not wants(HIDDEN_STATES):
            outputs.pop("hidden_states")
            outputs.pop("reshaped_hidden_states")
        return HieraForPreTrainingOutput.carry(outputs, loss=loss, logits=logits, bool_masked_pos=seen)

    def _pixels(self, pixel_values: Tensor) -> Tensor:
        """(batch, cells, channels x pixels^2), each cell's with mean 0 and variance 1 where wanted."""
        side = pixels_of_cell(self.config)
        x = pixel_values.unfold(2, side, side).unfold(3, side, side).permute(0, 2, 3, 1, 4, 5)
        x = x.flatten(1, 2).flatten(2)
        if self.config.normalize_pixel_loss:
            x = (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-6).sqrt()
        return x
