"""An architecture that no test asks for: importing it would be noticed."""

from zoo_core.architecture import Architecture

ARCHITECTURE = Architecture(model_type="silent", config="zoo_test_good.silent.config:SilentConfig")
