"""The errors a user can cause and cure.

Each message names the offending value, what was expected and the cure, so the
command line shows it alone, without a traceback.
"""

from __future__ import annotations


class UserError(Exception):
    """Something the user gave, or a file the user has, cannot be used."""


class RecipeError(UserError):
    """A recipe that cannot be built; the message names its file and line."""


class RawFileError(UserError):
    """A raw file that is absent, or is not what its name says."""


class BuildRefused(UserError):
    """A build that ran, and may not be published."""
