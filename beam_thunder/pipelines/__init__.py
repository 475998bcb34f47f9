"""Pipelines: functions that wire transforms, and read like the flow's description."""

from beam_thunder.pipelines.build import Plan, Validation, build, plan
from beam_thunder.pipelines.questions import Job

__all__ = ["Job", "Plan", "Validation", "build", "plan"]
