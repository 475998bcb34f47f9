"""How record batches travel between workers: as Arrow IPC messages.

Beam's default would pickle them, with the whole buffers behind each slice.
"""

from __future__ import annotations

import pyarrow as pa
from apache_beam import coders


class RecordBatchCoder(coders.Coder):
    """A record batch and its schema."""

    def encode(self, batch: pa.RecordBatch) -> bytes:
        schema = batch.schema.serialize()
        padding = b"\0" * (-len(schema) % 8)  # so that the columns stay aligned
        head = (len(schema) + len(padding)).to_bytes(8, "big")
        # `serialize` leaves out what is not in a slice, which pickling would not.
        return b"".join([head, schema, padding, batch.serialize()])

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        length = int.from_bytes(encoded[:8], "big")
        data = pa.py_buffer(encoded)
        schema = pa.ipc.read_schema(data.slice(8, length))
        return pa.ipc.read_record_batch(data.slice(8 + length), schema)

    def estimate_size(self, batch: pa.RecordBatch) -> int:
        # Beam samples sizes for its metrics, and would encode batches to learn them.
        return batch.nbytes

    def to_type_hint(self) -> type:
        return pa.RecordBatch
