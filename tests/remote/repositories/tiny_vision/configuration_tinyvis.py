from transformers import PretrainedConfig


class TinyVisConfig(PretrainedConfig):
    model_type = "tinyvis"

    def __init__(self, image_size=16, patch_size=4, num_channels=3, depths=[1, 1], dims=[12, 16],
                 drop_path_rate=0.1, layer_scale_init_value=1e-6, use_rel_pos=True, **kwargs):
        super().__init__(**kwargs)
        self.image_size = image_size
        self.patch_size = patch_size
        self.num_channels = num_channels
        self.depths = depths
        self.dims = dims
        self.drop_path_rate = drop_path_rate
        self.layer_scale_init_value = layer_scale_init_value
        self.use_rel_pos = use_rel_pos
