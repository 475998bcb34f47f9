"""Keeps what other packages say about themselves out of the users' way."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import warnings


def quieten() -> None:
    """To be called before Beam or TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # GPUs it did not find, and so on
    warnings.filterwarnings("ignore", category=FutureWarning, module="google")
    warnings.filterwarnings("ignore", category=UserWarning, module="google|apache_beam")
    logging.basicConfig(format="%(levelname)s: %(message)s")
    logging.getLogger().addFilter(lambda record: "crcmod" not in record.getMessage())


def import_tfdv() -> None:
    """Imports TensorFlow Data Validation without what it prints about notebooks."""
    with contextlib.redirect_stderr(io.StringIO()):
        importlib.import_module("tensorflow_data_validation")
