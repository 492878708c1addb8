"""Segment Anything: masks of what points, boxes or masks point at."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, wants
from zoo_vision.nn.norm import ChannelNorm
from zoo_vision.sam.config import SamConfig, SamMaskDecoderConfig
from zoo_vision.sam.encoder import SamVisionEncoder
from zoo_vision.sam.prompts import PlaneEmbedding, SamPromptEncoder


class SamImageSegmentationOutput(ModelOutput):
    """`pred_masks` (batch, prompts, masks, height, width) and the guess of their quality, `iou_scores`."""

    iou_scores: Tensor
    pred_masks: Tensor
    vision_hidden_states: tuple[Tensor, ...] | None = None
    vision_attentions: tuple[Tensor, ...] | None = None
    mask_decoder_attentions: tuple[Tensor, ...] | None = None


class SamAttention(Attention):
    """Attention between two sets, at a width `rate` times smaller."""

    hub_names: HubNames = {"o_proj": "out_proj"}

    def __init__(self, config: SamMaskDecoderConfig, rate: int | None = None) -> None:
        width = config.hidden_size // (config.attention_downsample_rate if rate is None else rate)
        heads = config.num_attention_heads
        super().__init__(config.hidden_size, heads, head_dim=width // heads)

    def between(self, query: Tensor, key: Tensor, value: Tensor, similarity: Tensor | None = None) -> Tensor:
        """(prompts, queries, hidden) of keys and values (prompts, keys, hidden)."""
        q, k = self.split(self.q_proj(query)), self.split(self.k_proj(key))
        mask = AttentionContext(query).mask(self.rule, key.shape[1])
        return self.merge(self.attend(q, k, self.split(self.v_proj(value)), mask, bias=similarity))


class TwoWayLayer(nn.Module):
    """Tokens attend to each other and to the image, then the image to the tokens.

    Args:
        first: tokens are their own positions in the first layer, so none are added.
    """

    hub_names: HubNames = {"mlp.fc1": "mlp.lin1", "mlp.fc2": "mlp.lin2"}

    def __init__(self, config: SamMaskDecoderConfig, *, first: bool) -> None:
        super().__init__()
        size, eps = config.hidden_size, config.layer_norm_eps
        self.first = first
        self.self_attn = SamAttention(config, rate=1)
        self.cross_attn_token_to_image = SamAttention(config)
        self.mlp = MLP(size, config.mlp_dim, config.hidden_act)
        self.cross_attn_image_to_token = SamAttention(config)
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(size, eps=eps), nn.LayerNorm(size, eps=eps)
        self.layer_norm3, self.layer_norm4 = nn.LayerNorm(size, eps=eps), nn.LayerNorm(size, eps=eps)

    def forward(
        self, tokens: Tensor, image: Tensor, own: Tensor, places: Tensor, similarity: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Tokens and image after the layer, and what the image's attention has added."""
        if self.first:
            tokens = self.self_attn.between(tokens, tokens, tokens)
        else:
            placed = tokens + own
            tokens = tokens + self.self_attn.between(placed, placed, tokens)
        tokens = self.layer_norm1(tokens)
        seen = self.cross_attn_token_to_image.between(tokens + own, image + places, image, similarity)
        tokens = self.layer_norm2(tokens + seen)
        tokens = self.layer_norm3(tokens + self.mlp(tokens))
        added = self.cross_attn_image_to_token.between(image + places, tokens + own, tokens)
        return tokens, self.layer_norm4(image + added), added


