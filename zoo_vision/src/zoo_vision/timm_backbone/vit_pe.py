"""The Perception Encoder (https://arxiv.org/abs/2504.13181): a ViT whose patches turn by column and row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.errors import ConfigError
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import LayerScale
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.patch import PatchEmbedding, Size, pair
from zoo_core.nn.rotary_multi import GridRotary
from zoo_vision.timm_backbone.resnet import plain

_QKV = ("q_proj", "k_proj", "v_proj")


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of a network.

    inner: width of the feed-forward blocks. init_values: of the scales of branches, None for none.
    post_norm: whether the states are normalised at the end. pool: "map" (a learned query), "avg", "token",
    or "" for none.
    """

    depth: int
    width: int
    heads: int
    side: int
    patch: int = 14
    inner: int | None = None
    class_token: bool = True
    init_values: float | None = None
    post_norm: bool = True
    pool: str = "map"


def _spatial(depth: int, width: int, heads: int, side: int, **options: Any) -> Plan:
    return Plan(depth, width, heads, side, post_norm=False, pool="avg", **options)


VIT_PE: dict[str, Plan] = {
    "vit_pe_core_tiny_patch16_384": Plan(12, 192, 3, 384, 16),
    "vit_pe_core_small_patch16_384": Plan(12, 384, 6, 384, 16),
    "vit_pe_core_base_patch16_224": Plan(12, 768, 12, 224, 16),
    "vit_pe_core_large_patch14_336": Plan(24, 1024, 16, 336),
    "vit_pe_core_gigantic_patch14_448": Plan(50, 1536, 16, 448, inner=8960, class_token=False),
    "vit_pe_lang_large_patch14_448": _spatial(23, 1024, 16, 448, init_values=0.1),
    "vit_pe_lang_gigantic_patch14_448": _spatial(
        47, 1536, 16, 448, inner=8960, class_token=False, init_values=0.1
    ),
    "vit_pe_spatial_tiny_patch16_512": _spatial(12, 192, 3, 512, patch=16),
    "vit_pe_spatial_small_patch16_512": _spatial(12, 384, 6, 512, patch=16),
    "vit_pe_spatial_base_patch16_512": _spatial(12, 768, 12, 512, patch=16),
    "vit_pe_spatial_large_patch14_448": _spatial(24, 1024, 16, 448),
    "vit_pe_spatial_gigantic_patch14_448": _spatial(
        50, 1536, 16, 448, inner=8960, class_token=False, init_values=0.1
    ),
}
"""The networks by their names in timm."""


class PEBlock(nn.Module):
    """x + scale * attn(norm(x)), then x + scale * mlp(norm(x))."""

    hub_names = {
        **{tuple(f"attn.{p}.{kind}" for p in _QKV): Fused(f"attn.qkv.{kind}") for kind in ("weight", "bias")},
        "attn.o_proj": "attn.proj",
        "scale1.weight": "gamma_1",
        "scale2.weight": "gamma_2",
    }

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        width = plan.width
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width, plan.heads)
        self.mlp = MLP(width, plan.inner or 4 * width, "gelu")
        self.scale1 = self.scale2 = None
        if plan.init_values is not None:
            self.scale1, self.scale2 = (LayerScale(width, plan.init_values) for _ in range(2))

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        attended = self.attn(self.norm1(hidden), context, **attention)
        hidden = hidden + (attended if self.scale1 is None else self.scale1(attended))
        changed = self.mlp(self.norm2(hidden))
        return hidden + (changed if self.scale2 is None else self.scale2(changed))


