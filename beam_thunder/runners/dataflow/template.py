"""What Dataflow's flex template starts: a stream, whose windows its workers publish.

A template's launcher ends when the job has begun. A build is published, and a run of
`generate` counted, by the process that waits for the job: these start from a machine that
stays, see docs/dataflow.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from beam_thunder import cli
from beam_thunder.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Starts the stream of the recipe; returns the exit status of `beam-thunder stream`."""
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    parser.add_argument("--recipe", required=True)
    args, rest = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        try:
            recipe = fetched(args.recipe, Path(folder))
        except UserError as error:
            print(f"beam-thunder: {error}", file=sys.stderr)
            return 2
        return cli.main(["stream", str(recipe), *rest])


def fetched(recipe: str, folder: Path) -> Path:
    """The recipe on this machine. Files that it names must be in the image, or be URLs.

    Raises:
      UserError: it is not there.
    """
    from beam_thunder import files
    from beam_thunder.paths import is_local

    if is_local(recipe):
        return Path(recipe)
    copy = folder / "recipe.yaml"
    if not files.exists(recipe):
        raise UserError(f"--recipe {recipe}: no such file; expected gs://BUCKET/recipe.yaml")
    copy.write_bytes(files.read(recipe))
    return copy


if __name__ == "__main__":
    sys.exit(main())
