"""Pipelines: functions that wire transforms, and read like the flow's description."""

from beam_thunder.pipelines.processed import Plan, Validation, build, plan

__all__ = ["Plan", "Validation", "build", "plan"]
