"""CSM: a backbone over frames writes the first code of each, a small decoder the others."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.csm.config import CsmConfig, CsmDepthDecoderConfig
from zoo_audio.csm.generation import CsmGeneration
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.loss import causal_lm_loss, token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithPast, ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.cache import Cache
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import ATTENTIONS, wants


class CsmOutputWithPast(ModelOutput):
    """Scores of the first codebook (batch, frames, vocabulary), and of the others where there are labels."""

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    depth_decoder_loss: Tensor | None = None
    depth_decoder_logits: Tensor | None = None
    depth_decoder_past_key_values: Cache | None = None
    depth_decoder_hidden_states: tuple[Tensor, ...] | None = None
    depth_decoder_attentions: tuple[Tensor, ...] | None = None
    backbone_loss: Tensor | None = None


class CsmDepthDecoderModel(DecoderModel):
    """The codes of one frame, after the state of the backbone, to states."""

    config_class = CsmDepthDecoderConfig
    base_model_prefix = "model"

    def make_embeddings(self, config: PretrainedConfig) -> None:
        width = config.backbone_hidden_size
        self.embed_tokens = nn.Embedding(config.num_codebooks * config.vocab_size, width)
        self.inputs_embeds_projector = Linear(width, config.hidden_size, bias=False)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        if inputs_embeds is None:
            if input_ids is None:
                raise ValueError("pass input_ids or inputs_embeds")
            place = torch.arange(past, past + input_ids.shape[1], device=input_ids.device)
            inputs_embeds = self.embed_tokens(input_ids + (place - 1).clamp(min=0) * self.config.vocab_size)
            if past == 0 and self.backbone_state is not None:
                inputs_embeds = torch.cat((self.backbone_state[:, None], inputs_embeds[:, 1:]), dim=1)
        return self.inputs_embeds_projector(inputs_embeds)

    backbone_state: Tensor | None = None

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        backbone_last_hidden_state: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Ids (frames, codebooks), of which the first is replaced by the state (frames, backbone hidden)."""
        self.backbone_state = backbone_last_hidden_state
        try:
            return super().forward(input_ids, **inputs)
        finally:
            self.backbone_state = None


