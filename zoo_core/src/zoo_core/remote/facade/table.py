"""Which names the facade has, and what serves each: 4.x and 5.x names, and those since removed.

A name is found from any module of the tree, as the library itself re-exports freely.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = "4.57.6"
"""What ``transformers.__version__`` says: the release whose behaviour the zoo matches."""

_HERE = "zoo_core.remote.facade"
_OUTPUTS = """
    ModelOutput BaseModelOutput BaseModelOutputWithNoAttention BaseModelOutputWithPooling
    BaseModelOutputWithPoolingAndNoAttention BaseModelOutputWithPast BaseModelOutputWithCrossAttentions
    BaseModelOutputWithPastAndCrossAttentions BaseModelOutputWithPoolingAndCrossAttentions
    BaseModelOutputWithPoolingAndProjection MoeModelOutputWithPast MoEModelOutput
    MoEModelOutputWithPastAndCrossAttentions BackboneOutput CausalLMOutput CausalLMOutputWithPast
    CausalLMOutputWithCrossAttentions MoeCausalLMOutputWithPast MaskedLMOutput NextSentencePredictorOutput
    SequenceClassifierOutput SequenceClassifierOutputWithPast TokenClassifierOutput MultipleChoiceModelOutput
    QuestionAnsweringModelOutput Seq2SeqModelOutput Seq2SeqLMOutput Seq2SeqSequenceClassifierOutput
    Seq2SeqQuestionAnsweringModelOutput Seq2SeqSpectrogramOutput ImageClassifierOutput
    ImageClassifierOutputWithNoAttention SemanticSegmenterOutput DepthEstimatorOutput
    MaskedImageModelingOutput ImageSuperResolutionOutput XVectorOutput Wav2Vec2BaseModelOutput
