"""CLVP: a decoder writes speech tokens for a text in a voice, and two encoders tell how well they fit it.

The autoregressive part of Tortoise and its judge (https://arxiv.org/abs/2305.07243).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_audio.clvp.config import ClvpConfig, ClvpDecoderConfig
from zoo_audio.clvp.generation import ClvpGeneration
from zoo_core.checkpoint.ops import Fused, Transposed
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.summary import SequenceSummary
from zoo_core.modeling.gpt import GPTBody
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithCrossAttentions, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.mlp import MLP, GatedMLP
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.rotary import RotaryTables, StoredRotary
from zoo_core.nn.stack import run_layers


class ClvpEncoderOutput(ModelOutput):
    """`embeds` (batch, projection_dim) of a text or of speech, and what they come from."""

    embeds: Tensor
    last_hidden_state: Tensor
    pooler_output: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ClvpOutput(ModelOutput):
    """How well texts fit speech: logits (texts, speeches) and their transpose.

    `speech_ids` (batch, tokens) are what `generate` wrote.
    """

    loss: Tensor | None = None
    speech_ids: Tensor | None = None
    logits_per_speech: Tensor | None = None
    logits_per_text: Tensor | None = None
    text_embeds: Tensor | None = None
    speech_embeds: Tensor | None = None
    text_model_output: Tensor | None = None
    speech_model_output: Tensor | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    text_encoder_hidden_states: tuple[Tensor, ...] | None = None
    speech_encoder_hidden_states: tuple[Tensor, ...] | None = None


class ClvpPreTrainedModel(PreTrainedModel):
    """What all CLVP classes share."""

    config_class = ClvpConfig
    base_model_prefix = "clvp"


class RotatingAttention(Attention):
    """Attention whose values turn with the position too."""

    def heads(self, hidden: Tensor, rotary: RotaryTables | None) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = super().heads(hidden, rotary)
        return query, key, value if rotary is None else rotary(value)


class ClvpEncoderLayer(PreNormLayer):
    """Attention and a gated MLP."""

    hub_names = {
        "self_attn.o_proj": "self_attn.out_proj",
        "input_layernorm": "input_rmsnorm",
        "post_attention_layernorm": "post_attention_rmsnorm",
        ("mlp.up_proj", "mlp.gate_proj"): Fused("mlp.fc1.proj"),
        "mlp.down_proj": "mlp.fc2",
    }

    def __init__(self, config: Any) -> None:
        size = config.hidden_size
        attention = RotatingAttention(
            size,
            config.num_attention_heads,
            bias=config.use_attention_bias,
            out_bias=True,
            dropout=config.attention_dropout,
        )
        mlp = GatedMLP(size, config.intermediate_size, config.hidden_act, bias=True, dropout=config.dropout)
        super().__init__(size, partial(RMSNorm, eps=config.layer_norm_eps), self_attn=attention, mlp=mlp)


class ClvpEncoder(ClvpPreTrainedModel):
    """Tokens to one vector. Files of an encoder alone have its sizes in a config of the whole."""

    hub_names = {"embed_tokens": "token_embedding", "norm": "final_layer_norm", "rotary": "rotary_pos_emb"}

    def __init__(self, config: Any) -> None:
        if isinstance(config, ClvpConfig) and not hasattr(config, "hidden_size"):
            config = config.text_config
        super().__init__(config)
        size, heads = config.hidden_size, config.num_attention_heads
        self.embed_tokens = nn.Embedding(config.vocab_size, size)
        width = max(config.projection_dim // (2 * heads), 32)
        self.rotary = StoredRotary(width) if config.use_rotary_embedding else None
        self.layers = nn.ModuleList(ClvpEncoderLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(size, eps=config.layer_norm_eps)
        self.sequence_summary = SequenceSummary(config)
        self.projection = Linear(size, config.projection_dim, bias=False)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
    ) -> ClvpEncoderOutput:
        """ids (batch, sequence) to `embeds` (batch, projection_dim)."""
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        context, tables = AttentionContext(hidden, attention_mask), None
        if self.rotary is not None:
            positions = context.positions if position_ids is None else position_ids
            tables = self.rotary(positions, dtype=hidden.dtype)
        hidden = self.norm(run_layers(self.layers, hidden, context, rotary=tables))
        pooled = self.sequence_summary(hidden)
        return ClvpEncoderOutput(
            embeds=self.projection(pooled), last_hidden_state=hidden, pooler_output=pooled
        )


class ClvpDecoderLayer(PreNormLayer):
    """A layer of GPT-2 under CLVP's names."""

    hub_names = {
        "self_attn": "attn",
        "self_attn.q_proj": "attn.q_proj",
        "self_attn.k_proj": "attn.k_proj",
        "self_attn.v_proj": "attn.v_proj",
        "self_attn.o_proj": "attn.out_proj",
        "mlp.fc1": Transposed("mlp.c_fc"),
        "mlp.fc2": Transposed("mlp.c_proj"),
    }

    def __init__(self, config: Any, layer_idx: int) -> None:
        size = config.hidden_size
        attention = Attention(
            size,
            config.num_attention_heads,
            bias=config.use_attention_bias,
            out_bias=True,
            dropout=config.attention_dropout,
            rule=CAUSAL,
            layer_idx=layer_idx,
        )
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=config.layer_norm_epsilon),
            self_attn=attention,
            mlp=MLP(size, config.n_inner or 4 * size, config.activation_function),
            dropout=config.resid_pdrop,
        )


