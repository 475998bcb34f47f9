"""Which answers of a model are dropped before they are graded, each for a named reason."""

from beam_thunder.filters.filters import (
    REASONS,
    Limits,
    filter_response,
    without_thinking,
)
from beam_thunder.filters.language import identify_language, prose

__all__ = [
    "REASONS",
    "Limits",
    "filter_response",
    "identify_language",
    "prose",
    "without_thinking",
]
