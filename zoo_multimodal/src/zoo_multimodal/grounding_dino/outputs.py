"""What Grounding DINO returns. Boxes are centre and size as fractions of the image."""

from __future__ import annotations

from torch import Tensor

from zoo_core.modeling.outputs import ModelOutput


class GroundingDinoEncoderOutput(ModelOutput):
    """Cells (batch, cells, hidden) and tokens (batch, sequence, hidden) after all layers.

    `attentions`: from cells to tokens, from tokens to cells, among tokens, and to points of the maps.
    """

    last_hidden_state_vision: Tensor
    last_hidden_state_text: Tensor
    vision_hidden_states: tuple[Tensor, ...] | None = None
    text_hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[tuple[Tensor, ...], ...] | None = None


class GroundingDinoDecoderOutput(ModelOutput):
    """Queries (batch, queries, hidden), and those and their boxes after each layer (batch, layers, ...).

    `attentions`: among queries, to tokens, and to points of the maps.
    """

    last_hidden_state: Tensor
    intermediate_hidden_states: Tensor
    intermediate_reference_points: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[tuple[Tensor, ...], ...] | None = None


class GroundingDinoModelOutput(ModelOutput):
    """What queries became, layer by layer, what both sides of the encoder did, and its own predictions.

    `enc_outputs_class` (batch, cells, tokens) and `enc_outputs_coord_logits` (batch, cells, 4) are of all
    cells, `encoder_logits` and `encoder_pred_boxes` of those that became queries.
    """

    last_hidden_state: Tensor
    init_reference_points: Tensor
    intermediate_hidden_states: Tensor
    intermediate_reference_points: Tensor
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[tuple[Tensor, ...], ...] | None = None
    encoder_last_hidden_state_vision: Tensor | None = None
    encoder_last_hidden_state_text: Tensor | None = None
    encoder_vision_hidden_states: tuple[Tensor, ...] | None = None
    encoder_text_hidden_states: tuple[Tensor, ...] | None = None
    encoder_attentions: tuple[tuple[Tensor, ...], ...] | None = None
    enc_outputs_class: Tensor | None = None
    enc_outputs_coord_logits: Tensor | None = None
    encoder_logits: Tensor | None = None
    encoder_pred_boxes: Tensor | None = None


class _Prompted(GroundingDinoModelOutput):
    input_ids: Tensor


class GroundingDinoObjectDetectionOutput(_Prompted, own_first=True):
    """`logits` (batch, queries, tokens) of how well tokens fit, and `pred_boxes` (batch, queries, 4).

    Logits are minus infinity where the prompt has no token. `input_ids` are those of the prompts.
    """

    loss: Tensor | None = None
    loss_dict: dict[str, Tensor] | None = None
    logits: Tensor
    pred_boxes: Tensor
    auxiliary_outputs: list[dict[str, Tensor]] | None = None