class ClvpModel(ClvpPreTrainedModel, GPTBody):
    """Speech tokens to states."""

    config_class = ClvpDecoderConfig
    hub_names = {
        "embed_tokens": "decoder.input_embeds_layer",
        "embed_positions": "decoder.position_embeds_layer",
        "layers": "decoder.layers",
        "norm": "decoder.layer_norm",
    }

    def make_layer(self, config: Any, layer_idx: int) -> nn.Module:
        return ClvpDecoderLayer(config, layer_idx)


class ClvpForCausalLM(ForCausalLM, ClvpPreTrainedModel):
    """Scores of the next speech token."""

    config_class = ClvpDecoderConfig
    base_class = ClvpModel
    base_model_prefix = "model"
    output_class = CausalLMOutputWithCrossAttentions
    tied_weights = {}

    def build_head(self, config: Any) -> None:
        self.final_norm = nn.LayerNorm(config.hidden_size)
        self.lm_head = Linear(config.hidden_size, config.vocab_size, bias=True)

    def score(self, hidden: Tensor) -> Tensor:
        return self.lm_head(self.final_norm(hidden))


def norm_groups(channels: int) -> int:
    """Groups of a group norm over so many channels."""
    groups = 8 if channels <= 16 else 16 if channels <= 64 else 32
    while channels % groups:
        groups //= 2
    if groups <= 2:
        raise ValueError(f"hidden_size={channels} cannot be normalised in groups; use a multiple of 8")
    return groups


