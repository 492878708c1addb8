"""Perceiver IO: a few latents attend to any input, and queries of any output attend to the latents.

https://arxiv.org/abs/2107.14795
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_core.modeling.loss import sequence_loss, token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.model_output import ModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_multimodal.perceiver.config import PerceiverConfig
from zoo_multimodal.perceiver.inputs import (
    PerceiverAudioPreprocessor,
    PerceiverImagePreprocessor,
    PerceiverMultimodalPreprocessor,
    PerceiverOneHotPreprocessor,
    PerceiverTextPreprocessor,
    Prepared,
)
from zoo_multimodal.perceiver.layers import PerceiverLayer
from zoo_multimodal.perceiver.outputs import (
    PerceiverAudioPostprocessor,
    PerceiverBasicDecoder,
    PerceiverBasicVideoAutoencodingDecoder,
    PerceiverClassificationDecoder,
    PerceiverClassificationPostprocessor,
    PerceiverEmbeddingDecoder,
    PerceiverMultimodalDecoder,
    PerceiverMultimodalPostprocessor,
    PerceiverOpticalFlowDecoder,
    PerceiverProjectionPostprocessor,
    Points,
)


class PerceiverModelOutput(ModelOutput):
    """What the decoder says, and the latents (batch, num_latents, d_latents)."""

    logits: Tensor | dict[str, Tensor] | None = None
    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None


class PerceiverClassifierOutput(ModelOutput):
    """Scores of classes, or what else a head says."""

    loss: Tensor | None = None
    logits: Tensor | dict[str, Tensor] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None


class PerceiverMaskedLMOutput(PerceiverClassifierOutput):
    """Scores of the vocabulary (batch, sequence, vocabulary)."""


class PerceiverPreTrainedModel(PreTrainedModel):
    """What all classes of the Perceiver share."""

    config_class = PerceiverConfig
    base_model_prefix = "perceiver"
    main_input_name = "inputs"


class PerceiverEmbeddings(nn.Module):
    """The latents, as they are before they have seen anything."""

    def __init__(self, config: PerceiverConfig) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.empty(config.num_latents, config.d_latents))
        nn.init.normal_(self.latents, std=config.initializer_range)


class PerceiverEncoder(nn.Module):
    """One cross-attention to the inputs, then blocks of self-attention; all blocks share their weights."""

    def __init__(self, config: PerceiverConfig, kv_dim: int) -> None:
        super().__init__()
        sizes = {"qk_channels": config.qk_channels, "v_channels": config.v_channels}
        self.num_blocks = config.num_blocks
        self.cross_attention = PerceiverLayer(
            config,
            config.d_latents,
            config.num_cross_attention_heads,
            source_size=kv_dim,
            widening=config.cross_attention_widening_factor,
            query_residual=config.use_query_residual,
            **sizes,
        )
        self.self_attends = nn.ModuleList(
            PerceiverLayer(
                config,
                config.d_latents,
                config.num_self_attention_heads,
                widening=config.self_attention_widening_factor,
                **sizes,
            )
            for _ in range(config.num_self_attends_per_block)
        )

    def forward(
        self, latents: Tensor, context: AttentionContext, *, head_mask: Tensor | None = None
    ) -> Tensor:
        """(batch, num_latents, d_latents) to the same shape."""
        hidden = self.cross_attention(latents, context)
        for _ in range(self.num_blocks):
            hidden = run_layers(self.self_attends, hidden, context, head_mask=head_mask)
        return hidden


class PerceiverModel(PerceiverPreTrainedModel):
    """The latents, with what prepares inputs for them, asks them, and reads their answers.

    Args:
        decoder: gives `logits`; without one, the latents are all there is.
        input_preprocessor: makes vectors of the inputs; without one, they are vectors of `d_model`.
        output_postprocessor: makes something of the decoder's answers.
    """

    def __init__(
        self,
        config: PerceiverConfig,
        decoder: nn.Module | None = None,
        input_preprocessor: nn.Module | None = None,
        output_postprocessor: nn.Module | None = None,
    ) -> None:
        super().__init__(config)
        self.input_preprocessor, self.output_postprocessor = input_preprocessor, output_postprocessor
        self.embeddings = PerceiverEmbeddings(config)
        width = config.d_model if input_preprocessor is None else input_preprocessor.num_channels
        self.encoder = PerceiverEncoder(config, width)
        self.decoder = decoder
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.embeddings.latents

    def set_input_embeddings(self, value: nn.Parameter) -> None:
        self.embeddings.latents = value

    def prepare(self, inputs: Tensor | Mapping[str, Tensor], *, stretch: bool) -> Prepared:
        """Inputs as vectors of the width that the encoder takes."""
        if self.input_preprocessor is not None:
            return self.input_preprocessor(inputs, stretch=stretch)
        if inputs.shape[-1] != self.config.d_model:
            raise ValueError(
                f"Last dimension of the inputs: {inputs.shape[-1]} doesn't correspond to "
                f"config.d_model: {self.config.d_model}; set d_model, or give an input_preprocessor"
            )
        return Prepared(inputs, inputs)

    def forward(
        self,
        inputs: Tensor | Mapping[str, Tensor],
        attention_mask: Tensor | None = None,
        subsampled_output_points: Points = None,
        head_mask: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
    ) -> PerceiverModelOutput:
        """Inputs that the preprocessor takes, to latents (batch, num_latents, d_latents) and `logits`.

        Args:
            attention_mask: (batch, places), 0 for inputs that do not count.
            subsampled_output_points: indices of the outputs to compute, of each modality; by default all.
            interpolate_pos_encoding: stretch trained positions to images of another size.
        """
        prepared = self.prepare(inputs, stretch=interpolate_pos_encoding)
        latents = self.embeddings.latents.expand(len(prepared.inputs), -1, -1)
        context = AttentionContext(latents, encoder_states=prepared.inputs, encoder_padding=attention_mask)
        hidden, logits = self.encoder(latents, context, head_mask=head_mask), None
        if self.decoder is not None:
            logits = self.decoder(self.decoder.decoder_query(prepared, subsampled_output_points), hidden)
            if self.output_postprocessor is not None:
                logits = self.output_postprocessor(logits)
        return PerceiverModelOutput(logits=logits, last_hidden_state=hidden)


class PerceiverHead(PerceiverPreTrainedModel):
    """A model with parts of its own; a subclass says which in `parts`."""

    hub_names = {"model": "perceiver"}

    def __init__(self, config: PerceiverConfig) -> None:
        super().__init__(config)
        self.model = PerceiverModel(config, **self.parts(config))
        self.post_init()

    def parts(self, config: PerceiverConfig) -> dict[str, nn.Module]:
        """Preprocessor, decoder and postprocessor."""
        raise NotImplementedError

    def given(self, inputs: Any, other: Any, name: str) -> Any:
        """`inputs`, which may also be passed by another name."""
        if (inputs is None) == (other is None):
            raise ValueError(f"pass either inputs or {name}")
        return other if inputs is None else inputs


class PerceiverForMaskedLM(PerceiverHead):
    """The Perceiver on bytes of text, with scores for each of them."""

    def __init__(self, config: PerceiverConfig) -> None:
        super().__init__(config)
        self.embedding_decoder = PerceiverEmbeddingDecoder(config)

    def parts(self, config: PerceiverConfig) -> dict[str, nn.Module]:
        decoder = PerceiverBasicDecoder(
            config,
            output_num_channels=config.d_latents,
            output_index_dims=config.max_position_embeddings,
            num_channels=config.d_model,
            qk_channels=8 * 32,
            v_channels=config.d_model,
            num_heads=8,
            use_query_residual=False,
            final_project=False,
            trainable_position_encoding_kwargs={
                "num_channels": config.d_model,
                "index_dims": config.max_position_embeddings,
            },
        )
        return {"input_preprocessor": PerceiverTextPreprocessor(config), "decoder": decoder}

    def forward(
        self,
        inputs: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        input_ids: Tensor | None = None,
    ) -> PerceiverMaskedLMOutput:
        """Ids (batch, sequence) to scores (batch, max_position_embeddings, vocabulary)."""
        outputs = self.model(self.given(inputs, input_ids, "input_ids"), attention_mask, head_mask=head_mask)
        logits = self.embedding_decoder(outputs.logits, self.model.input_preprocessor.embeddings)
        loss = None if labels is None else token_loss(logits, labels)
        return PerceiverMaskedLMOutput.carry(outputs, loss=loss, logits=logits)


class PerceiverClassifier(PerceiverHead):
    """A Perceiver with one query, answered by the scores of classes."""

    def parts(self, config: PerceiverConfig) -> dict[str, nn.Module]:
        decoder = PerceiverClassificationDecoder(
            config,
            num_channels=config.d_latents,
            use_query_residual=True,
            trainable_position_encoding_kwargs={"num_channels": config.d_latents, "index_dims": 1},
        )
        return {"input_preprocessor": self.make_preprocessor(config), "decoder": decoder}

    def make_preprocessor(self, config: PerceiverConfig) -> nn.Module:
        """What makes vectors of the inputs."""
        raise NotImplementedError

    def classify(self, inputs: Tensor, labels: Tensor | None, **options: Any) -> PerceiverClassifierOutput:
        """Scores (batch, classes) and the loss of `labels`."""
        outputs = self.model(inputs, **options)
        loss = None if labels is None else sequence_loss(outputs.logits, labels, self.config)
        return PerceiverClassifierOutput.carry(outputs, loss=loss)


class PerceiverForSequenceClassification(PerceiverClassifier):
    """The Perceiver on bytes of text, with scores of classes."""

    def make_preprocessor(self, config: PerceiverConfig) -> nn.Module:
        return PerceiverTextPreprocessor(config)

    def forward(
        self,
        inputs: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        input_ids: Tensor | None = None,
    ) -> PerceiverClassifierOutput:
        """Ids (batch, sequence) to scores (batch, classes)."""
        inputs = self.given(inputs, input_ids, "input_ids")
        return self.classify(inputs, labels, attention_mask=attention_mask, head_mask=head_mask)


class PerceiverImageClassifier(PerceiverClassifier):
    """A Perceiver on images; `image_options` say how they are prepared."""

    image_options: ClassVar[Mapping[str, Any]] = {}

    def make_preprocessor(self, config: PerceiverConfig) -> nn.Module:
        return PerceiverImagePreprocessor(config, spatial_downsample=1, **self.image_options)

    def forward(
        self,
        inputs: Tensor | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        labels: Tensor | None = None,
        interpolate_pos_encoding: bool = False,
        *,
        pixel_values: Tensor | None = None,
    ) -> PerceiverClassifierOutput:
        """Images (batch, channels, height, width) to scores (batch, classes)."""
        return self.classify(
            self.given(inputs, pixel_values, "pixel_values"),
            labels,
            attention_mask=attention_mask,
            head_mask=head_mask,
            interpolate_pos_encoding=interpolate_pos_encoding,
        )


class PerceiverForImageClassificationLearned(PerceiverImageClassifier):
    """Pixels with trained positions."""

    def make_preprocessor(self, config: PerceiverConfig) -> nn.Module:
        return PerceiverImagePreprocessor(
            config,
            prep_type="conv1x1",
            spatial_downsample=1,
            out_channels=256,
            position_encoding_type="trainable",
            project_pos_dim=256,
            trainable_position_encoding_kwargs={"num_channels": 256, "index_dims": config.image_size**2},
        )


class PerceiverForImageClassificationFourier(PerceiverImageClassifier):
    """Pixels with computed positions."""

    image_options = {
        "prep_type": "pixels",
        "fourier_position_encoding_kwargs": {"num_bands": 64, "max_resolution": (224, 224)},
    }


class PerceiverForImageClassificationConvProcessing(PerceiverImageClassifier):
    """What a convolution makes of the pixels, with computed positions."""

    image_options = {
        "prep_type": "conv",
        "fourier_position_encoding_kwargs": {"num_bands": 64, "max_resolution": (56, 56)},
    }


class PerceiverForOpticalFlow(PerceiverHead):
    """How each pixel moves from one frame to the next."""

    def parts(self, config: PerceiverConfig) -> dict[str, nn.Module]:
        positions = {"num_bands": 64, "max_resolution": config.train_size}
        preprocessor = PerceiverImagePreprocessor(
            config,
            prep_type="patches",
            spatial_downsample=1,
            temporal_downsample=2,
            out_channels=64,
            conv_after_patching=True,
            conv_after_patching_in_channels=54,
            fourier_position_encoding_kwargs=positions,
        )
        decoder = PerceiverOpticalFlowDecoder(
            config,
            output_image_shape=config.train_size,
            num_channels=preprocessor.num_channels,
            use_query_residual=False,
            position_encoding_type="fourier",
            fourier_position_encoding_kwargs=positions,
        )
        return {"input_preprocessor": preprocessor, "decoder": decoder}

    def forward(
        self, inputs: Tensor, attention_mask: Tensor | None = None, head_mask: Tensor | None = None
    ) -> PerceiverClassifierOutput:
        """Patches of two frames (batch, 2, 27, height, width) to their flow (batch, height, width, 2)."""
        return PerceiverClassifierOutput.carry(self.model(inputs, attention_mask, head_mask=head_mask))


class PerceiverForMultimodalAutoencoding(PerceiverHead):
    """Video, sound and label in one set of latents, and out of it again."""

    def parts(self, config: PerceiverConfig) -> dict[str, nn.Module]:
        samples = config.num_frames * config.audio_samples_per_frame
        audio = {"num_bands": 192, "max_resolution": (samples,)}
        size = config.image_size
        image = {"num_bands": 32, "max_resolution": (config.num_frames, size, size)}
        preprocessor = PerceiverMultimodalPreprocessor(
            {
                "audio": PerceiverAudioPreprocessor(
                    config,
                    samples_per_patch=config.samples_per_patch,
                    fourier_position_encoding_kwargs=audio,
                ),
                "image": PerceiverImagePreprocessor(
                    config, prep_type="patches", fourier_position_encoding_kwargs=image
                ),
                "label": PerceiverOneHotPreprocessor(config),
            },
            mask_probs={"image": 0.0, "audio": 0.0, "label": 1.0},
            min_padding_size=4,
        )
        query: dict[str, Any] = {
            "position_encoding_only": True,
            "use_query_residual": False,
        }
        channels = config.output_num_channels
        queries = {
            "audio": PerceiverBasicDecoder(
                config,
                channels,
                output_index_dims=samples // config.samples_per_patch,
                position_encoding_type="fourier",
                fourier_position_encoding_kwargs=audio,
                **query,
            ),
            "image": PerceiverBasicVideoAutoencodingDecoder(
                config,
                output_num_channels=channels,
                output_shape=config.output_shape,
                position_encoding_type="fourier",
                fourier_position_encoding_kwargs=image,
                **query,
            ),
            "label": PerceiverClassificationDecoder(
                config,
                trainable_position_encoding_kwargs={
                    "num_channels": config._label_trainable_num_channels,
                    "index_dims": 1,
                },
                **query,
            ),
        }
        decoder = PerceiverMultimodalDecoder(config, queries, output_num_channels=channels)
        postprocessor = PerceiverMultimodalPostprocessor(
            {
                "audio": PerceiverAudioPostprocessor(config, channels),
                "image": PerceiverProjectionPostprocessor(channels, 3),
                "label": PerceiverClassificationPostprocessor(config, channels),
            }
        )
        return {"input_preprocessor": preprocessor, "decoder": decoder, "output_postprocessor": postprocessor}

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        attention_mask: Tensor | None = None,
        subsampled_output_points: Mapping[str, Tensor | None] | None = None,
        head_mask: Tensor | None = None,
    ) -> PerceiverClassifierOutput:
        """The input of each modality to its reconstruction.

        Args:
            inputs: "image" (batch, frames, 3, height, width), "audio" (batch, samples, 1) and "label"
                (batch, labels); the label is always hidden from the model.
            subsampled_output_points: indices (points,) into the pixels of all frames and into the patches
                of the sound: what does not fit into memory at once can be asked for in turn.
        """
        outputs = self.model(inputs, attention_mask, subsampled_output_points, head_mask=head_mask)
        return PerceiverClassifierOutput.carry(outputs)
