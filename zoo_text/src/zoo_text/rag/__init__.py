"""RAG (https://arxiv.org/abs/2005.11401)."""

from zoo_core.architecture import Architecture

ARCHITECTURE = Architecture(
    model_type="rag",
    config="zoo_text.rag.config:RagConfig",
    models={},
    tokenizer="zoo_text.rag.tokenizer:RagTokenizer",
)
