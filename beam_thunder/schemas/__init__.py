"""The four tables: their Arrow schemas, and the TFDV schemas that constrain them."""

from beam_thunder.schemas.tables import (
    ATTEMPTS,
    KTO,
    OPEN_QUESTIONS,
    PREFERENCE,
    PUBLISHED,
    QUESTIONS,
    REJECTS,
    SFT,
    TABLES,
)

__all__ = [
    "ATTEMPTS",
    "KTO",
    "OPEN_QUESTIONS",
    "PREFERENCE",
    "PUBLISHED",
    "QUESTIONS",
    "REJECTS",
    "SFT",
    "TABLES",
]
