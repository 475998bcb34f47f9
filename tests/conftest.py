"""What several tests share: where raw data lies, and parsing it without a pipeline."""

import os
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import settings

from beam_thunder.transforms.fields import from_record, records_to_columns
from beam_thunder.transforms.read import find_files, raw_slices, read_slice
from tests.clusters import flink, prism

__all__ = ["flink", "prism"]  # one cluster for all tests that need it

PROJECT = Path(__file__).parent.parent

# Time limits for single examples fail on a busy machine, and say nothing of the code.
settings.register_profile("project", deadline=None, max_examples=60)
settings.load_profile("project")


@pytest.fixture(scope="session")
def examples():
    return PROJECT / "examples"


@pytest.fixture(scope="session")
def raw():
    """The folder of the real raw data, which is not part of the project."""
    folder = Path(os.environ.get("BEAM_THUNDER_RAW") or PROJECT.parent / "shared" / "raw")
    if not (folder / "hub").is_dir():
        pytest.skip(
            f"no real raw data: {folder} has no folder `hub`; set BEAM_THUNDER_RAW to a folder "
            "with `hub/` (layout of the Hugging Face Hub) and `release/` (publishers' files)"
        )
    return folder


@pytest.fixture(scope="session")
def parse_files():
    """Parses the files of a folder that match a pattern; gives a dict per raw row."""

    def parse(source, folder, pattern, batch_rows=1000):
        files = find_files(str(folder), [pattern])
        assert files, f"no {pattern} in {folder}"
        return [
            question
            for piece in raw_slices(files)
            for batch in read_slice(piece, source.rows, batch_rows)
            for question in source.parse(batch).to_pylist()
        ]

    return parse


@pytest.fixture(scope="session")
def parse_records():
    """Parses rows given as objects, as lines of JSON have them; gives a dict per row."""

    def parse(source, *records):
        found = [from_record(record, source.rows.fields) for record in records]
        origin = {
            "file": pa.array(["rows.jsonl"] * len(records)),
            "position": pa.array(range(1, len(records) + 1), pa.int64()),
        }
        columns = [*origin.values(), *records_to_columns(found, source.rows.fields)]
        rows = pa.RecordBatch.from_arrays(columns, schema=source.rows.schema)
        return source.parse(rows).to_pylist()

    return parse
