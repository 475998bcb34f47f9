"""What the licences of the raw data ask of those who use what is made of them.

Short readings, no legal advice; the licence's own text holds.
"""

from __future__ import annotations

_ATTRIBUTION = "free to use and share if its authors are named"
_MEANINGS = {
    "mit": "free to use and share with the licence's notice",
    "apache-2.0": "free to use and share with the licence and its notices",
    "cc0-1.0": "free to use and share",
    "cc-by-4.0": _ATTRIBUTION,
    "cc-by-sa-4.0": f"{_ATTRIBUTION}; what is made of it only under the same licence",
    "cc-by-nc-4.0": f"{_ATTRIBUTION}; not for commercial use",
    "cc-by-nd-4.0": f"{_ATTRIBUTION}; what is made of it may not be shared",
    "unknown": "its publisher states no licence: ask before you use or share it",
}
_RESTRICTED = {"cc-by-nc-4.0", "cc-by-nd-4.0", "unknown"}


def meaning(licence: str) -> str:
    """What a licence asks, in a few words; `licence` as the Hugging Face Hub spells it."""
    return _MEANINGS.get(licence, "see the licence's text")


def restricted(licence: str) -> bool:
    """Whether a licence keeps its data from commercial use or from being shared on."""
    return licence in _RESTRICTED