"""
_GROUPS: Final[dict[str, str]] = {
    f"{_HERE}.outputs": _OUTPUTS,
    f"{_HERE}.configuration": """
        PretrainedConfig layer_type_validation PatchingSpec compute_effective_axis_dimension OnnxConfig
        OnnxConfigWithPast OnnxSeq2SeqConfigWithPast
    """,
    f"{_HERE}.modeling": """
        PreTrainedModel GenerationMixin GradientCheckpointingLayer GenericForSequenceClassification
        GenericForTokenClassification GenericForQuestionAnswering
    """,
    f"{_HERE}.caches": "Cache DynamicCache StaticCache SlidingWindowCache EncoderDecoderCache",
    f"{_HERE}.masks": """
        AttentionMaskConverter _prepare_4d_causal_attention_mask _prepare_4d_causal_attention_mask_for_sdpa
        _prepare_4d_attention_mask _prepare_4d_attention_mask_for_sdpa _create_4d_causal_attention_mask
        create_causal_mask create_sliding_window_causal_mask create_bidirectional_mask
    """,
    f"{_HERE}.rope": "ROPE_INIT_FUNCTIONS dynamic_rope_update rope_config_validation",
    f"{_HERE}.blocks": """
        ALL_ATTENTION_FUNCTIONS ALL_LAYERNORM_LAYERS AttentionInterface Conv1D apply_chunking_to_forward
        meshgrid isin_mps_friendly find_pruneable_heads_and_indices prune_linear_layer softmax_backward_data
        _flash_attention_forward make_flex_block_causal_mask BlockMask
    """,
    f"{_HERE}.activations": """
        ACT2FN ACT2CLS get_activation gelu gelu_new silu GELUActivation NewGELUActivation QuickGELUActivation
        FastGELUActivation PytorchGELUTanh ReLUSquaredActivation MishActivation SiLUActivation
    """,
    f"{_HERE}.decorators": """
        auto_docstring deprecate_kwarg can_return_tuple check_model_inputs OutputRecorder requires_backends
        get_logger
    """,
    f"{_HERE}.availability": """
        ExplicitEnum TensorType PaddingStrategy FlashAttentionKwargs TransformersKwargs LossKwargs
        OptionalDependencyNotAvailable is_scipy_available is_vision_available is_torchvision_available
        is_timm_available is_einops_available is_accelerate_available is_peft_available
        is_sentencepiece_available is_torch_greater_or_equal torch_int torch_float cached_file DUMMY_INPUTS
        DUMMY_MASK IMAGENET_STANDARD_MEAN IMAGENET_STANDARD_STD IMAGENET_DEFAULT_MEAN IMAGENET_DEFAULT_STD
        OPENAI_CLIP_MEAN OPENAI_CLIP_STD CONFIG_NAME WEIGHTS_NAME WEIGHTS_INDEX_NAME SAFE_WEIGHTS_NAME
        SAFE_WEIGHTS_INDEX_NAME GENERATION_CONFIG_NAME TruncationStrategy TextInput PreTokenizedInput
        EncodedInput is_torch_tensor to_py_obj get_checkpoint_shard_files require_version no_init_weights
        cached_property _is_control _is_punctuation _is_whitespace
    """,
    f"{_HERE}.backbones": """
        get_aligned_output_features_output_indices verify_backbone_config_arguments load_backbone
        BackboneConfigMixin BackboneMixin
    """,
    f"{_HERE}.distributions": "NormalOutput StudentTOutput NegativeBinomialOutput",
    "typing": "Unpack",
    "zoo_core.tokenization": """
        PreTrainedTokenizer PreTrainedTokenizerBase PreTrainedTokenizerFast BatchEncoding AddedToken
    """,
    f"{_HERE}.processors": """
        BaseImageProcessor ImageProcessingMixin FeatureExtractionMixin SequenceFeatureExtractor ProcessorMixin
        ProcessingKwargs TextKwargs ImagesKwargs VideosKwargs AudioKwargs CommonKwargs
    """,
    f"{_HERE}.images": """
        ImageInput VideoInput ChannelDimension PILImageResampling PaddingMode is_valid_image is_batched
        valid_images make_list_of_images make_flat_list_of_images to_numpy_array
        infer_channel_dimension_format get_image_size is_scaled_image load_image validate_preprocess_arguments
        to_channel_dimension_format convert_to_rgb to_pil_image resize rescale normalize pad center_crop
        get_resize_output_image_size get_size_dict select_best_resolution
    """,
    "zoo_core.processing": "BatchFeature",
    "zoo_core.generation": """
        GenerationConfig LogitsProcessor LogitsProcessorList StoppingCriteria StoppingCriteriaList
        BaseStreamer TextStreamer TextIteratorStreamer
    """,
    "zoo_core.generation.stopping": "MaxLengthCriteria MaxTimeCriteria EosTokenCriteria StopStringCriteria",
    "zoo_core.generation.logits.warpers": """
        TemperatureLogitsWarper TopKLogitsWarper TopPLogitsWarper MinPLogitsWarper TypicalLogitsWarper
        EpsilonLogitsWarper EtaLogitsWarper LogitNormalization InfNanRemoveLogitsProcessor
    """,
    "zoo_core.generation.logits.penalties": """
        RepetitionPenaltyLogitsProcessor HammingDiversityLogitsProcessor
    """,
    "zoo_core.generation.logits.lengths": """
        MinLengthLogitsProcessor MinNewTokensLengthLogitsProcessor ForcedBOSTokenLogitsProcessor
        ForcedEOSTokenLogitsProcessor
    """,
    "zoo_core.generation.logits.bans": """
        NoRepeatNGramLogitsProcessor NoBadWordsLogitsProcessor SuppressTokensLogitsProcessor
        SuppressTokensAtBeginLogitsProcessor PrefixConstrainedLogitsProcessor
    """,
    "zoo_core.generation.outputs": """
        GenerateDecoderOnlyOutput GenerateEncoderDecoderOutput GenerateBeamDecoderOnlyOutput
        GenerateBeamEncoderDecoderOutput
    """,
}
_TRUE = """
    is_torch_available is_torch_greater_or_equal_than_1_10 is_torch_greater_or_equal_than_1_13
    is_torch_greater_or_equal_than_2_0 is_torch_greater_or_equal_than_2_1 is_torch_greater_or_equal_than_2_2
    is_torch_sdpa_available is_tokenizers_available is_safetensors_available is_numpy_available
