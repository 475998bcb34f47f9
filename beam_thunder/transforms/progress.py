"""How far a local run is: a channel of small files from the workers to the display.

Beam's local runner reports no metrics while it runs, and its workers may be
processes of their own; so each process adds to a file of its own, and the
display sums them up. On a cluster, Beam's own metrics say the same.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_FLUSH_SECONDS = 0.2
_amounts: dict[str, Counter[str]] = {}
_flushed: dict[str, float] = {}
_lock = threading.Lock()  # a process may run several worker threads


@dataclass(frozen=True)
class Progress:
    """Adds amounts (`rows`, `bytes`, `shards`, `answered`, ...) to what this process has done.

    Attributes:
      folder: a local folder for the files; None to report nothing.
    """

    folder: str | None = None

    def add(self, what: str, amount: int) -> None:
        """Counts `amount` more of `what`; shown within a fraction of a second."""
        if self.folder is None:
            return
        with _lock:
            own = _amounts.setdefault(self.folder, Counter())
            own[what] += amount
            now = time.monotonic()
            # These come by the hundred a second; anything else is a milestone.
            often = what in ("rows", "answered", "tokens")
            if often and now - _flushed.get(self.folder, 0.0) < _FLUSH_SECONDS:
                return
            _flushed[self.folder] = now
            path = Path(self.folder, f"{os.getpid()}.json")
            path.with_suffix(".new").write_text(json.dumps(own))
            path.with_suffix(".new").replace(path)

    def total(self) -> Counter[str]:
        """What all processes have done so far."""
        done: Counter[str] = Counter()
        if self.folder is not None:
            for path in Path(self.folder).glob("*.json"):
                done.update(json.loads(path.read_text()))
        return done
