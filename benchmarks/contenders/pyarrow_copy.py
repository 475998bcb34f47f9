"""The least that the benchmark's job can take: pyarrow reads the input and writes the output.

    python benchmarks/contenders/pyarrow_copy.py FILE BUILT OUT RESULT

The output tables are read from a finished build before the clock starts, and are
written as the same files with the same settings.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Held:
    """A file of the build, in memory.

    Attributes:
      path: below the build's folder.
      table: its rows, as one chunk.
      settings: that it was written with.
      row_group_rows: rows of each of its row groups but the last.
    """

    path: Path
    table: pa.Table
    settings: dict[str, Any]
    row_group_rows: int


def hold(folder: Path) -> list[Held]:
    """All tables of a build."""
    files = sorted(folder.rglob("*.parquet"))
    return [_held(path, path.relative_to(folder)) for path in files]


def _held(path: Path, name: Path) -> Held:
    group = pq.read_metadata(path).row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    settings = {
        "compression": columns[0].compression,
        "use_dictionary": [c.path_in_schema for c in columns if c.has_dictionary_page] or False,
        "write_statistics": [c.path_in_schema for c in columns if c.is_stats_set] or False,
    }
    return Held(name, pq.read_table(path).combine_chunks(), settings, group.num_rows)


def write(held: Held, out: Path) -> None:
    """Writes a held table below `out`."""
    pq.write_table(
        held.table, out / held.path, row_group_size=held.row_group_rows, **held.settings
    )


def main(file: str, built: str, out: str, result: str) -> None:
    tables = hold(Path(built))
    for held in tables:
        (Path(out) / held.path).parent.mkdir(parents=True, exist_ok=True)
    start, cpu = time.perf_counter(), time.process_time()
    pq.read_table(file)
    for held in tables:
        write(held, Path(out))
    took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    Path(result).write_text(json.dumps(took), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
