"""V-JEPA 2: an encoder of video, and a predictor of what it would say about hidden parts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import CLIP_LAYER
from zoo_core.checkpoint.names import HubNames
from zoo_core.config import PretrainedConfig
from zoo_core.heads.image import ForImageClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ImageClassifierOutput, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.drop_path import ScaledPreNormLayer, drop_rates
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import unrecorded
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.stack import run_layers
from zoo_vision.nn.tubes import TubeEmbedding
from zoo_vision.vjepa2.config import VJEPA2Config


class VJEPA2PredictorOutput(ModelOutput):
    """States that the predictor expects of the target tokens, and what the encoder says of them."""

    last_hidden_state: Tensor
    target_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class VJEPA2ModelOutput(ModelOutput):
    """The encoder's states, those of the context tokens, and what the predictor makes of these."""

    last_hidden_state: Tensor
    masked_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    predictor_output: VJEPA2PredictorOutput | None = None


class VJEPA2PreTrainedModel(PreTrainedModel):
    """What all V-JEPA 2 classes share."""

    config_class = VJEPA2Config
    base_model_prefix = "vjepa2"
    main_input_name = "pixel_values_videos"


def take(hidden: Tensor, masks: Sequence[Tensor]) -> Tensor:
    """The tokens of (batch, tokens, width) that masks (batch, kept) number, mask after mask in the batch."""
    return torch.cat([hidden.gather(1, mask[..., None].expand(-1, -1, hidden.shape[-1])) for mask in masks])