class TwoWayTransformer(nn.Module):
    """Layers, and a last look of the tokens at the image."""

    def __init__(self, config: SamMaskDecoderConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TwoWayLayer(config, first=i == 0) for i in range(config.num_hidden_layers)
        )
        self.final_attn_token_to_image = SamAttention(config)
        self.layer_norm_final_attn = nn.LayerNorm(config.hidden_size)

    def forward(
        self, own: Tensor, image: Tensor, places: Tensor, similarity: Tensor | None, target: Tensor | None
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Tokens (prompts, tokens, hidden) and image (prompts, cells, hidden) after all layers."""
        tokens, added = own, []
        for layer in self.layers:
            if target is not None:
                tokens = tokens + target
            tokens, image, extra = layer(tokens, image, own, places, similarity)
            added.append(extra)
        seen = self.final_attn_token_to_image.between(tokens + own, image + places, image)
        return self.layer_norm_final_attn(tokens + seen), image, tuple(added)


class SamFeedForward(nn.Module):
    """`depth` dense layers with ReLU between them."""

    def __init__(self, size: int, inner: int, out: int, depth: int) -> None:
        super().__init__()
        self.proj_in, self.proj_out = nn.Linear(size, inner), nn.Linear(inner, out)
        self.layers = nn.ModuleList(nn.Linear(inner, inner) for _ in range(depth - 2))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.proj_in(x))
        for layer in self.layers:
            x = F.relu(layer(x))
        return self.proj_out(x)


class Decoded(NamedTuple):
    """Masks (batch, prompts, masks, 4 x rows, 4 x columns), their scores (batch, prompts, masks), the tokens
    (batch, prompts, tokens, hidden), and what each layer's attention added to the image."""

    masks: Tensor
    scores: Tensor
    tokens: Tensor
    added: tuple[Tensor, ...]


class SamMaskDecoder(nn.Module):
    """Mask tokens look at the image; each becomes the weights of its mask."""

    #: where the tokens of masks stand, after that of their scores
    first_mask = 1

    def __init__(self, config: SamMaskDecoderConfig) -> None:
        super().__init__()
        size, self.count = config.hidden_size, config.num_multimask_outputs + 1
        self.iou_token, self.mask_tokens = nn.Embedding(1, size), nn.Embedding(self.count, size)
        self.transformer = TwoWayTransformer(config)
        self.upscale_conv1 = nn.ConvTranspose2d(size, size // 4, 2, 2)
        self.upscale_conv2 = nn.ConvTranspose2d(size // 4, size // 8, 2, 2)
        self.upscale_layer_norm = ChannelNorm(size // 4)
        self.act = activation("gelu")
        self.output_hypernetworks_mlps = nn.ModuleList(
            SamFeedForward(size, size, size // 8, 3) for _ in range(self.count)
        )
        self.iou_prediction_head = SamFeedForward(
            size, config.iou_head_hidden_dim, self.count, config.iou_head_depth
        )

    def forward(
        self,
        image: Tensor,
        places: Tensor,
        sparse: Tensor | None,
        dense: Tensor,
        *,
        several: bool,
        similarity: Tensor | None = None,
        target: Tensor | None = None,
        detail: Any = None,
        **options: Any,
    ) -> Decoded:
        """Masks of an image (batch, hidden, rows, columns); `detail` and options are for what follows."""
        batch, _, rows, columns = image.shape
        prompts = 1 if sparse is None else sparse.shape[1]
        tokens = self.own_tokens().expand(batch, prompts, -1, -1)
        if sparse is not None:
            tokens = torch.cat((tokens, sparse), dim=2)
        cells = (image + dense).flatten(2).transpose(1, 2).repeat_interleave(prompts, 0)
        out, seen, added = self.transformer(
            tokens.flatten(0, 1).to(image.dtype),
            cells,
            places.flatten(2).transpose(1, 2),
            similarity,
            None if target is None else target.flatten(0, 1),
        )
        x = self.canvas(cells, seen, (rows, columns))
        x, first = self.enlarge(x, detail), self.first_mask
        scores = self.score(out[:, first - 1]).unflatten(0, (batch, prompts))
        masks = self.draw(out[:, first:], x).unflatten(0, (batch, prompts))
        masks, scores = self.choose(masks, scores, several)
        masks, scores = self.refine(masks, scores, out[:, first:], x, image, **options)
        tokens = out.unflatten(0, (batch, prompts))
        return Decoded(masks, scores, tokens, tuple(extra[:, None] for extra in added))

    def enlarge(self, x: Tensor, detail: Any) -> Tensor:
        """A map (prompts, hidden, rows, columns), four times as high and wide."""
        x = self.act(self.upscale_layer_norm(self.upscale_conv1(x)))
        return self.act(self.upscale_conv2(x))

    def score(self, tokens: Tensor) -> Tensor:
        """(prompts, masks): how good masks are thought to be."""
        return self.iou_prediction_head(tokens)

    def choose(self, masks: Tensor, scores: Tensor, several: bool) -> tuple[Tensor, Tensor]:
        """Those for several answers, or the one for one, of masks (batch, prompts, masks, h, w)."""
        kept = slice(1, None) if several else slice(0, 1)
        return masks[:, :, kept], scores[:, :, kept]

    def canvas(self, before: Tensor, after: Tensor, grid: tuple[int, int]) -> Tensor:
        """The map (prompts, hidden, rows, columns) that masks are drawn on, of the image's cells
        (prompts, cells, hidden) before and after the transformer."""
        return after.transpose(1, 2).unflatten(2, grid)

    def own_tokens(self) -> Tensor:
        """(tokens, hidden): what stands before the prompts."""
        return torch.cat((self.iou_token.weight, self.mask_tokens.weight))

    def draw(self, tokens: Tensor, x: Tensor) -> Tensor:
        """Masks (prompts, masks, h, w) of tokens (prompts, tokens, hidden) on (prompts, width, h, w)."""
        pairs = zip(self.output_hypernetworks_mlps, tokens[:, : self.count].unbind(1), strict=True)
        weights = torch.stack([mlp(token) for mlp, token in pairs], dim=1)
        return torch.einsum("pmc,pchw->pmhw", weights, x)

    def refine(
        self, masks: Tensor, scores: Tensor, tokens: Tensor, x: Tensor, image: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Masks (batch, prompts, masks, h, w) and their scores, as they are returned."""
        return masks, scores


def check_prompts(
    pixel_values: Tensor | None,
    image_embeddings: Any,
    input_points: Tensor | None,
    input_boxes: Tensor | None,
) -> None:
    """Refuse two images or none, and prompts of other shapes or numbers than they must be."""
    if (pixel_values is None) == (image_embeddings is None):
        raise ValueError("pass exactly one of pixel_values and image_embeddings")
    if input_points is not None and input_points.dim() != 4:
        raise ValueError(
            f"input_points are {tuple(input_points.shape)}, but must be (batch, prompts, points, 2)"
        )
    if input_boxes is not None and input_boxes.dim() != 3:
        raise ValueError(f"input_boxes are {tuple(input_boxes.shape)}, but must be (batch, prompts, 4)")
    if input_points is not None and input_boxes is not None and input_points.shape[1] != input_boxes.shape[1]:
        raise ValueError(
            f"{input_points.shape[1]} prompts of points, but {input_boxes.shape[1]} boxes: give as many"
        )


class SamModel(PreTrainedModel):
    """Image encoder, prompt encoder and mask decoder."""

    config_class = SamConfig
    base_model_prefix = "sam"
    main_input_name = "pixel_values"
    ignored_names = ("prompt_encoder.shared_embedding.positional_embedding",)
    encoder_class: type[SamVisionEncoder] = SamVisionEncoder
    decoder_class: type[SamMaskDecoder] = SamMaskDecoder

    def __init__(self, config: SamConfig) -> None:
        super().__init__(config)
        self.shared_image_embedding = PlaneEmbedding(config)
        self.vision_encoder = self.encoder_class(config.vision_config)
        self.prompt_encoder = SamPromptEncoder(config.prompt_encoder_config)
        self.mask_decoder = self.decoder_class(config.mask_decoder_config)
        self.post_init()

    def get_image_wide_positional_embeddings(self) -> Tensor:
        """(1, hidden, rows, columns): the places of the image embedding's cells."""
        return self.shared_image_embedding.grid(self.config.prompt_encoder_config.image_embedding_size)

    @torch.no_grad()
    def get_image_embeddings(self, pixel_values: Tensor, **flags: Any) -> Tensor:
        """The image encoder's embedding, to be passed as `image_embeddings` with many prompts."""
        embeddings: Tensor = self.vision_encoder(pixel_values, **flags).last_hidden_state
        return embeddings

    @torch.no_grad()
    def get_prompt_embeddings(
        self,
        input_points: Tensor | None = None,
        input_labels: Tensor | None = None,
        input_boxes: Tensor | None = None,
        input_masks: Tensor | None = None,
    ) -> tuple[Tensor | None, Tensor]:
        """Sparse and dense embeddings of prompts; see `SamPromptEncoder`."""
        return self.prompt_encoder(
            self.shared_image_embedding, input_points, input_labels, input_boxes, input_masks
        )

    def forward(
        self,
        pixel_values: Tensor | None = None,
        input_points: Tensor | None = None,
        input_labels: Tensor | None = None,
        input_boxes: Tensor | None = None,
        input_masks: Tensor | None = None,
        image_embeddings: Tensor | None = None,
        multimask_output: bool = True,
        attention_similarity: Tensor | None = None,
        target_embedding: Tensor | None = None,
        *,
        original_sizes: Any = None,
        reshaped_input_sizes: Any = None,
    ) -> SamImageSegmentationOutput:
        """Masks of what the prompts point at.

        Args:
            pixel_values: (batch, channels, size, size), or their `image_embeddings`, exactly one of both.
            input_points: (batch, prompts, points, 2), (x, y) in pixels of the resized image, with
                `input_labels` (batch, prompts, points): 1 object, 0 background, -10 padding.
            input_boxes: (batch, prompts, 4) corners. input_masks: (batch, 1, 4 x rows, 4 x columns).
            multimask_output: three masks for each prompt, of which the best may be chosen, rather than one.
            attention_similarity: added to the scores of the image; target_embedding: added to tokens
                (https://arxiv.org/abs/2305.03048).
            original_sizes, reshaped_input_sizes: taken so that all a processor returns may be passed on.
        """
        return self.segment(
            pixel_values,
            input_points,
            input_labels,
            input_boxes,
            input_masks,
            image_embeddings,
            multimask_output=multimask_output,
            attention_similarity=attention_similarity,
            target_embedding=target_embedding,
        )

    def seen(self, vision: ModelOutput) -> dict[str, Any]:
        """What the mask decoder takes of the image encoder's output, besides the embedding."""
        return {}

    def segment(
        self,
        pixel_values: Tensor | None,
        input_points: Tensor | None,
        input_labels: Tensor | None,
        input_boxes: Tensor | None,
        input_masks: Tensor | None,
        image_embeddings: Tensor | None,
        *,
        multimask_output: bool,
        attention_similarity: Tensor | None,
        target_embedding: Tensor | None,
        **decoding: Any,
    ) -> SamImageSegmentationOutput:
        """As `forward`; what is in `decoding` goes to the mask decoder."""
        check_prompts(pixel_values, image_embeddings, input_points, input_boxes)
        vision: ModelOutput | None = None
        if image_embeddings is None:
            vision = self.vision_encoder(pixel_values)
            image_embeddings = vision.last_hidden_state
        if input_points is not None and input_labels is None:
            input_labels = torch.ones_like(input_points[..., 0], dtype=torch.int)
        sparse, dense = self.prompt_encoder(
            self.shared_image_embedding, input_points, input_labels, input_boxes, input_masks
        )
        if vision is not None:
            decoding = self.seen(vision) | decoding
        found = self.mask_decoder(
            image_embeddings,
            self.get_image_wide_positional_embeddings(),
            sparse,
            dense,
            several=multimask_output,
            similarity=attention_similarity,
            target=target_embedding,
            **decoding,
        )
        return SamImageSegmentationOutput(
            iou_scores=found.scores,
            pred_masks=found.masks,
            vision_hidden_states=None if vision is None else vision.get("hidden_states"),
            vision_attentions=None if vision is None else vision.get("attentions"),
            mask_decoder_attentions=found.added if wants(ATTENTIONS) else None,
        )
