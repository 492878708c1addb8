"""Configuration of FSMT."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig, field, sub_config


class FSMTDecoderConfig(PretrainedConfig):
    """What files say of the decoder; all of it follows from the rest."""

    model_type = "fsmt_decoder"

    vocab_size: int = 0
    num_hidden_layers: int = 0


class FSMTConfig(PretrainedConfig):
    """Sizes and switches of an FSMT; the defaults are those of wmt19-en-de.

    `src_vocab_size` and `tgt_vocab_size` are the numbers of tokens of the two `langs`.
    """

    model_type = "fsmt"
    attribute_map = {"num_attention_heads": "encoder_attention_heads", "hidden_size": "d_model"}

    langs: list[str] = field(["en", "de"])
    src_vocab_size: int = 42024
    tgt_vocab_size: int = 42024
    activation_function: str = "relu"
    d_model: int = 1024
    max_position_embeddings: int = 1024
    encoder_ffn_dim: int = 4096
    encoder_layers: int = 12
    encoder_attention_heads: int = 16
    encoder_layerdrop: float = 0.0
    decoder_ffn_dim: int = 4096
    decoder_layers: int = 12
    decoder_attention_heads: int = 16
    decoder_layerdrop: float = 0.0
    attention_dropout: float = 0.0
    dropout: float = 0.1
    activation_dropout: float = 0.0
    init_std: float = 0.02
    decoder_start_token_id: int | None = 2
    is_encoder_decoder: bool = True
    scale_embedding: bool = True
    tie_word_embeddings: bool = False
    max_length: int | None = 200
    num_beams: int | None = 5
    use_cache: bool = True
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    forced_eos_token_id: int | list[int] | None = 2
    decoder: FSMTDecoderConfig = sub_config(FSMTDecoderConfig, fixed=True)

    def __post_init__(self) -> None:
        self.num_hidden_layers = self.encoder_layers
        eos = self.eos_token_id
        self.decoder = FSMTDecoderConfig(
            vocab_size=self.tgt_vocab_size, bos_token_id=eos, num_hidden_layers=self.encoder_layers
        )
