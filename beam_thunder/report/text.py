"""Text from datasets as HTML: escaped, shortened, and with what cannot be seen made visible."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

# Of the invisible characters, line breaks and tabs are kept, and the joiners that
# emoji and some scripts are written with. What turns the direction of text (U+202A
# to U+202E, U+2066 to U+2069) could make a page read as something else.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_HEAD_SHARE = 0.7


def plain(value: Any) -> Any:
    r"""A value for a template, with `\u202e` written out where it would act unseen.

    Markup and what is no text is given back as it is.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return _INVISIBLE.sub(lambda found: _name(found[0]), value)


def visible(text: str) -> Markup:
    """Text as HTML, where invisible characters are set apart from what they are called."""
    parts, start = [], 0
    for found in _INVISIBLE.finditer(text):
        parts.append(Markup("{}").format(text[start : found.start()]))
        parts.append(Markup('<span class="code">{}</span>').format(_name(found[0])))
        start = found.end()
    parts.append(Markup("{}").format(text[start:]))
    return Markup("").join(parts)


def shorten(text: str, most: int) -> str:
    """A text of `most` characters or little more; what is left out is counted in its place.

    The head is most of what stays, because tasks are told at the start; the end is
    kept because answers and questions are often there.
    """
    if len(text) <= most:
        return text
    head = round(most * _HEAD_SHARE)
    tail = most - head
    left_out = len(text) - most
    return f"{text[:head]} [… {left_out:,} characters left out …] {text[-tail:]}"


def _name(character: str) -> str:
    point = ord(character)
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"
