"""What differs between runners: their options, and how a run is watched."""

from beam_thunder.runners.options import beam_options
from beam_thunder.runners.run import run

__all__ = ["beam_options", "run"]
