"""``python -m zoo_core.cli`` is ``zoo``."""

import sys

from zoo_core.cli import main

sys.exit(main())
