"""The four tables: their Arrow schemas, and the TFDV schemas that constrain them."""

from beam_thunder.schemas.tables import PREFERENCE, QUESTIONS, REJECTS, SFT, TABLES

__all__ = ["PREFERENCE", "QUESTIONS", "REJECTS", "SFT", "TABLES"]
