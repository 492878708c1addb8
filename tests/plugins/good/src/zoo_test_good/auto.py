"""An Auto class of the plugin's own."""

from zoo_core.auto import AutoModelClass
from zoo_core.modeling import PreTrainedModel


class AutoModelForRanking(AutoModelClass[PreTrainedModel]):
    """Models with a head that scores documents."""
