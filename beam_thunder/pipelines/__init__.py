"""Pipelines: functions that wire transforms, and read like the flow's description."""

from beam_thunder.pipelines.processed import Plan, build, plan

__all__ = ["Plan", "build", "plan"]
