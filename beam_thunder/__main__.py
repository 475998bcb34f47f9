"""`python -m beam_thunder` is `beam-thunder`."""

import sys

from beam_thunder.cli import main

if __name__ == "__main__":
    sys.exit(main())
