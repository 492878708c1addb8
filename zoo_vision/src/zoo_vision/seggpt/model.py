"""SegGPT: paints the mask of an image as an example above it shows."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.checkpoint.ops import Fused
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.drop_path import DropPath, drop_rates
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, interpolate_positions, pair
from zoo_core.nn.recording import HIDDEN_STATES, record
from zoo_vision.nn.axis_bias import AxisBiasAttention
from zoo_vision.nn.norm import ChannelNorm
from zoo_vision.seggpt.config import SegGptConfig


class SegGptEncoderOutput(ModelOutput):
    """States (batch, rows, columns, hidden), and `intermediate_hidden_states`, those of chosen layers."""

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    intermediate_hidden_states: tuple[Tensor, ...] | None = None


class SegGptImageSegmentationOutput(ModelOutput):
    """`pred_masks` (batch, 3, 2 x height, width): the prompt's mask above the image's."""

    loss: Tensor | None = None
    pred_masks: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class SegGptEmbeddings(nn.Module):
    """Patches of images and of masks, the latter hidden where they are to be painted."""

    def __init__(self, config: SegGptConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.patch_embeddings = PatchEmbedding(
            config.image_size, config.patch_size, config.num_channels, size
        )
        side = config.pretrain_image_size // config.patch_size
        self.trained = (side, side)
        self.position_embeddings = nn.Parameter(torch.zeros(1, 1 + side * side, size))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, 1, size))
        self.segment_token_input = nn.Parameter(torch.zeros(1, 1, 1, size))
        self.segment_token_prompt = nn.Parameter(torch.zeros(1, 1, 1, size))
        self.type_token_semantic = nn.Parameter(torch.zeros(1, 1, 1, size))
        self.type_token_instance = nn.Parameter(torch.zeros(1, 1, 1, size))
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, images: Tensor, masks: Tensor, hidden_patches: Tensor, kind: str) -> Tensor:
        """(2 x batch, rows, columns, hidden) of images and masks (batch, 3, 2 x height, width)."""
        grid = self.patch_embeddings.grid
        first = self.patch_embeddings(images).unflatten(1, grid)
        second = self.patch_embeddings(masks).unflatten(1, grid)
        hidden = hidden_patches.view(-1, *grid, 1).to(second.dtype)
        second = second * (1 - hidden) + self.mask_token * hidden
        places = interpolate_positions(self.position_embeddings[:, 1:], self.trained, grid, prefix=0)
        places = places.unflatten(1, grid)
        named = self.type_token_semantic if kind == "semantic" else self.type_token_instance
        first = first + self.segment_token_input + places + named
        second = second + self.segment_token_prompt + places + named
        return self.dropout(torch.cat((first, second)))


class SegGptLayer(nn.Module):
    """Attention with relative positions and a feed-forward block."""

    hub_names: HubNames = {
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused("attention.qkv"),
        "self_attn": "attention",
        "self_attn.o_proj": "attention.proj",
        "input_layernorm": "layernorm_before",
        "post_attention_layernorm": "layernorm_after",
        "mlp.fc1": "mlp.lin1",
        "mlp.fc2": "mlp.lin2",
    }

    def __init__(self, config: SegGptConfig, drop_path: float) -> None:
        super().__init__()
        size, eps, patch = config.hidden_size, config.layer_norm_eps, config.patch_size
        height, width = pair(config.image_size)
        self.self_attn = AxisBiasAttention(
            size,
            config.num_attention_heads,
            grid=(height // patch, width // patch) if config.use_relative_position_embeddings else None,
            bias=config.qkv_bias,
        )
        self.input_layernorm = nn.LayerNorm(size, eps=eps)
        self.post_attention_layernorm = nn.LayerNorm(size, eps=eps)
        self.mlp = MLP(size, config.mlp_dim or 4 * size, config.hidden_act)
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor, ensemble: int) -> Tensor:
        """States (batch, rows, columns, hidden); see `ensembled`."""
        y = self.self_attn.over(self.input_layernorm(x))
        x = x + self.drop_path(ensembled(y, ensemble) if ensemble else y)
        return x + self.drop_path(self.mlp(self.post_attention_layernorm(x)))


def ensembled(x: Tensor, streams: int) -> Tensor:
    """The lower half of each map (batch, rows, columns, hidden) as the mean over the examples of a stream."""
    if len(x) // 2 < streams:
        return x
    prompt, image = x.chunk(2, dim=1)
    parts = image.unflatten(0, (streams, -1))
    mean = parts.mean(1, keepdim=True).expand_as(parts).flatten(0, 1)
    return torch.cat((prompt, mean), dim=1)


class SegGptPreTrainedModel(PreTrainedModel):
    """What all SegGPT classes share."""

    config_class = SegGptConfig
    base_model_prefix = "model"
    main_input_name = "pixel_values"


def lower_half(config: SegGptConfig, device: torch.device) -> Tensor:
    """(1, patches) bool: those of the image below its prompt."""
    height, width = pair(config.image_size)
    count = (height // config.patch_size) * (width // config.patch_size)
    return (torch.arange(count, device=device) >= count // 2)[None]


class SegGptModel(SegGptPreTrainedModel):
    """Embeddings and layers, of which the first see images and masks apart."""

    hub_names: HubNames = {"layers": "encoder.layers", "norm": "encoder.layernorm"}

    def __init__(self, config: SegGptConfig) -> None:
        super().__init__(config)
        self.embeddings = SegGptEmbeddings(config)
        rates = drop_rates(config.drop_path_rate, config.num_hidden_layers)
        self.layers = nn.ModuleList(SegGptLayer(config, rate) for rate in rates)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.patch_embeddings

    def forward(
        self,
        pixel_values: Tensor,
        prompt_pixel_values: Tensor,
        prompt_masks: Tensor,
        bool_masked_pos: Tensor | None = None,
        feature_ensemble: bool | None = None,
        embedding_type: str | None = None,
        *,
        labels: Tensor | None = None,
    ) -> SegGptEncoderOutput:
        """Images, example images and their painted masks, (batch, 3, height, width) each, to states.

        Args:
            bool_masked_pos: (batch, patches), patches of the masks that are hidden; by default those of the
                image.
            feature_ensemble: the batch holds one image several times, with different examples.
            embedding_type: "instance", the default, or "semantic".
            labels: masks of the images, for training.
        """
        config = self.config
        if embedding_type not in (None, "instance", "semantic"):
            raise ValueError(f"embedding_type is {embedding_type!r}; it must be 'instance' or 'semantic'")
        images = torch.cat((prompt_pixel_values, pixel_values), dim=2)
        masks = torch.cat((prompt_masks, prompt_masks if labels is None else labels), dim=2)
        if bool_masked_pos is None:
            bool_masked_pos = lower_half(config, images.device)
        x = self.embeddings(images, masks, bool_masked_pos, embedding_type or "instance")
        chosen = []
        for i, layer in enumerate(self.layers):
            record(HIDDEN_STATES, x)
            streams = 2 if i < config.merge_index else 1
            x = layer(x, streams if feature_ensemble else 0)
            if i == config.merge_index:
                x = (x[: len(x) // 2] + x[len(x) // 2 :]) / 2
            if i in config.intermediate_hidden_state_indices:
                chosen.append(self.norm(x))
        record(HIDDEN_STATES, x)
        return SegGptEncoderOutput(last_hidden_state=x, intermediate_hidden_states=tuple(chosen))


class SegGptDecoder(nn.Module):
    """States of several layers to pixels."""

    hub_names: HubNames = {
        "conv": "decoder_pred.conv",
        "norm": "decoder_pred.layernorm",
        "head": "decoder_pred.head",
    }

    def __init__(self, config: SegGptConfig) -> None:
        super().__init__()
        width, self.patch = config.decoder_hidden_size, config.patch_size
        size = config.hidden_size * len(config.intermediate_hidden_state_indices)
        self.decoder_embed = nn.Linear(size, self.patch**2 * width)
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.norm = ChannelNorm(width, config.layer_norm_eps)
        self.act = activation(config.hidden_act)
        self.head = nn.Conv2d(width, 3, 1)

    def forward(self, states: Tensor) -> Tensor:
        """(batch, rows, columns, hidden) to (batch, 3, rows x patch, columns x patch)."""
        x = self.decoder_embed(states).unflatten(-1, (self.patch, self.patch, -1))
        x = x.permute(0, 5, 1, 3, 2, 4).flatten(4, 5).flatten(2, 3)
        return self.head(self.act(self.norm(self.conv(x))))


class SegGptForImageSegmentation(SegGptPreTrainedModel):
    """SegGPT with the decoder that paints."""

    def __init__(self, config: SegGptConfig) -> None:
        super().__init__(config)
        self.model, self.decoder = SegGptModel(config), SegGptDecoder(config)
        self.post_init()

    def forward(
        self,
        pixel_values: Tensor,
        prompt_pixel_values: Tensor,
        prompt_masks: Tensor,
        bool_masked_pos: Tensor | None = None,
        feature_ensemble: bool | None = None,
        embedding_type: str | None = None,
        *,
        labels: Tensor | None = None,
    ) -> SegGptImageSegmentationOutput:
        """See `SegGptModel`; the loss is of pixels of hidden patches."""
        if bool_masked_pos is None:
            bool_masked_pos = lower_half(self.config, pixel_values.device)
        outputs = self.model(
            pixel_values,
            prompt_pixel_values,
            prompt_masks,
            bool_masked_pos,
            feature_ensemble,
            embedding_type,
            labels=labels,
        )
        painted = self.decoder(torch.cat(outputs.intermediate_hidden_states, dim=-1))
        loss = None
        if labels is not None:
            goal = torch.cat((prompt_masks, labels), dim=2)
            grid, patch = self.model.embeddings.patch_embeddings.grid, self.config.patch_size
            hidden = bool_masked_pos.view(-1, 1, *grid).to(painted)
            hidden = hidden.repeat_interleave(patch, 2).repeat_interleave(patch, 3).expand(-1, 3, -1, -1)
            losses = F.smooth_l1_loss(painted, goal, reduction="none", beta=self.config.beta)
            # as released, a mask that all images share counts once, so that the loss grows with the batch
            loss = (losses * hidden).sum() / hidden.sum()
        return SegGptImageSegmentationOutput.carry(outputs, loss=loss, pred_masks=painted)
