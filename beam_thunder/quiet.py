"""Keeps what other packages say about themselves out of the users' way."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import sys
import warnings
from pathlib import Path


def quieten() -> None:
    """To be called before Beam or TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # GPUs it did not find, and so on
    warnings.filterwarnings("ignore", category=FutureWarning, module="google")
    warnings.filterwarnings("ignore", category=UserWarning, module="google|apache_beam")
    logging.basicConfig(format="%(levelname)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_for_users)
    # Beam logs what a step raises once for every level it passes; the last one raises it.
    logging.getLogger("apache_beam.runners.worker").setLevel(logging.CRITICAL)
    logging.getLogger("apache_beam.runners.common").setLevel(logging.CRITICAL)


_BESIDE_THE_POINT = (
    *("crcmod", "Resource module is not available"),
    # Of watching a folder, whose state is its files' names; and of options for a job server.
    *("Matching Continuously is stateful", "label=[RemoveOldAlreadyRead]"),
    *("Unparseable argument", "Discarding unparseable args"),
)


def _is_for_users(record: logging.LogRecord) -> bool:
    return not any(text in record.getMessage() for text in _BESIDE_THE_POINT)


def silence() -> None:
    """Lets nothing more be said, once the last word to the user is.

    Threads of Beam's tell at length that a job has ended which the user has ended.
    """
    logging.disable()
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - until the process ends


def import_tfdv() -> None:
    """Imports TensorFlow Data Validation without what it and TensorFlow print on import.

    Some of that comes from C++, so it is the process's standard error that is put aside.
    An import that fails still raises its own error.
    """
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        with contextlib.redirect_stderr(io.StringIO()):
            importlib.import_module("tensorflow_data_validation")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
