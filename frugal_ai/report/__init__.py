"""What a run found: written by the run, read by tracking and the leaderboard."""

from frugal_ai.report.figures import Figures
from frugal_ai.report.leads import Lead, LeadReport
from frugal_ai.report.parts import (
    ContextReport,
    HardwareReport,
    LevelReport,
    MlflowReport,
    NotRun,
    OriginsReport,
    RungReport,
    TuningReport,
)
from frugal_ai.report.row import Circumstances, RungRow, Weather
from frugal_ai.report.run import RunReport

__all__ = [
    "Circumstances",
    "ContextReport",
    "Figures",
    "HardwareReport",
    "Lead",
    "LeadReport",
    "LevelReport",
    "MlflowReport",
    "NotRun",
    "OriginsReport",
    "RunReport",
    "RungReport",
    "RungRow",
    "TuningReport",
    "Weather",
]
