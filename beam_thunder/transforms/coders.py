"""How record batches travel between workers: as Arrow IPC streams.

Beam's default would pickle them, with the whole buffers behind each slice.
"""

from __future__ import annotations

import pyarrow as pa
from apache_beam import coders


class RecordBatchCoder(coders.Coder):
    """A record batch and its schema; equal batches have equal bytes."""

    def encode(self, batch: pa.RecordBatch) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        return sink.getvalue().to_pybytes()

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        with pa.ipc.open_stream(pa.py_buffer(encoded)) as stream:
            return stream.read_next_batch()

    def is_deterministic(self) -> bool:
        return True

    def to_type_hint(self) -> type:
        return pa.RecordBatch


def register_coders() -> None:
    """Tells Beam of the coder; pipelines do it before they use record batches."""
    coders.registry.register_coder(pa.RecordBatch, RecordBatchCoder)
