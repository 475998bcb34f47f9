"""Writes the example rows of every source, in both layouts.

Every row in `rows/` is made up by hand for this project; none is taken from a real
dataset. The rows have the schema of the real files and their quirks, so that a
whole build can run on them in seconds. `raw/` gets the layout of the Hugging
Face Hub repositories, `release/` the same rows as the publishers release them.

    python examples/make_raw.py [folder]

The folder is this file's own by default.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rows.arc import write_arc
from rows.gsm8k import write_gsm8k
from rows.hellaswag import write_hellaswag
from rows.kmmlu import write_kmmlu
from rows.koalpaca import write_koalpaca
from rows.kobest_hellaswag import write_kobest
from rows.leetcode import write_leetcode
from rows.mbpp import write_mbpp
from rows.mmlu import write_mmlu
from rows.mwp_korean import write_mwp_korean
from rows.openbookqa import write_openbookqa
from rows.orca_math import write_orca_math
from rows.slimorca import write_slimorca
from rows.translations import write_translations
from rows.winogrande import write_winogrande


def write_all(folder: Path) -> None:
    """Writes `raw/` and `release/` into the folder."""
    write_mmlu(folder)
    write_hellaswag(folder)
    write_winogrande(folder)
    write_openbookqa(folder)
    write_gsm8k(folder)
    write_arc(folder)
    write_kmmlu(folder)
    write_kobest(folder)
    write_orca_math(folder)
    write_translations(folder)
    write_mbpp(folder)
    write_leetcode(folder)
    write_slimorca(folder)
    write_mwp_korean(folder)
    write_koalpaca(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write the example rows.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    write_all(parser.parse_args(arguments).folder)


if __name__ == "__main__":
    main()
