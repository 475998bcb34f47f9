"""What differs between runners: their options, and how a run is watched."""

from beam_thunder.runners.display import BuildView, GenerateView, display
from beam_thunder.runners.options import beam_options
from beam_thunder.runners.run import run

__all__ = ["BuildView", "GenerateView", "beam_options", "display", "run"]
