"""The report on a build: one HTML page that needs no network, script or server.

Importing this package imports matplotlib, so import it where a report is made.
"""

from beam_thunder.report.diff import Piece, differences
from beam_thunder.report.report import write_report

__all__ = ["Piece", "differences", "write_report"]
