"""Runs programs that nobody has read, where they can do no harm."""

from beam_thunder.grading.sandbox.sandbox import Limits, Outcome, Sandbox

__all__ = ["Limits", "Outcome", "Sandbox"]