def tube_rotary(places: Tensor, side: int, width: int, dtype: torch.dtype) -> RotaryTables:
    """Rotations by frame, row and column of tokens (batch or 1, tokens) in frames of `side` x `side` patches.

    Each axis turns an even third of a head's features; the rest stays. As released, neighbouring features
    turn together but by the angles of different wavelengths.
    """
    part = width // 3 // 2 * 2
    axes = torch.stack((places // side**2, places // side % side, places % side), dim=-1).float()
    steps = torch.arange(part // 2, device=places.device, dtype=torch.float32) / (part / 2)
    angles = axes[..., None] / 10000.0**steps
    angles = torch.cat((angles, angles), dim=-1).flatten(-2)[:, None]
    return RotaryTables(angles.cos().to(dtype), angles.sin().to(dtype), interleaved=True)


class VJEPA2Layer(ScaledPreNormLayer):
    """Self-attention and a feed-forward block, of the encoder or of the predictor."""

    hub_names: HubNames = {
        "self_attn": "attention",
        "self_attn.q_proj": "attention.query",
        "self_attn.k_proj": "attention.key",
        "self_attn.v_proj": "attention.value",
        "self_attn.o_proj": "attention.proj",
        "input_layernorm": "norm1",
        "post_attention_layernorm": "norm2",
    }

    def __init__(self, config: VJEPA2Config, size: int, heads: int, ratio: float, drop_path: float) -> None:
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=Attention(
                size, heads, bias=config.qkv_bias, out_bias=True, dropout=config.attention_probs_dropout_prob
            ),
            mlp=MLP(size, int(size * ratio), config.hidden_act),
            drop_path=drop_path,
        )


class _Stack(VJEPA2PreTrainedModel):
    """Layers with rotations by place, and a final norm."""

    hub_names: HubNames = {"layers": "layer", "norm": "layernorm"}

    def build(self, config: VJEPA2Config, size: int, heads: int, ratio: float, count: int) -> None:
        self.side, self.head_width = config.crop_size // config.patch_size, size // heads
        rates = drop_rates(config.drop_path_rate, count)
        self.layers = nn.ModuleList(VJEPA2Layer(config, size, heads, ratio, rate) for rate in rates)
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)

    def run(self, hidden: Tensor, places: Tensor, **options: Any) -> Tensor:
        """(batch, tokens, size) of tokens at `places` through the layers, to the same shape."""
        rotary = tube_rotary(places, self.side, self.head_width, hidden.dtype)
        return run_layers(self.layers, hidden, AttentionContext(hidden), rotary=rotary, **options)


class VJEPA2Encoder(_Stack):
    """Blocks of video, and layers."""

    hub_names: HubNames = {**_Stack.hub_names, "patches.projection": "embeddings.patch_embeddings.proj"}

    def __init__(self, config: VJEPA2Config) -> None:
        super().__init__(config)
        size, patch = config.hidden_size, config.patch_size
        self.patches = TubeEmbedding(
            config.frames_per_clip,
            config.crop_size,
            (config.tubelet_size, patch, patch),
            config.in_chans,
            size,
        )
        self.build(config, size, config.num_attention_heads, config.mlp_ratio, config.num_hidden_layers)
        self.post_init()

    def forward(self, pixel_values_videos: Tensor, *, head_mask: Tensor | None = None) -> BaseModelOutput:
        """(batch, frames, channels, height, width) to states (batch, patches, hidden)."""
        missing = self.config.tubelet_size - pixel_values_videos.shape[1]
        if missing > 0:  # an image is a video that stands still
            still = pixel_values_videos[:, -1:].expand(-1, missing, -1, -1, -1)
            pixel_values_videos = torch.cat((pixel_values_videos, still), dim=1)
        hidden = self.patches(pixel_values_videos, any_size=True)
        places = torch.arange(hidden.shape[1], device=hidden.device)[None]
        hidden = self.run(hidden, places, head_mask=head_mask, norm=self.norm)
        return BaseModelOutput(last_hidden_state=hidden)


class VJEPA2Predictor(_Stack):
    """Guesses the encoder's states of target tokens from those of context tokens."""

    hub_names: HubNames = {
        **_Stack.hub_names,
        "mask_tokens": "embeddings.mask_tokens",
        "proj_in": "embeddings.predictor_embeddings",
        "proj_out": "proj",
    }

    def __init__(self, config: VJEPA2Config) -> None:
        super().__init__(config)
        size = config.pred_hidden_size
        self.mask_tokens = nn.Parameter(torch.zeros(config.pred_num_mask_tokens, 1, 1, size))
        self.proj_in = nn.Linear(config.hidden_size, size)
        self.proj_out = nn.Linear(size, config.hidden_size)
        self.build(
            config,
            size,
            config.pred_num_attention_heads,
            config.pred_mlp_ratio,
            config.pred_num_hidden_layers,
        )
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self and self.config.pred_zero_init_mask_tokens:
            nn.init.zeros_(self.mask_tokens)

    def forward(
        self,
        context: Tensor,
        context_mask: Sequence[Tensor],
        target_mask: Sequence[Tensor],
        *,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutput:
        """States (batch, context tokens, hidden) to those (batch, target tokens, hidden) that are expected.

        The masks say where the tokens stand; the one placeholder of all targets is the second.
        """
        known = self.proj_in(context)
        seen, asked = torch.cat(list(context_mask)), torch.cat(list(target_mask))
        placeholder = self.mask_tokens[1 % len(self.mask_tokens)].to(known.dtype)
        hidden = torch.cat((known, placeholder.expand(len(known), asked.shape[1], -1)), dim=1)
        places = torch.cat((seen, asked), dim=1)
        order = places.argsort(dim=1)
        hidden, places = take(hidden, [order]), places.gather(1, order)
        hidden = self.norm(self.run(hidden, places, head_mask=head_mask))
        hidden = take(hidden, [order.argsort(dim=1)])
        return BaseModelOutput(last_hidden_state=self.proj_out(hidden[:, known.shape[1] :]))


class VJEPA2Model(VJEPA2PreTrainedModel):
    """The encoder, and unless skipped the predictor."""

    def __init__(self, config: VJEPA2Config) -> None:
        super().__init__(config)
        self.encoder, self.predictor = VJEPA2Encoder(config), VJEPA2Predictor(config)
        self.post_init()

    def forward(
        self,
        pixel_values_videos: Tensor,
        context_head_mask: Tensor | None = None,
        context_mask: Sequence[Tensor] | None = None,
        target_head_mask: Tensor | None = None,
        target_mask: Sequence[Tensor] | None = None,
        skip_predictor: bool = False,
    ) -> VJEPA2ModelOutput:
        """(batch, frames, channels, height, width) to states (batch, patches, hidden).

        Args:
            context_mask, target_mask: lists of (batch, tokens), the numbers of the tokens that the
                predictor sees and of those that it guesses; both are all tokens where neither is given.
            context_head_mask, target_head_mask: (heads,) or (layers, heads), of encoder and predictor.
        """
        encoded = self.encoder(pixel_values_videos, head_mask=context_head_mask)
        states = encoded.last_hidden_state
        if context_mask is None and target_mask is None:
            everything = torch.arange(states.shape[1], device=states.device).expand(len(states), -1)
            context_mask = target_mask = [everything]
        if context_mask is None or target_mask is None:
            raise ValueError("pass both of context_mask and target_mask, or neither")
        context, guessed = take(states, context_mask), None
        if not skip_predictor:
            guess = self.predictor(context, context_mask, target_mask, head_mask=target_head_mask)
            guessed = VJEPA2PredictorOutput.carry(
                guess,
                last_hidden_state=guess.last_hidden_state,
                target_hidden_state=take(states, target_mask),
            )
        return VJEPA2ModelOutput.carry(
            encoded, last_hidden_state=states, masked_hidden_state=context, predictor_output=guessed
        )

    def get_vision_features(self, pixel_values_videos: Tensor) -> Tensor:
        """The encoder's states (batch, patches, hidden) alone."""
        features: Tensor = self(pixel_values_videos, skip_predictor=True).last_hidden_state
        return features

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.patches


class _QueryAttention(Attention):
    """Attention of a query to all tokens, whose result is not projected again."""

    def __init__(self, config: VJEPA2Config) -> None:
        super().__init__(config.hidden_size, config.num_attention_heads, dropout=config.attention_dropout)
        self.o_proj = nn.Identity()  # type: ignore[assignment]

    def forward(self, query: Tensor, context: AttentionContext, *, source: Tensor) -> Tensor:  # type: ignore[override]
        key, value = self.split(self.k_proj(source)), self.split(self.v_proj(source))
        mask = context.mask(self.rule, key.shape[2])
        return self.merge(self.attend(self.split(self.q_proj(query)), key, value, mask))


class _PoolerLayer(PreNormLayer):
    """A layer of the pooler."""

    hub_names = CLIP_LAYER

    def __init__(self, config: VJEPA2Config, attention: nn.Module) -> None:
        size = config.hidden_size
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=attention,
            mlp=MLP(size, 4 * size, config.hidden_act),
        )


class _QueryLayer(_PoolerLayer):
    """A query attends to normalised tokens; then a feed-forward block."""

    hub_names: HubNames = {**CLIP_LAYER, "self_attn": "cross_attn"}

    def forward(self, query: Tensor, source: Tensor) -> Tensor:  # type: ignore[override]
        seen = self.self_attn(query, AttentionContext(source), source=self.input_layernorm(source))
        hidden = query + seen
        return hidden + self.mlp(self.post_attention_layernorm(hidden))


class AttentivePooler(nn.Module):
    """Layers over all tokens, then one query that gathers them."""

    hub_names: HubNames = {"layers": "self_attention_layers", "gather": "cross_attention_layer"}

    def __init__(self, config: VJEPA2Config) -> None:
        super().__init__()
        size, heads = config.hidden_size, config.num_attention_heads
        self.query_tokens = nn.Parameter(torch.zeros(1, 1, size))
        self.layers = nn.ModuleList(
            _PoolerLayer(config, Attention(size, heads, dropout=config.attention_dropout))
            for _ in range(config.num_pooler_layers)
        )
        self.gather = _QueryLayer(config, _QueryAttention(config))

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, tokens, hidden) to (batch, hidden)."""
        context = AttentionContext(hidden)
        with unrecorded():
            for layer in self.layers:
                hidden = layer(hidden, context)
            return self.gather(self.query_tokens.expand(len(hidden), -1, -1), hidden)[:, 0]


class VJEPA2ForVideoClassification(ForImageClassification, VJEPA2PreTrainedModel):
    """V-JEPA 2 with a classifier on what an attentive pooler gathers."""

    base_class = VJEPA2Model

    def build_head(self, config: PretrainedConfig) -> None:
        self.pooler = AttentivePooler(config)  # type: ignore[arg-type]
        super().build_head(config)

    def features(self, outputs: ModelOutput) -> Tensor:
        return self.pooler(outputs.last_hidden_state)

    def forward(  # type: ignore[override]
        self, pixel_values_videos: Tensor, *, labels: Tensor | None = None, **inputs: Any
    ) -> ImageClassifierOutput:
        """Logits (batch, labels) of videos (batch, frames, channels, height, width)."""
        output: ImageClassifierOutput = super().forward(
            pixel_values_videos, labels=labels, skip_predictor=True, **inputs
        )
        return output
