"""What PrismRunner needs: Beam's portable local runner, a program written in Go."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from beam_thunder.errors import UserError

BUILT = Path(".prism") / "prism"
"""Where `make prism` puts it."""


def settle(flags: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
    """The flags with the program's place.

    Raises:
      UserError: there is none. Beam itself would download one, and wait where it cannot.
    """
    given = settings["prism_location"]
    if given and ("://" in given or Path(given).is_file()):
        return list(flags)
    if given:
        raise UserError(f"--prism_location {given}: no such file; build it with `make prism`")
    found = str(BUILT.absolute()) if BUILT.is_file() else shutil.which("prism")
    if found is None:
        raise UserError(
            f"PrismRunner needs Beam's prism, which is neither {BUILT} nor on the path; build "
            "it with `make prism`, or give --prism_location FILE"
        )
    return [*flags, f"--prism_location={found}"]
