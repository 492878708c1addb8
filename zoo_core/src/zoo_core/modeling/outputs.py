"""The outputs that several architectures share: field lists over `ModelOutput`.

Shapes, unless a class says otherwise: `last_hidden_state` (batch, sequence, hidden); `hidden_states` a
tuple of (batch, sequence, hidden), embeddings first; `attentions` and `cross_attentions` a tuple, one a
layer, of (batch, heads, query, key) after softmax; `logits` (batch, sequence, vocabulary) for language
models and (batch, labels) for classifiers; `loss` a scalar.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from torch import Tensor

from zoo_core.modeling.model_output import ModelOutput as ModelOutput

if TYPE_CHECKING:
    from zoo_core.nn.cache import Cache


class BaseModelOutput(ModelOutput):
    """Hidden states of an encoder."""

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class BaseModelOutputWithNoAttention(ModelOutput):
    """Hidden states (batch, channels, height, width) of a convolutional encoder."""

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None


class BaseModelOutputWithPooling(ModelOutput):
    """Hidden states, and a `pooler_output` (batch, hidden) for the whole input."""

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class BaseModelOutputWithPoolingAndNoAttention(ModelOutput):
    """Hidden states (batch, channels, height, width) and `pooler_output` (batch, channels, 1, 1)."""

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None


class BaseModelOutputWithPoolingAndProjection(ModelOutput):
    """Hidden states, `pooler_output` and its `projection_state`, a tuple of (batch, projection)."""

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    projection_state: tuple[Tensor, ...] | None = None


class BaseModelOutputWithPast(ModelOutput):
    """Hidden states of a decoder and its cache."""

    last_hidden_state: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class BaseModelOutputWithCrossAttentions(ModelOutput):
    """Hidden states of a decoder without a cache."""

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None


class BaseModelOutputWithPastAndCrossAttentions(ModelOutput):
    """Hidden states of a decoder that may attend to an encoder, and its cache."""

    last_hidden_state: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None


class BaseModelOutputWithPoolingAndCrossAttentions(ModelOutput):
    """As BaseModelOutputWithPastAndCrossAttentions, with a `pooler_output` (batch, hidden)."""

    last_hidden_state: Tensor
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    past_key_values: Cache | None = None
    attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None


class MoeModelOutputWithPast(ModelOutput):
    """Hidden states of a mixture-of-experts decoder; `router_logits` a layer (batch x sequence, experts)."""

    last_hidden_state: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    router_logits: tuple[Tensor, ...] | None = None


class MoEModelOutput(ModelOutput):
    """Hidden states of a mixture-of-experts encoder."""

    last_hidden_state: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    router_probs: tuple[Tensor, ...] | None = None


class MoEModelOutputWithPastAndCrossAttentions(ModelOutput):
    """Hidden states of a mixture-of-experts decoder that attends to an encoder."""

    last_hidden_state: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None
    router_probs: tuple[Tensor, ...] | None = None


class BackboneOutput(ModelOutput):
    """Feature maps (batch, channels, height, width) of the requested stages."""

    feature_maps: tuple[Tensor, ...]
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class CausalLMOutput(ModelOutput):
    """Scores of the next token, without a cache."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class CausalLMOutputWithPast(ModelOutput):
    """Scores of the next token (batch, sequence, vocabulary), and the cache to go on from."""

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class CausalLMOutputWithCrossAttentions(ModelOutput):
    """As CausalLMOutputWithPast, of a decoder that may attend to an encoder."""

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None


class MoeCausalLMOutputWithPast(ModelOutput):
    """As CausalLMOutputWithPast, with the load-balancing loss and the routers' scores."""

    loss: Tensor | None = None
    aux_loss: Tensor | None = None
    logits: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    router_logits: tuple[Tensor, ...] | None = None


class MaskedLMOutput(ModelOutput):
    """Scores of each position's token (batch, sequence, vocabulary)."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class NextSentencePredictorOutput(ModelOutput):
    """Scores (batch, 2): the second segment follows the first, or not."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class SequenceClassifierOutput(ModelOutput):
    """Scores (batch, labels) of the whole sequence."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class SequenceClassifierOutputWithPast(ModelOutput):
    """Scores (batch, labels) of the whole sequence, from a decoder."""

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class TokenClassifierOutput(ModelOutput):
    """Scores (batch, sequence, labels) of each token."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class MultipleChoiceModelOutput(ModelOutput):
    """Scores (batch, choices)."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class QuestionAnsweringModelOutput(ModelOutput):
    """Scores (batch, sequence) of the answer's first and last token."""

    loss: Tensor | None = None
    start_logits: Tensor
    end_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class _Seq2Seq(ModelOutput):
    past_key_values: Cache | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    encoder_attentions: tuple[Tensor, ...] | None = None

    @classmethod
    def join(cls, encoder: ModelOutput, decoder: ModelOutput, **values: Any) -> Self:
        """The output of an encoder and of the decoder that attended to it, with further `values`."""
        sides = (("encoder", encoder), ("decoder", decoder))
        taken = {f"{side}_{part}": value for side, output in sides for part, value in output.items()}
        for part in ("last_hidden_state", "past_key_values", "cross_attentions", "logits"):
            taken[part] = decoder.get(part)
        return cls(**{k: v for k, v in {**taken, **values}.items() if k in cls.fields})


class Seq2SeqModelOutput(_Seq2Seq, own_first=True):
    """Hidden states of the decoder, with those of the encoder."""

    last_hidden_state: Tensor


class Seq2SeqLMOutput(_Seq2Seq, own_first=True):
    """Scores of the decoder's next token."""

    loss: Tensor | None = None
    logits: Tensor


class Seq2SeqSequenceClassifierOutput(_Seq2Seq, own_first=True):
    """Scores (batch, labels) of the whole sequence, from an encoder-decoder."""

    loss: Tensor | None = None
    logits: Tensor


class Seq2SeqQuestionAnsweringModelOutput(_Seq2Seq, own_first=True):
    """Scores (batch, sequence) of the answer's first and last token, from an encoder-decoder."""

    loss: Tensor | None = None
    start_logits: Tensor
    end_logits: Tensor


class Seq2SeqSpectrogramOutput(_Seq2Seq, own_first=True):
    """A generated `spectrogram` (batch, frames, mel bins)."""

    loss: Tensor | None = None
    spectrogram: Tensor


class ImageClassifierOutput(ModelOutput):
    """Scores (batch, labels) of the image."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ImageClassifierOutputWithNoAttention(ModelOutput):
    """Scores (batch, labels) of the image, from a convolutional network."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None


class SemanticSegmenterOutput(ModelOutput):
    """Scores (batch, labels, height, width) of each pixel."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class DepthEstimatorOutput(ModelOutput):
    """Depth (batch, height, width) of each pixel."""

    loss: Tensor | None = None
    predicted_depth: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ReconstructionOutput(ModelOutput):
    """A reconstructed image (batch, channels, height, width)."""

    loss: Tensor | None = None
    reconstruction: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class MaskedImageModelingOutput(ReconstructionOutput):
    """Reconstructed pixels of a masked image (batch, channels, height, width)."""


class ImageSuperResolutionOutput(ReconstructionOutput):
    """The enlarged image (batch, channels, height, width)."""


class XVectorOutput(ModelOutput):
    """Scores (batch, labels) and the utterance `embeddings` (batch, dimension)."""

    loss: Tensor | None = None
    logits: Tensor
    embeddings: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class Wav2Vec2BaseModelOutput(ModelOutput):
    """Hidden states, and the convolutional `extract_features` (batch, frames, channels)."""

    last_hidden_state: Tensor
    extract_features: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
