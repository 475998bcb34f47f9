"""The steps of the flow, one module each; `sources` has one transform per dataset."""

import pyarrow as pa
from apache_beam.coders.typecoders import registry

from beam_thunder.transforms.coders import RecordBatchCoder
from beam_thunder.transforms.pair import Paired, PairedCoder, PairOptions, option_attempts, pair
from beam_thunder.transforms.parse import ParseRows
from beam_thunder.transforms.progress import Progress
from beam_thunder.transforms.read import (
    BATCH_ROWS,
    RawRows,
    RawSlice,
    ReadRaw,
    count_rows,
    find_files,
    raw_slices,
)
from beam_thunder.transforms.shuffle import ShuffleIntoShards
from beam_thunder.transforms.sources import open_parser, parser
from beam_thunder.transforms.write import WriteRejects, WriteShards

__all__ = [
    "BATCH_ROWS",
    "PairOptions",
    "Paired",
    "PairedCoder",
    "ParseRows",
    "Progress",
    "RawRows",
    "RawSlice",
    "ReadRaw",
    "RecordBatchCoder",
    "ShuffleIntoShards",
    "WriteRejects",
    "WriteShards",
    "count_rows",
    "find_files",
    "open_parser",
    "option_attempts",
    "pair",
    "parser",
    "raw_slices",
    "register_coders",
]


def register_coders() -> None:
    """Tells Beam how what flows is encoded; pipelines do it before they use it."""
    registry.register_coder(pa.RecordBatch, RecordBatchCoder)
    registry.register_coder(Paired, PairedCoder)