class ClvpConditioningEncoder(nn.Module):
    """A voice as one vector, and a text, as the decoder's prompt."""

    hub_names = {"mel_attn_blocks.*.o_proj": "mel_attn_blocks.*.out_proj"}

    def __init__(self, config: ClvpConfig) -> None:
        super().__init__()
        decoder, text = config.decoder_config, config.text_config
        size = decoder.hidden_size
        self.begin, self.end = text.bos_token_id, text.eos_token_id
        self.text_token_embedding = nn.Embedding(text.vocab_size, size)
        self.text_position_embedding = nn.Embedding(decoder.max_text_tokens, size)
        self.mel_conv = nn.Conv1d(decoder.feature_size, size, 1)
        blocks = range(decoder.num_mel_attn_blocks)
        self.group_norms = nn.ModuleList(
            nn.GroupNorm(norm_groups(size), size, eps=decoder.layer_norm_epsilon) for _ in blocks
        )
        self.mel_attn_blocks = nn.ModuleList(
            Attention(
                size,
                decoder.num_attention_heads,
                bias=decoder.use_attention_bias,
                out_bias=True,
                dropout=decoder.attention_dropout,
            )
            for _ in blocks
        )

    def framed(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Texts (batch, tokens) with a begin, and an end before their padding; and their mask."""
        rows = []
        for row in ids:
            padding = (row == 0).nonzero()
            end = int(padding[0]) if len(padding) else len(row)
            rows.append(
                torch.cat((row.new_tensor([self.begin]), row[:end], row.new_tensor([self.end]), row[end:]))
            )
        return torch.stack(rows), F.pad(mask, (2, 0), value=1)

    def forward(
        self,
        input_features: Tensor,
        input_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Spectrograms (voices, mels, frames) and texts to vectors (batch, 1 + tokens, hidden), and the mask.

        One voice serves all texts, and one text all voices.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        if input_ids is not None:
            mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
            input_ids, mask = self.framed(input_ids, mask)
            inputs_embeds = self.text_token_embedding(input_ids)
        else:
            assert inputs_embeds is not None
            mask = inputs_embeds.new_ones(inputs_embeds.shape[:2], dtype=torch.long)
            mask = mask if attention_mask is None else attention_mask
        positions = (mask.long().cumsum(-1) - 1).clamp(min=0)
        if int(positions.max()) >= self.text_position_embedding.num_embeddings:
            raise ValueError(
                f"the text has {int(positions.max()) + 1} tokens with its ends, and max_text_tokens is "
                f"{self.text_position_embedding.num_embeddings}; shorten it"
            )
        text = inputs_embeds + self.text_position_embedding(positions)
        mel = self.mel_conv(input_features).transpose(1, 2)
        context = AttentionContext(mel)
        for norm, attention in zip(self.group_norms, self.mel_attn_blocks, strict=True):
            mel = mel + attention(norm(mel.transpose(1, 2)).transpose(1, 2), context)
        voice, rows = mel[:, :1], max(len(mel), len(text))
        if not {len(voice), len(text)} <= {1, rows}:
            raise ValueError(f"{len(text)} texts came with {len(voice)} voices; pass one for each, or one")
        vectors = torch.cat((voice.expand(rows, -1, -1), text.expand(rows, -1, -1)), dim=1)
        return vectors, F.pad(mask, (1, 0), value=1).expand(rows, -1)


class ClvpModelForConditionalGeneration(ClvpGeneration, ClvpPreTrainedModel):
    """CLVP whole."""

    def __init__(self, config: ClvpConfig) -> None:
        super().__init__(config)
        self.conditioning_encoder = ClvpConditioningEncoder(config)
        self.speech_decoder_model = ClvpForCausalLM(config.decoder_config)
        self.text_encoder_model = ClvpEncoder(config.text_config)
        self.speech_encoder_model = ClvpEncoder(config.speech_config)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.conditioning_encoder.text_token_embedding

    def get_text_features(
        self,
        input_ids: Tensor | None = None,
        text_encoder_inputs_embeds: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        """Embeddings (batch, projection_dim) of texts."""
        return self.text_encoder_model(input_ids, text_encoder_inputs_embeds, attention_mask).embeds

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        conditioning_encoder_inputs_embeds: Tensor | None = None,
        text_encoder_inputs_embeds: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_loss: bool | None = None,
        *,
        output_hidden_states: bool | None = None,
    ) -> ClvpOutput:
        """Texts (batch, tokens) and voices (batch, mels, frames) to logits of their fit.

        `return_loss` adds the contrastive loss.
        """
        if input_features is None:
            raise ValueError("pass input_features (batch, mels, frames), the voice")
        prompt, _ = self.conditioning_encoder(
            input_features, input_ids, conditioning_encoder_inputs_embeds, attention_mask
        )
        flags = {"output_hidden_states": bool(output_hidden_states)}
        written = self.speech_decoder_model(inputs_embeds=prompt, use_cache=False, **flags)
        ids = self.fix_speech_decoder_output(written.logits.argmax(-1))
        found = self.compared(ids, input_ids, text_encoder_inputs_embeds, attention_mask, flags)
        if output_hidden_states:
            found.decoder_hidden_states = written.hidden_states
        if return_loss:
            scores = found.logits_per_text
            assert scores is not None
            right = torch.arange(len(scores), device=scores.device)
            found.loss = (F.cross_entropy(scores, right) + F.cross_entropy(scores.t(), right)) / 2
        return found

    def compared(
        self,
        speech_ids: Tensor,
        input_ids: Tensor | None,
        inputs_embeds: Tensor | None,
        attention_mask: Tensor | None,
        flags: dict[str, bool],
    ) -> ClvpOutput:
        """How well speech tokens (batch, tokens) fit texts."""
        speech = self.speech_encoder_model(speech_ids, **flags)
        text = self.text_encoder_model(input_ids, inputs_embeds, attention_mask, **flags)
        speech_embeds, text_embeds = F.normalize(speech.embeds, dim=-1), F.normalize(text.embeds, dim=-1)
        logits = text_embeds @ speech_embeds.t() * self.logit_scale.exp()
        return ClvpOutput(
            logits_per_speech=logits.t(),
            logits_per_text=logits,
            text_embeds=text_embeds,
            speech_embeds=speech_embeds,
            text_model_output=text.pooler_output,
            speech_model_output=speech.pooler_output,
            text_encoder_hidden_states=text.hidden_states,
            speech_encoder_hidden_states=speech.hidden_states,
        )
