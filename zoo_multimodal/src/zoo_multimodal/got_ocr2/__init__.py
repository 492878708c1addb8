"""GOT-OCR 2.0 (https://arxiv.org/abs/2409.01704)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="got_ocr2",
    config="zoo_multimodal.got_ocr2.config:GotOcr2Config",
    models=classes(
        "zoo_multimodal.got_ocr2.model",
        AutoModel="GotOcr2Model",
        AutoModelForCausalLM="GotOcr2ForConditionalGeneration",
        AutoModelForImageTextToText="GotOcr2ForConditionalGeneration",
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
    image_processor="zoo_vision.processing.tiles_canvas:GotOcr2ImageProcessor",
    processor="zoo_multimodal.got_ocr2.processor:GotOcr2Processor",
)