class PEPooling(nn.Module):
    """One learned query that attends to all tokens, and a feed-forward block."""

    hub_names = {
        **{tuple(f"{p}.{kind}" for p in ("attn.k_proj", "attn.v_proj")): Fused(f"kv.{kind}")
           for kind in ("weight", "bias")},
        "attn.q_proj": "q",
        "attn.o_proj": "proj",
    }  # fmt: skip

    def __init__(self, width: int) -> None:
        super().__init__()
        self.latent = nn.Parameter(torch.zeros(1, 1, width))
        self.attn = Attention(width, 8, cross=True)
        self.norm = nn.LayerNorm(width)
        self.mlp = MLP(width, 4 * width, "gelu")

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, tokens, width) to (batch, width)."""
        query = self.latent.expand(len(hidden), -1, -1)
        pooled = self.attn(query, AttentionContext(query, encoder_states=hidden))
        return (pooled + self.mlp(self.norm(pooled)))[:, 0]


class PerceptionEncoder(nn.Module):
    """Patches, maybe behind a class token, with trained positions that are also turned."""

    hub_names = {"patch_embed.projection": "patch_embed.proj", "position": "pos_embed"}

    def __init__(
        self, plan: Plan, *, image_size: Size, reference: Size | None = None, channels: int = 3
    ) -> None:
        super().__init__()
        width, self.pool, self.prefix = plan.width, plan.pool, int(plan.class_token)
        self.patch_embed = PatchEmbedding(image_size, plan.patch, channels, width, bias=False)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width)) if plan.class_token else None
        self.position = nn.Parameter(torch.zeros(1, self.patch_embed.num_patches + self.prefix, width))
        self.norm_pre = nn.LayerNorm(width)
        self.rotary = GridRotary(width // plan.heads, interleaved=True)
        self.reference = pair(reference or plan.side // plan.patch)
        self.blocks = nn.ModuleList(PEBlock(plan) for _ in range(plan.depth))
        self.norm = nn.LayerNorm(width) if plan.post_norm else None
        self.attn_pool = PEPooling(width) if plan.pool == "map" else None

    def places(self, device: torch.device) -> Tensor:
        """Columns and rows (tokens, 2) in the grid of reference, counted from one; zeros for the class."""
        rows, columns = (
            torch.arange(1, count + 1, device=device) / count * reference
            for count, reference in zip(self.patch_embed.grid, self.reference, strict=True)
        )
        row, column = torch.meshgrid(rows, columns, indexing="ij")
        return F.pad(torch.stack((column, row), dim=-1).flatten(0, 1), (0, 0, self.prefix, 0))

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(batch, channels, height, width) to tokens (batch, tokens, width), and the map after each block."""
        hidden = self.patch_embed(pixel_values)
        if self.cls_token is not None:
            hidden = torch.cat((self.cls_token.expand(len(hidden), -1, -1), hidden), dim=1)
        hidden = self.norm_pre(hidden + self.position)
        context, rotary = AttentionContext(hidden), self.rotary(self.places(hidden.device))
        maps = []
        for block in self.blocks:
            hidden = block(hidden, context, rotary=rotary)
            maps.append(hidden[:, self.prefix :].transpose(1, 2).unflatten(2, self.patch_embed.grid))
        return (hidden if self.norm is None else self.norm(hidden)), maps

    def pooled(self, state: Tensor) -> Tensor:
        """(batch, width) of tokens; the tokens as they are where nothing pools them."""
        if self.attn_pool is not None:
            return self.attn_pool(state)
        if self.pool == "avg":
            return state[:, self.prefix :].mean(1)
        return state[:, 0] if self.pool == "token" else state


def perception_encoder(
    name: str,
    *,
    in_chans: int = 3,
    img_size: Size | None = None,
    depth: int | None = None,
    embed_dim: int | None = None,
    num_heads: int | None = None,
    ref_feat_shape: Sequence[int] | int | None = None,
    global_pool: str | None = None,
    use_post_transformer_norm: bool | None = None,
    init_values: float | None = None,
) -> nn.Module:
    """The network of a name with other sizes where they are given.

    Raises:
        ConfigError: another name.
    """
    if plain(name) not in VIT_PE:
        raise ConfigError(f"{name!r} is not among timm's Perception Encoders: {', '.join(VIT_PE)}")
    usual = VIT_PE[plain(name)]
    width = usual.width if embed_dim is None else embed_dim
    plan = Plan(
        depth=usual.depth if depth is None else depth,
        width=width,
        heads=usual.heads if num_heads is None else num_heads,
        side=usual.side,
        patch=usual.patch,
        inner=None if usual.inner is None else int(width * usual.inner / usual.width),
        class_token=usual.class_token,
        init_values=usual.init_values if init_values is None else init_values,
        post_norm=usual.post_norm if use_post_transformer_norm is None else use_post_transformer_norm,
        pool=usual.pool if global_pool is None else global_pool,
    )
    size, reference = usual.side if img_size is None else img_size, ref_feat_shape
    if reference is not None and not isinstance(reference, int):
        reference = (reference[0], reference[1])
    return PerceptionEncoder(plan, image_size=size, reference=reference, channels=in_chans)
