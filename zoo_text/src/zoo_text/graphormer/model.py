"""Graphormer: an encoder over the nodes of a graph, whose attention knows what lies between them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER, BART_PRE_NORM_LAYER
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithNoAttention, SequenceClassifierOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PostNormLayer, PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_text.graphormer.config import GraphormerConfig


class GraphNodeFeature(nn.Module):
    """A vector of each node: what it is, and how many edges lead in and out; a token of the graph first."""

    def __init__(self, config: GraphormerConfig) -> None:
        super().__init__()
        size, pad = config.embedding_dim, config.pad_token_id
        self.atom_encoder = nn.Embedding(config.num_atoms + 1, size, padding_idx=pad)
        self.in_degree_encoder = nn.Embedding(config.num_in_degree, size, padding_idx=pad)
        self.out_degree_encoder = nn.Embedding(config.num_out_degree, size, padding_idx=pad)
        self.graph_token = nn.Embedding(1, size)

    def forward(self, nodes: Tensor, in_degree: Tensor, out_degree: Tensor) -> Tensor:
        """(batch, nodes, features) and (batch, nodes) twice to (batch, 1 + nodes, hidden)."""
        states = self.atom_encoder(nodes).sum(-2)
        states = states + self.in_degree_encoder(in_degree) + self.out_degree_encoder(out_degree)
        return torch.cat((self.graph_token.weight.expand(len(nodes), 1, -1), states), dim=1)


class GraphAttnBias(nn.Module):
    """What is added to the scores of two nodes, for each head."""

    def __init__(self, config: GraphormerConfig) -> None:
        super().__init__()
        self.num_heads, self.max_dist = config.num_attention_heads, config.multi_hop_max_dist
        heads = self.num_heads
        self.edge_encoder = nn.Embedding(config.num_edges + 1, heads, padding_idx=0)
        self.multi_hop = config.edge_type == "multi_hop"
        if self.multi_hop:
            self.edge_dis_encoder = nn.Embedding(config.num_edge_dis * heads**2, 1)
        self.spatial_pos_encoder = nn.Embedding(config.num_spatial, heads, padding_idx=0)
        self.graph_token_virtual_distance = nn.Embedding(1, heads)

    def forward(self, given: Tensor, distance: Tensor, edges: Tensor, edge_types: Tensor) -> Tensor:
        """(batch, heads, 1 + nodes, 1 + nodes).

        Args:
            given: (batch, 1 + nodes, 1 + nodes), added twice.
            distance: (batch, nodes, nodes) kinds of distance: hops, 0 for none.
            edges: (batch, nodes, nodes, hops, features) on the shortest path.
            edge_types: (batch, nodes, nodes, features) of the direct edge.
        """
        token = self.graph_token_virtual_distance.weight.view(1, -1, 1, 1)
        nodes, first, every = slice(1, None), slice(1), slice(None)
        bias = given[:, None].repeat(1, self.num_heads, 1, 1)
        for rows, columns, term in (
            (nodes, nodes, self.spatial_pos_encoder(distance).permute(0, 3, 1, 2)),
            (nodes, first, token),
            (first, every, token),
            (nodes, nodes, self.edge_bias(distance, edges, edge_types).permute(0, 3, 1, 2)),
        ):  # a whole-number `given` cuts each sum to whole numbers
            bias[:, :, rows, columns] = (bias[:, :, rows, columns] + term).to(bias.dtype)
        return (bias + given[:, None]).to(token.dtype)

    def edge_bias(self, distance: Tensor, edges: Tensor, edge_types: Tensor) -> Tensor:
        """(batch, nodes, nodes, heads): of the direct edge, or the mean over those of the shortest path."""
        if not self.multi_hop:
            return self.edge_encoder(edge_types).mean(-2)
        hops = distance.clamp_min(1)
        hops = torch.where(hops > 1, hops - 1, hops)
        if self.max_dist > 0:
            hops, edges = hops.clamp(0, self.max_dist), edges[:, :, :, : self.max_dist]
        along = self.edge_encoder(edges).mean(-2)
        mixing = self.edge_dis_encoder.weight.view(-1, self.num_heads, self.num_heads)[: along.shape[3]]
        return torch.einsum("bijdh,dhk->bijk", along, mixing) / hops[..., None].to(along.dtype)


def graphormer_layer(config: GraphormerConfig) -> nn.Module:
    """An encoder layer, with its norms before or after."""
    size = config.embedding_dim
    layer = (PreNormLayer if config.pre_layernorm else PostNormLayer)(
        size,
        nn.LayerNorm,
        self_attn=Attention(
            size,
            config.num_attention_heads,
            dropout=config.attention_dropout,
            bias=config.bias,
            out_bias=True,
        ),
        mlp=MLP(
            size, config.ffn_embedding_dim, config.activation_fn, activation_dropout=config.activation_dropout
        ),
        dropout=config.dropout,
    )
    layer.hub_names = BART_PRE_NORM_LAYER if config.pre_layernorm else BART_LAYER
    return layer


class GraphormerPreTrainedModel(PreTrainedModel):
    """What all Graphormer classes share."""

    config_class = GraphormerConfig
    base_model_prefix = "graphormer"
    main_input_name = "input_nodes"
    supports_gradient_checkpointing = False


class GraphEncoder(nn.Module):
    """Features, attention bias and layers."""

    def __init__(self, config: GraphormerConfig) -> None:
        super().__init__()
        size = config.embedding_dim
        self.embed_scale = config.embed_scale
        self.graph_node_feature = GraphNodeFeature(config)
        self.graph_attn_bias = GraphAttnBias(config)
        self.emb_layer_norm = nn.LayerNorm(size) if config.encoder_normalize_before else None
        if config.pre_layernorm:
            self.final_layer_norm = nn.LayerNorm(size)  # files hold it; no forward has ever used it
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(graphormer_layer(config) for _ in range(config.num_hidden_layers))

    def forward(self, nodes: Tensor, features: Tensor, bias: Tensor) -> list[Tensor]:
        """(batch, nodes), 0 for padding, their features and the scores' bias to the states before each layer
        and after the last."""
        hidden = features if self.embed_scale is None else features * self.embed_scale
        hidden = self.dropout(hidden if self.emb_layer_norm is None else self.emb_layer_norm(hidden))
        shown = F.pad(nodes != 0, (1, 0), value=True)
        context = AttentionContext(hidden, shown)
        states = [hidden]
        for layer in self.layers:
            states.append(layer(states[-1], context, bias=bias))
        return states


class GraphormerModel(GraphormerPreTrainedModel):
    """The encoder and a transform of its states."""

    def __init__(self, config: GraphormerConfig) -> None:
        super().__init__(config)
        self.graph_encoder = GraphEncoder(config)
        self.lm_head_transform_weight = nn.Linear(config.embedding_dim, config.embedding_dim)
        self.activation_fn = activation(config.activation_fn)
        self.layer_norm = nn.LayerNorm(config.embedding_dim)
        self.post_init()

    def forward(
        self,
        input_nodes: Tensor,
        input_edges: Tensor,
        attn_bias: Tensor,
        in_degree: Tensor,
        out_degree: Tensor,
        spatial_pos: Tensor,
        attn_edge_type: Tensor,
        perturb: Tensor | None = None,
        **unused: Any,
    ) -> BaseModelOutputWithNoAttention:
        """A batch of graphs to states (batch, 1 + nodes, hidden), that of the graph first.

        `hidden_states`, always given, are (1 + nodes, batch, hidden) each.

        Args:
            input_nodes: (batch, nodes, features) kinds of the nodes, 0 for padding.
            input_edges: (batch, nodes, nodes, hops, features) kinds of the edges on each shortest path.
            attn_bias: (batch, 1 + nodes, 1 + nodes) added to the scores.
            in_degree, out_degree: (batch, nodes). spatial_pos: (batch, nodes, nodes) distances.
            attn_edge_type: (batch, nodes, nodes, features) kinds of the direct edges.
            perturb: (batch, nodes, hidden) added to the nodes' features.
            unused: what else a collator gives (labels), not read.
        """
        encoder = self.graph_encoder
        features = encoder.graph_node_feature(input_nodes, in_degree, out_degree)
        if perturb is not None:
            features = features + F.pad(perturb, (0, 0, 1, 0))
        bias = encoder.graph_attn_bias(attn_bias, spatial_pos, input_edges, attn_edge_type)
        states = encoder(input_nodes[:, :, 0], features, bias)
        hidden = self.layer_norm(self.activation_fn(self.lm_head_transform_weight(states[-1])))
        return BaseModelOutputWithNoAttention(
            last_hidden_state=hidden, hidden_states=tuple(state.transpose(0, 1) for state in states)
        )


class GraphormerDecoderHead(nn.Module):
    """Scores of the classes."""

    def __init__(self, size: int, num_classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(size, num_classes, bias=False)
        self.lm_output_learned_bias = nn.Parameter(torch.zeros(1))

    def forward(self, hidden: Tensor) -> Tensor:
        return self.classifier(hidden) + self.lm_output_learned_bias


class GraphormerForGraphClassification(GraphormerPreTrainedModel):
    """Graphormer with scores of a graph's classes, or one number for it."""

    def __init__(self, config: GraphormerConfig) -> None:
        super().__init__(config)
        self.encoder = GraphormerModel(config)
        self.classifier = GraphormerDecoderHead(config.embedding_dim, config.num_classes)
        self.post_init()

    def forward(
        self,
        input_nodes: Tensor,
        input_edges: Tensor,
        attn_bias: Tensor,
        in_degree: Tensor,
        out_degree: Tensor,
        spatial_pos: Tensor,
        attn_edge_type: Tensor,
        *,
        labels: Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """As `GraphormerModel`; `labels` are (batch,) numbers or classes, or (batch, classes) of 0 and 1.

        Labels that are not a number do not count; the losses of 0 and 1 are summed, others averaged.
        """
        outputs = self.encoder(
            input_nodes, input_edges, attn_bias, in_degree, out_degree, spatial_pos, attn_edge_type
        )
        logits = self.classifier(outputs.last_hidden_state[:, 0])
        loss = None if labels is None else graph_loss(logits, labels)
        return SequenceClassifierOutput.carry(outputs, loss=loss, logits=logits)


def graph_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Squared error of one number, cross-entropy of a class each, or of every class apart."""
    known = ~torch.isnan(labels)
    if logits.shape[-1] == 1:
        return F.mse_loss(logits[known.view(-1)].squeeze(), labels[known].squeeze().float())
    if labels.dim() == 1:
        return F.cross_entropy(logits[known], labels[known])
    return F.binary_cross_entropy_with_logits(logits[known], labels[known], reduction="sum")
