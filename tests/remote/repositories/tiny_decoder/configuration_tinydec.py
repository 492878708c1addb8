"""Config of a small decoder, in the style of custom code on the Hub."""

from transformers import PretrainedConfig
from transformers.utils import logging

logger = logging.get_logger(__name__)


class TinyDecConfig(PretrainedConfig):
    model_type = "tinydec"
    keys_to_ignore_at_inference = ["past_key_values"]
    attribute_map = {"num_attention_heads": "n_head", "num_hidden_layers": "n_layer"}

    def __init__(
        self,
        vocab_size=97,
        hidden_size=32,
        n_layer=2,
        n_head=4,
        num_key_value_heads=2,
        intermediate_size=64,
        hidden_act="silu",
        max_position_embeddings=64,
        rms_norm_eps=1e-6,
        initializer_range=0.02,
        rope_theta=10000.0,
        use_cache=True,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        **kwargs,
    ):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.n_layer = n_layer
        self.n_head = n_head
        self.num_key_value_heads = num_key_value_heads
        self.intermediate_size = intermediate_size
        self.hidden_act = hidden_act
        self.max_position_embeddings = max_position_embeddings
        self.rms_norm_eps = rms_norm_eps
        self.initializer_range = initializer_range
        self.rope_theta = rope_theta
        self.use_cache = use_cache
        self.head_dim = hidden_size // n_head
        super().__init__(
            pad_token_id=pad_token_id,
            bos_token_id=bos_token_id,
            eos_token_id=eos_token_id,
            tie_word_embeddings=tie_word_embeddings,
            **kwargs,
        )