"""
_FALSE = """
    is_flash_attn_2_available is_flash_attn_available is_flash_attn_greater_or_equal
    is_flash_attn_greater_or_equal_2_10 flash_attn_supports_top_left_mask is_torch_flex_attn_available
    is_torchdynamo_compiling is_torch_fx_available is_torch_fx_proxy is_torch_cuda_available
    is_torch_tpu_available is_torch_xla_available is_torch_npu_available is_torch_xpu_available
    is_deepspeed_zero3_enabled is_deepspeed_available is_fsdp_managed_module is_fsdp_enabled
    is_causal_conv1d_available is_mamba_ssm_available is_mamba_2_ssm_available is_mambapy_available
    is_ninja_available is_kernels_available is_triton_available is_bitsandbytes_available is_natten_available
    is_torch_mps_available is_flash_attn_3_available is_offline_mode is_pytesseract_available
    is_xlstm_available is_detectron2_available is_flash_linear_attention_available is_tf_available
    is_flax_available is_torchdynamo_available is_torch_bf16_gpu_available is_optimum_available is_tracing
"""
_DOCUMENTED = """
    add_start_docstrings add_start_docstrings_to_model_forward add_end_docstrings add_code_sample_docstrings
    replace_return_docstrings use_kernel_forward_from_hub use_kernelized_func filter_out_non_signature_kwargs
    compile_compatible_method_lru_cache torch_compilable_check
"""
_SETTERS = """
    set_verbosity set_verbosity_info set_verbosity_warning set_verbosity_error set_verbosity_debug
    enable_default_handler disable_default_handler enable_progress_bar disable_progress_bar
    enable_explicit_format
"""


def _symbols() -> dict[str, str]:
    table = {name: f"{place}:{name}" for place, names in _GROUPS.items() for name in names.split()}
    for value, names in (("true", _TRUE), ("false", _FALSE)):
        table.update(dict.fromkeys(names.split(), f"{_HERE}.availability:{value}"))
    table.update(dict.fromkeys(_DOCUMENTED.split(), f"{_HERE}.decorators:documented"))
    table.update(dict.fromkeys(_SETTERS.split(), f"{_HERE}.decorators:set_verbosity"))
    table["PreTrainedConfig"] = table["PretrainedConfig"]
    table["use_kernel_forward_from_hub"] = f"{_HERE}.decorators:documented"
    table["sdpa_attention_forward"] = f"{_HERE}.blocks:sdpa_attention_forward"
    for name in ("HybridCache", "OffloadedCache", "QuantizedCache"):
        table[name] = f"{_HERE}.caches:DynamicCache"
    table["filter_out_non_signature_kwargs"] = f"{_HERE}.decorators:documented"
    for name in ("SampleDecoderOnlyOutput", "GreedySearchDecoderOnlyOutput", "GenerateNonBeamOutput"):
        table[name] = table["GenerateDecoderOnlyOutput"]
    table["GenerateOutput"] = table["GenerateDecoderOnlyOutput"]
    table["CONFIG_MAPPING"] = f"{_HERE}.natives:CONFIG_MAPPING"
    return table


SYMBOLS: Final = _symbols()

PRIVATE: Final = {
    "Trainer": "training belongs outside of a model's code",
    "pipeline": "the zoo has no pipelines",
}
"""Names that are left out on purpose, with the reason."""

_MODULES = """
    activations cache_utils configuration_utils deepspeed dynamic_module_utils
    feature_extraction_sequence_utils feature_extraction_utils file_utils
    generation generation.configuration_utils generation.logits_process generation.stopping_criteria
    generation.streamers generation.utils image_processing_base image_processing_utils image_transforms
    image_utils integrations integrations.deepspeed integrations.flex_attention integrations.fsdp
    integrations.hub_kernels integrations.sdpa_attention logging loss loss.loss_utils masking_utils
    modeling_attn_mask_utils modeling_flash_attention_utils modeling_layers modeling_outputs
    modeling_rope_utils modeling_utils onnx onnx.config onnx.utils processing_utils pytorch_utils
    tokenization_utils tokenization_utils_base tokenization_utils_fast utils utils.backbone_utils
    time_series_utils utils.deprecation utils.doc utils.generic utils.hub utils.import_utils utils.logging
    utils.versions
"""
MODULES: Final = frozenset(_MODULES.split())
