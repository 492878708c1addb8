"""Speaking with SpeechT5, and what it learns that from."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from zoo_audio.speecht5.config import SpeechT5Config
from zoo_core.nn.cache import Cache


def shifted_frames(labels: Tensor, reduction: int, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Target frames (batch, frames, mels) as the decoder's inputs: every `reduction`-th, one step later."""
    kept = labels[:, reduction - 1 :: reduction]
    shifted = torch.cat((torch.zeros_like(kept[:, :1]), kept[:, :-1]), dim=1)
    return shifted.masked_fill(shifted == -100.0, 0.0), None if mask is None else mask[
        :, reduction - 1 :: reduction
    ]


def guided_attention_loss(
    weights: Tensor, source: Tensor, target: Tensor, *, sigma: float, scale: float
) -> Tensor:
    """Pulls attention towards the diagonal (https://arxiv.org/abs/1710.08969, section 4.1).

    Args:
        weights: (batch, heads, target, source). source, target: bool (batch, length), no padding.
    """

    def course(mask: Tensor) -> Tensor:
        places = torch.arange(mask.shape[1], device=mask.device, dtype=weights.dtype)
        return places / mask.sum(-1, keepdim=True)

    away = course(target)[:, :, None] - course(source)[:, None]
    penalty = 1.0 - torch.exp(-(away**2) / (2 * sigma**2))
    counted = (target[:, :, None] & source[:, None])[:, None].expand_as(weights)
    return scale * (penalty[:, None] * weights)[counted].mean()


def spectrogram_loss(
    config: SpeechT5Config,
    labels: Tensor,
    frames: Tensor,
    refined: Tensor,
    end_logits: Tensor,
    *,
    source_mask: Tensor,
    cross_attentions: tuple[Tensor, ...] = (),
) -> Tensor:
    """The distance of frames before and after refinement, the end's cross-entropy, guided attention.

    Args:
        labels: (batch, frames, mels), -100 where padded. source_mask: (batch, source).
        cross_attentions: of each layer, for the guided loss; without them it is left out.
    """
    counted = labels != -100.0
    wanted = labels[counted]
    loss = F.l1_loss(refined[counted], wanted) + F.l1_loss(frames[counted], wanted)
    kept = counted[:, :, 0]
    ends = F.pad((~kept).to(end_logits.dtype), (0, 1), value=1.0)[:, 1:]
    weight = torch.tensor(5.0, device=end_logits.device)
    loss = loss + F.binary_cross_entropy_with_logits(end_logits[kept], ends[kept], pos_weight=weight)
    if cross_attentions:
        heads = config.guided_attention_loss_num_heads
        reduction = config.reduction_factor
        loss = loss + guided_attention_loss(
            torch.cat([weights[:, :heads] for weights in cross_attentions], dim=1),
            source_mask.bool(),
            kept[:, reduction - 1 :: reduction],
            sigma=config.guided_attention_loss_sigma,
            scale=config.guided_attention_loss_scale,
        )
    return loss


@torch.no_grad()
def speak(
    model: Any,
    values: Tensor,
    speaker_embeddings: Tensor | None,
    attention_mask: Tensor | None,
    *,
    threshold: float = 0.5,
    minlenratio: float = 0.0,
    maxlenratio: float = 20.0,
    vocoder: nn.Module | None = None,
    output_cross_attentions: bool = False,
    return_output_lengths: bool = False,
) -> Any:
    """Speak frame by frame until the model says that it has ended.

    Args:
        model: a text-to-speech or speech-to-speech SpeechT5. values: its input, ids or waveforms (batch,
            length). attention_mask: (batch, length); without one, values equal to pad_token_id are padding.
        speaker_embeddings: (1 or batch, size), x-vectors of the voices.
        threshold: the probabilities of the end, added over the frames of a step, at which to end.
        minlenratio, maxlenratio: least and most frames for each state of the encoder.
        vocoder: makes waveforms of the spectrograms.

    Returns:
        the spectrogram (frames, mels), or (samples,) from the vocoder; of several inputs, a batch padded
        with zeros. With return_output_lengths always a batch, and the list of lengths; with
        output_cross_attentions last the weights (layers[, batch], heads, steps, source).

    Raises:
        ValueError: no speaker, or another number of them than 1 or that of the inputs.
    """
    config, batch = model.config, len(values)
    speakers = checked_speakers(config, speaker_embeddings, batch)
    if attention_mask is None:
        attention_mask = (values != config.pad_token_id).int()
    encoded = model.model.encoder(values, attention_mask)
    states, mask = encoded.last_hidden_state, model.model.encoder_padding(attention_mask, encoded)
    least, most = (
        int(states.shape[1] * ratio / config.reduction_factor) for ratio in (minlenratio, maxlenratio)
    )
    postnet, cache = model.speech_decoder_postnet, Cache()
    frames, weights = [], []
    finished: dict[int, Tensor] = {}
    last = states.new_zeros(batch, 1, config.num_mel_bins)
    while len(finished) < batch:
        decoded = model.model.decoder(
            last, encoder_hidden_states=states, encoder_attention_mask=mask, speaker_embeddings=speakers,
            past_key_values=cache, use_cache=True, output_attentions=output_cross_attentions,
        )  # fmt: skip
        if output_cross_attentions:
            weights.append(torch.stack(decoded.cross_attentions))
        hidden = decoded.last_hidden_state
        frames.append(postnet.frames(hidden))
        last = frames[-1][:, -1:]
        if len(frames) < least:
            continue
        ended = postnet.prob_out(hidden).sigmoid().sum(-1)[:, 0] >= threshold
        if len(frames) >= most:
            ended = torch.ones_like(ended)
        rows = [row for row in ended.nonzero()[:, 0].tolist() if row not in finished]
        if rows:
            refined = postnet.refine(torch.cat(frames, dim=1)[rows])
            finished |= dict(zip(rows, refined, strict=True))
    return handed_over([finished[row] for row in range(batch)], weights, vocoder, return_output_lengths)


def checked_speakers(config: SpeechT5Config, speakers: Tensor | None, batch: int) -> Tensor | None:
    """The speakers' vectors (batch, size), one for all repeated."""
    if speakers is None:
        if config.speaker_embedding_dim is None:
            return None
        raise ValueError(
            f"pass speaker_embeddings (1 or {batch}, {config.speaker_embedding_dim}): an x-vector of the "
            "voice, such as those of the data set Matthijs/cmu-arctic-xvectors"
        )
    if len(speakers) not in (1, batch):
        raise ValueError(
            f"there are {len(speakers)} speaker_embeddings for {batch} inputs; pass 1 or {batch}"
        )
    return speakers.expand(batch, -1)


def handed_over(
    spectrograms: list[Tensor], weights: list[Tensor], vocoder: nn.Module | None, with_lengths: bool
) -> Any:
    """Spectrograms or waveforms, then lengths and attentions where asked for; one alone has no batch."""
    alone = len(spectrograms) == 1 and not with_lengths
    lengths = [len(spectrogram) for spectrogram in spectrograms]
    sound = spectrograms[0] if alone else pad_sequence(spectrograms, batch_first=True)
    if vocoder is not None:
        sound = vocoder(sound)
        if with_lengths:
            lengths = [sound.shape[1] // max(lengths) * length for length in lengths]
    found: list[Any] = [sound, lengths] if with_lengths else [sound]
    if weights:
        joined = torch.cat(weights, dim=3)  # (layers, batch, heads, steps, source)
        found.append(joined[:, 0] if len(spectrograms) == 1 else joined)
    return found[0] if len(found) == 1 else tuple(found)
