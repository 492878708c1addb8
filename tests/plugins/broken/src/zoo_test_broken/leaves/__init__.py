"""Leaves the process when imported."""

import sys

sys.exit("this plugin wants to go home")
