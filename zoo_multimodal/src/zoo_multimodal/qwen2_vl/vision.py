"""The image tower of Qwen2-VL: patches of images and videos of any size, four merged to one feature."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused, Reshaped
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.rotary_multi import GridRotary
from zoo_core.nn.stack import run_layers
from zoo_multimodal.packed import PackedAttention, check_grid, grid_places
from zoo_multimodal.qwen2_vl.config import Qwen2VLVisionConfig

Grid = Sequence[Sequence[int]]


class VisionLayer(PreNormLayer):
    """Attention within a frame and a feed-forward block."""

    hub_names = {
        ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"): Fused("attn.qkv"),
        "self_attn.o_proj": "attn.proj",
        "input_layernorm": "norm1",
        "post_attention_layernorm": "norm2",
    }


class PatchProjection(nn.Module):
    """A linear map of flattened patches, which files hold as a convolution that steps by its own size."""

    def __init__(self, channels: int, frames: int, side: int, width: int, *, bias: bool = False) -> None:
        super().__init__()
        self.hub_names = {"proj.weight": Reshaped("proj.weight", (width, channels, frames, side, side))}
        self.proj = nn.Linear(channels * frames * side * side, width, bias=bias)

    def forward(self, patches: Tensor) -> Tensor:
        return self.proj(patches.to(self.proj.weight.dtype))


class PatchMerger(nn.Module):
    """The features of `area` neighbouring patches, normalised, as one of width `hidden_size`."""

    hub_names = {"norm": "ln_q", "mlp.fc1": "mlp.0", "mlp.fc2": "mlp.2"}

    def __init__(self, width: int, area: int, hidden_size: int, norm: NormFactory) -> None:
        super().__init__()
        self.norm, self.area = norm(width), area
        self.mlp = MergerMLP(width * area, hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """(patches, width) to (patches / area, hidden)."""
        return self.mlp(self.norm(hidden).unflatten(0, (-1, self.area)).flatten(1))


class MergerMLP(nn.Module):
    """fc2(gelu(fc1(x)))."""

    def __init__(self, width: int, hidden_size: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, width), nn.Linear(width, hidden_size)
        self.act = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class Qwen2VisionTransformerPretrainedModel(PreTrainedModel):
    """Patches (patches, channels x frames x side x side) to features (patches / merge area, hidden)."""

    config_class = Qwen2VLVisionConfig
    main_input_name = "hidden_states"
    hub_names: dict[str, str] = {"layers": "blocks"}
    layer_class: ClassVar[type[VisionLayer]] = VisionLayer
    patch_bias: ClassVar[bool] = False

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        width, heads = self.width_of(config), config.num_heads
        self.spatial_merge_size = config.spatial_merge_size
        self.patch_embed = PatchProjection(
            config.in_channels, config.temporal_patch_size, config.patch_size, width, bias=self.patch_bias
        )
        self.rotary = GridRotary(width // heads)
        norm = self.norm_of(config)
        self.layers = nn.ModuleList(
            self.layer_class(width, norm, self_attn=self.make_attention(config), mlp=self.make_mlp(config))
            for _ in range(config.depth)
        )
        self.merger = self.make_merger(config)
        self.post_init()

    def width_of(self, config: Any) -> int:
        """Width of the tower."""
        return int(config.embed_dim)

    def norm_of(self, config: Any) -> NormFactory:
        """Makes the norms of the layers and of the merger."""
        return partial(nn.LayerNorm, eps=1e-6)

    def make_attention(self, config: Any) -> PackedAttention:
        """The attention of a layer."""
        return PackedAttention(self.width_of(config), config.num_heads)

    def make_mlp(self, config: Any) -> nn.Module:
        """The feed-forward block of a layer."""
        return MLP(config.embed_dim, int(config.embed_dim * config.mlp_ratio), config.hidden_act)

    def make_merger(self, config: Any) -> nn.Module:
        """From the states of the patches to features."""
        area = config.spatial_merge_size**2
        return PatchMerger(self.width_of(config), area, config.hidden_size, self.norm_of(config))

    def forward(self, hidden_states: Tensor, grid_thw: Tensor) -> Tensor:
        """`grid_thw` (images, 3) counts each image's patches in time, rows and columns."""
        grid = grid_thw.tolist()
        check_grid(len(hidden_states), grid, self.spatial_merge_size)
        return self.run(self.patch_embed(hidden_states), grid)

    def run(self, hidden: Tensor, grid: Grid) -> Tensor:
        """Embedded patches (patches, width) to features; each frame is seen by itself."""
        rotary = self.rotary(grid_places(grid, self.spatial_merge_size, hidden.device))
        lengths = [rows * columns for time, rows, columns in grid for _ in range(time)]
        hidden = hidden[None]
        context = AttentionContext(hidden)
        return self.merger(run_layers(self.layers, hidden, context, rotary=rotary, lengths=lengths)[0])

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embed
