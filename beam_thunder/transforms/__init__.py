"""The steps of the flow, one module each; `sources` has one transform per dataset."""

from beam_thunder.transforms.coders import RecordBatchCoder, register_coders
from beam_thunder.transforms.pair import PairOptions, option_attempts, pair
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
from beam_thunder.transforms.sources import parser
from beam_thunder.transforms.write import WriteRejects, WriteShards

__all__ = [
    "BATCH_ROWS",
    "PairOptions",
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
    "option_attempts",
    "pair",
    "parser",
    "raw_slices",
    "register_coders",
]
