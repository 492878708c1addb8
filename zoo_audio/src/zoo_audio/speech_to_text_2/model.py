"""Speech2Text 2: a post-norm decoder with sinusoidal positions."""

from __future__ import annotations

from torch import nn

from zoo_audio.speech_to_text.model import Speech2TextDecoder, Speech2TextPreTrainedModel, layer_parts
from zoo_audio.speech_to_text_2.config import Speech2Text2Config
from zoo_core.checkpoint.dialects import BART_LAYER
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.outputs import CausalLMOutputWithCrossAttentions
from zoo_core.nn.layer import PostNormLayer


class Speech2Text2PreTrainedModel(Speech2TextPreTrainedModel):
    """What all Speech2Text 2 classes share."""

    config_class = Speech2Text2Config
    main_input_name = "input_ids"
    ignored_names = ("*embed_positions.weights", "*embed_positions._float_tensor")


class Speech2Text2Decoder(Speech2Text2PreTrainedModel, Speech2TextDecoder):
    """The decoder without a head."""

    final_norm = False

    def make_layer(self, config: Speech2Text2Config, layer_idx: int) -> nn.Module:
        parts = layer_parts(config, layer_idx, decoder=True)
        layer = PostNormLayer(config.d_model, nn.LayerNorm, **parts)
        layer.hub_names = BART_LAYER
        return layer


class Speech2Text2ForCausalLM(ForCausalLM, Speech2Text2PreTrainedModel):
    """The decoder with a language modeling head; it attends to given encoder states."""

    base_class = Speech2Text2Decoder
    base_name = "model.decoder"
    output_class = CausalLMOutputWithCrossAttentions
    shift_labels = False
