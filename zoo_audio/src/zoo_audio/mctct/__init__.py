"""M-CTC-T: one transcriber of sixty languages (https://arxiv.org/abs/2111.00161)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="mctct",
    config="zoo_audio.mctct.config:MCTCTConfig",
    models=classes("zoo_audio.mctct.model", AutoModel="MCTCTModel", AutoModelForCTC="MCTCTForCTC"),
    feature_extractor="zoo_audio.features.kaldi:MCTCTFeatureExtractor",
    processor="zoo_audio.mctct.processor:MCTCTProcessor",
)
