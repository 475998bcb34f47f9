"""The four tables: their Arrow schemas, and the TFDV schemas that constrain them."""

from beam_thunder.schemas.tables import (
    OPEN_QUESTIONS,
    PREFERENCE,
    QUESTIONS,
    REJECTS,
    SFT,
    TABLES,
)

__all__ = ["OPEN_QUESTIONS", "PREFERENCE", "QUESTIONS", "REJECTS", "SFT", "TABLES"]