class CodebooksHead(nn.Module):
    """A linear map for each codebook but the first."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        shape = (config.num_codebooks - 1, config.hidden_size, config.vocab_size)
        self.weight = nn.Parameter(torch.randn(shape) * config.initializer_range)

    def forward(self, hidden: Tensor, first: int) -> Tensor:
        """States (frames, codebooks, hidden), of which the first asks for codebook `first` + 1."""
        return torch.einsum("nch,chv->ncv", hidden, self.weight[first : first + hidden.shape[1]])


class CsmDepthDecoderForCausalLM(PreTrainedModel):
    """The depth decoder with its heads; logits (frames, codebooks - 1, vocabulary)."""

    config_class = CsmDepthDecoderConfig
    base_model_prefix = "model"

    def __init__(self, config: CsmDepthDecoderConfig) -> None:
        super().__init__(config)
        self.model = CsmDepthDecoderModel(config)
        self.codebooks_head = CodebooksHead(config)
        self.post_init()

    def forward(
        self,
        input_ids: Tensor | None = None,
        backbone_last_hidden_state: Tensor | None = None,
        *,
        past_key_values: Cache | None = None,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> CausalLMOutputWithPast:
        """As the model; `labels` (frames, codebooks) are the codes, -100 where none counts."""
        past = 0 if past_key_values is None else past_key_values.length
        outputs = self.model(input_ids, backbone_last_hidden_state, past_key_values=past_key_values, **inputs)
        hidden = outputs.last_hidden_state
        hidden = hidden[:, 1:] if past == 0 else hidden  # the state itself asks for nothing
        logits = self.codebooks_head(hidden, max(past - 1, 0))
        loss = None if labels is None else token_loss(logits, labels[:, 1:])
        return CausalLMOutputWithPast.carry(outputs, loss=loss, logits=logits)


class CsmBackboneModel(DecoderModel):
    """Frames of codes (batch, frames, codebooks) to states."""

    config_class = CsmConfig
    hub_names = {"embed_tokens": "embed_tokens.embed_audio_tokens"}

    def make_embeddings(self, config: PretrainedConfig) -> None:
        self.embed_tokens = nn.Embedding(config.num_codebooks * config.vocab_size, config.hidden_size)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        if input_ids is None:
            assert inputs_embeds is not None
            return inputs_embeds
        first = torch.arange(self.config.num_codebooks, device=input_ids.device) * self.config.vocab_size
        return self.embed_tokens(input_ids + first).sum(2)

    def make_context(self, *inputs: Any) -> AttentionContext:
        context = super().make_context(*inputs)
        # As recorded: where weights are returned, padding that sees nothing averages all, and the depth
        # decoder goes on from there.
        context.blind_queries_average = wants(ATTENTIONS)
        return context


class CsmForConditionalGeneration(CsmGeneration, PreTrainedModel):
    """CSM whole: the embeddings of text, the backbone, the depth decoder and the codec."""

    config_class = CsmConfig
    base_model_prefix = "csm"

    def __init__(self, config: CsmConfig) -> None:
        super().__init__(config)
        self.lm_head = Linear(config.hidden_size, config.vocab_size, bias=False)
        self.embed_text_tokens = nn.Embedding(config.text_vocab_size, config.hidden_size)
        self.backbone_model = CsmBackboneModel(config)
        self.depth_decoder = CsmDepthDecoderForCausalLM(config.depth_decoder_config)
        self.codec_model = build_part(config.codec_config)
        self.post_init()

    def ties(self) -> dict[str, str]:
        if not self.config.tie_codebooks_embeddings:
            return {}
        return {"backbone_model.embed_tokens.weight": "depth_decoder.model.embed_tokens.weight"}

    def get_input_embeddings(self) -> nn.Module:
        return self.backbone_model.embed_tokens

    def get_output_embeddings(self) -> nn.Module | None:
        return self.lm_head

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        logits_to_keep: int = 0,
        **inputs: Any,
    ) -> CsmOutputWithPast:
        """Frames of codes (batch, frames, codebooks), or text (batch, tokens), to scores.

        `labels` (batch, frames, codebooks), -100 where none counts, make the losses of both decoders; frames
        of which only the first code counts train the backbone alone.
        """
        if input_ids is not None and input_ids.dim() == 2:
            inputs_embeds, input_ids = self.embed_text_tokens(input_ids), None
        outputs = self.backbone_model(input_ids, attention_mask, inputs_embeds=inputs_embeds, **inputs)
        hidden = outputs.last_hidden_state
        logits = self.lm_head(hidden[:, -logits_to_keep:] if logits_to_keep else hidden)
        found = CsmOutputWithPast.carry(outputs, logits=logits)
        if labels is not None:
            self.add_losses(found, hidden, labels)
        return found

    def add_losses(self, found: CsmOutputWithPast, hidden: Tensor, labels: Tensor) -> None:
        """Set the losses of an output, and what the depth decoder returned."""
        found.backbone_loss = causal_lm_loss(found.logits, labels[..., 0])
        rows, frames = (labels[..., 1:] != -100).any(-1).nonzero(as_tuple=True)
        codes = labels[rows, frames]
        ids = nn.functional.pad(codes[:, :-1], (1, 0))
        depth = self.depth_decoder(ids, hidden[rows, frames - 1], labels=codes, use_cache=False)
        found.depth_decoder_loss, found.depth_decoder_logits = depth.loss, depth.logits
        found.depth_decoder_hidden_states = depth.hidden_states
        found.depth_decoder_attentions = depth.attentions
        found.loss = found.backbone_loss + depth.loss
