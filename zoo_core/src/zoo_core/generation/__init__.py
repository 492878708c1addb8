"""Text generation: `model.generate`, its settings, and the parts that callers extend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo_core.generation.compiled import (
        CompileConfig as CompileConfig,
    )
    from zoo_core.generation.config import (
        GenerationConfig as GenerationConfig,
        GenerationMode as GenerationMode,
    )
    from zoo_core.generation.constraints import (
        Constraint as Constraint,
        DisjunctiveConstraint as DisjunctiveConstraint,
        PhrasalConstraint as PhrasalConstraint,
    )
    from zoo_core.generation.logits.bans import (
        EncoderNoRepeatNGramLogitsProcessor as EncoderNoRepeatNGramLogitsProcessor,
        NoBadWordsLogitsProcessor as NoBadWordsLogitsProcessor,
        NoRepeatNGramLogitsProcessor as NoRepeatNGramLogitsProcessor,
        PrefixConstrainedLogitsProcessor as PrefixConstrainedLogitsProcessor,
        SequenceBiasLogitsProcessor as SequenceBiasLogitsProcessor,
        SuppressTokensAtBeginLogitsProcessor as SuppressTokensAtBeginLogitsProcessor,
        SuppressTokensLogitsProcessor as SuppressTokensLogitsProcessor,
    )
    from zoo_core.generation.logits.base import (
        LogitsProcessor as LogitsProcessor,
        LogitsProcessorList as LogitsProcessorList,
    )
    from zoo_core.generation.logits.guidance import (
        ClassifierFreeGuidanceLogitsProcessor as ClassifierFreeGuidanceLogitsProcessor,
        UnbatchedClassifierFreeGuidanceLogitsProcessor as UnbatchedClassifierFreeGuidanceLogitsProcessor,
    )
    from zoo_core.generation.logits.lengths import (
        ExponentialDecayLengthPenalty as ExponentialDecayLengthPenalty,
        ForcedBOSTokenLogitsProcessor as ForcedBOSTokenLogitsProcessor,
        ForcedEOSTokenLogitsProcessor as ForcedEOSTokenLogitsProcessor,
        MinLengthLogitsProcessor as MinLengthLogitsProcessor,
        MinNewTokensLengthLogitsProcessor as MinNewTokensLengthLogitsProcessor,
    )
    from zoo_core.generation.logits.penalties import (
        EncoderRepetitionPenaltyLogitsProcessor as EncoderRepetitionPenaltyLogitsProcessor,
        FrequencyPenaltyLogitsProcessor as FrequencyPenaltyLogitsProcessor,
        HammingDiversityLogitsProcessor as HammingDiversityLogitsProcessor,
        RepetitionPenaltyLogitsProcessor as RepetitionPenaltyLogitsProcessor,
    )
    from zoo_core.generation.logits.warpers import (
        EpsilonLogitsWarper as EpsilonLogitsWarper,
        EtaLogitsWarper as EtaLogitsWarper,
        InfNanRemoveLogitsProcessor as InfNanRemoveLogitsProcessor,
        LogitNormalization as LogitNormalization,
        MinPLogitsWarper as MinPLogitsWarper,
        TemperatureLogitsWarper as TemperatureLogitsWarper,
        TopKLogitsWarper as TopKLogitsWarper,
        TopPLogitsWarper as TopPLogitsWarper,
        TypicalLogitsWarper as TypicalLogitsWarper,
    )
    from zoo_core.generation.mixin import (
        GenerationMixin as GenerationMixin,
    )
    from zoo_core.generation.outputs import (
        GenerateBeamDecoderOnlyOutput as GenerateBeamDecoderOnlyOutput,
        GenerateBeamEncoderDecoderOutput as GenerateBeamEncoderDecoderOutput,
        GenerateDecoderOnlyOutput as GenerateDecoderOnlyOutput,
        GenerateEncoderDecoderOutput as GenerateEncoderDecoderOutput,
    )
    from zoo_core.generation.stopping import (
        ConfidenceCriteria as ConfidenceCriteria,
        EosTokenCriteria as EosTokenCriteria,
        MaxLengthCriteria as MaxLengthCriteria,
        MaxTimeCriteria as MaxTimeCriteria,
        StoppingCriteria as StoppingCriteria,
        StoppingCriteriaList as StoppingCriteriaList,
        StopStringCriteria as StopStringCriteria,
    )
    from zoo_core.generation.streamers import (
        AsyncTextIteratorStreamer as AsyncTextIteratorStreamer,
        BaseStreamer as BaseStreamer,
        TextIteratorStreamer as TextIteratorStreamer,
        TextStreamer as TextStreamer,
    )
    from zoo_core.generation.watermark import (
        WatermarkDetector as WatermarkDetector,
        WatermarkDetectorOutput as WatermarkDetectorOutput,
        WatermarkingConfig as WatermarkingConfig,
        WatermarkLogitsProcessor as WatermarkLogitsProcessor,
    )

_MODULES: dict[str, tuple[str, ...]] = {
    "compiled": ("CompileConfig",),
    "config": (
        "GenerationConfig",
        "GenerationMode",
    ),
    "constraints": (
        "Constraint",
        "DisjunctiveConstraint",
        "PhrasalConstraint",
    ),
    "logits.bans": (
        "EncoderNoRepeatNGramLogitsProcessor",
        "NoBadWordsLogitsProcessor",
        "NoRepeatNGramLogitsProcessor",
        "PrefixConstrainedLogitsProcessor",
        "SequenceBiasLogitsProcessor",
        "SuppressTokensAtBeginLogitsProcessor",
        "SuppressTokensLogitsProcessor",
    ),
    "logits.base": (
        "LogitsProcessor",
        "LogitsProcessorList",
    ),
    "logits.guidance": (
        "ClassifierFreeGuidanceLogitsProcessor",
        "UnbatchedClassifierFreeGuidanceLogitsProcessor",
    ),
    "logits.lengths": (
        "ExponentialDecayLengthPenalty",
        "ForcedBOSTokenLogitsProcessor",
        "ForcedEOSTokenLogitsProcessor",
        "MinLengthLogitsProcessor",
        "MinNewTokensLengthLogitsProcessor",
    ),
    "logits.penalties": (
        "EncoderRepetitionPenaltyLogitsProcessor",
        "FrequencyPenaltyLogitsProcessor",
        "HammingDiversityLogitsProcessor",
        "RepetitionPenaltyLogitsProcessor",
    ),
    "logits.warpers": (
        "EpsilonLogitsWarper",
        "EtaLogitsWarper",
        "InfNanRemoveLogitsProcessor",
        "LogitNormalization",
        "MinPLogitsWarper",
        "TemperatureLogitsWarper",
        "TopKLogitsWarper",
        "TopPLogitsWarper",
        "TypicalLogitsWarper",
    ),
    "mixin": ("GenerationMixin",),
    "outputs": (
        "GenerateBeamDecoderOnlyOutput",
        "GenerateBeamEncoderDecoderOutput",
        "GenerateDecoderOnlyOutput",
        "GenerateEncoderDecoderOutput",
    ),
    "stopping": (
        "ConfidenceCriteria",
        "EosTokenCriteria",
        "MaxLengthCriteria",
        "MaxTimeCriteria",
        "StopStringCriteria",
        "StoppingCriteria",
        "StoppingCriteriaList",
    ),
    "streamers": (
        "AsyncTextIteratorStreamer",
        "BaseStreamer",
        "TextIteratorStreamer",
        "TextStreamer",
    ),
    "watermark": (
        "WatermarkDetector",
        "WatermarkDetectorOutput",
        "WatermarkLogitsProcessor",
        "WatermarkingConfig",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
