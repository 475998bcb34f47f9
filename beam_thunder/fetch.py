"""Downloads the raw files that the catalog names, into a folder that `--raw` accepts.

A file of the Hub lands at `<folder>/<organisation>/<repository>/<path in it>`, and is
complete when its content has the id that the Hub lists. huggingface_hub deletes what
an interrupted download left, so partial files are kept and continued here.
"""

from __future__ import annotations

import hashlib
import os
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from beam_thunder.catalog import Entry
from beam_thunder.errors import UserError

# What downloads or prints is imported where it is used, so that the command line starts
# at once and huggingface_hub does not read the environment before it is wanted.
if TYPE_CHECKING:
    from rich.console import Console

_TRIES = 3
_RESTRICTIONS = {
    "nc": "not for commercial use, which may include a model trained on it",
    "nd": "for your own use; do not pass on what is built from it",
    "unknown": "no licence is stated; ask its publisher before you pass on its rows",
}


@dataclass(frozen=True)
class Fetched:
    """A raw file that is now in the folder.

    Attributes:
      names: the datasets that are built from it.
      path: where it is.
      size: in bytes.
      licence: of its rows, as the catalog spells it.
      origin: the web address it comes from: a page of the Hub, or the file's own.
      present: whether it was complete already, so that nothing was downloaded.
    """

    names: tuple[str, ...]
    path: Path
    size: int
    licence: str
    origin: str
    present: bool


@dataclass(frozen=True)
class _Remote:
    """A file as the Hub lists it: its path in there, its size in bytes, its content's id."""

    name: str
    size: int
    digest: str

    def is_at(self, path: Path) -> bool:
        """Whether the file at the path is there and has this content."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        # A large file's id is its SHA-256, any other's is the one git gives its content.
        large = len(self.digest) == 64
        hasher = hashlib.sha256() if large else hashlib.sha1(b"blob %d\0" % self.size)
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, lambda: hasher).hexdigest() == self.digest


def fetch(
    entries: Sequence[Entry],
    to: Path,
    *,
    revision: str | None = None,
    console: Console | None = None,
) -> list[Fetched]:
    """Downloads the raw files of some datasets, except for those that are there.

    Args:
      entries: the datasets; files that two of them share are downloaded once.
      to: the folder; made where it is absent.
      revision: a branch, tag or commit of the Hub's repositories, None for their default.
      console: where to show what was fetched and under which licence, None for nowhere.

    Returns:
      One record per file, in the order of the entries.

    Raises:
      UserError: a repository, revision or file is absent or not open to the user, the
        network failed, or the folder cannot be used. What was downloaded stays.
    """
    twins: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        twins.setdefault((entry.hub, entry.files, entry.url), []).append(entry)
    fetched: list[Fetched] = []
    for same in twins.values():
        names = tuple(entry.name for entry in same)
        source = _from_hub if same[0].hub else _from_publisher
        fetched.extend(source(same[0], names, to, revision))
    if console is not None:
        show(fetched, console)
    return fetched


def show(fetched: Iterable[Fetched], console: Console) -> None:
    """Prints a table of what was fetched, and what restrictive licences mean."""
    from rich.filesize import decimal
    from rich.table import Column, Table

    table = Table("dataset", "files", "size", "licence", Column("from", overflow="fold"))
    notes = []
    for names, group in groupby(fetched, key=lambda file: file.names):
        files = list(group)
        there = sum(file.present for file in files)
        count = f"{len(files)}, {there} already there" if there else str(len(files))
        size, licence = decimal(sum(file.size for file in files)), files[0].licence
        table.add_row("\n".join(names), count, size, licence, files[0].origin)
        notes += [
            f"{', '.join(names)} ({licence}): {_RESTRICTIONS[part]}"
            for part in licence.split("-")
            if part in _RESTRICTIONS
        ]
    console.print(table, *notes, sep="\n")


def _from_hub(
    entry: Entry, names: tuple[str, ...], to: Path, revision: str | None
) -> Iterator[Fetched]:
    from huggingface_hub import HfApi, constants, hf_hub_url

    repo, token = str(entry.hub), _token()
    # Given explicitly, because huggingface_hub knows only the value at its import.
    endpoint = (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
    page = f"{endpoint}/datasets/{repo}"
    with _explained(f"the list of files of {repo}", page):
        info = HfApi(endpoint, token=token or False).dataset_info(
            repo, revision=revision, files_metadata=True, timeout=30
        )
    remotes = [
        _Remote(
            each.rfilename, each.size or 0, each.lfs.sha256 if each.lfs else str(each.blob_id)
        )
        for each in info.siblings or ()
    ]
    for remote in _chosen(entry, remotes, page, to / repo):
        path = to / repo / remote.name
        # By commit, so that all files are of the one that was listed.
        commit = info.sha or revision
        url = hf_hub_url(
            repo, remote.name, repo_type="dataset", revision=commit, endpoint=endpoint
        )
        with _explained(f"{remote.name} of {repo}", page):
            present = remote.is_at(path)
            if not present:
                _download(url, token, remote, path)
        yield Fetched(names, path, remote.size, entry.licence, page, present)


def _token() -> str | None:
    """The user's token for the Hub, where there is one that may be sent unasked."""
    from huggingface_hub import constants, get_token

    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    # Checked here, because the HTTP client's own error would show the token.
    if token is not None and not (token.isascii() and token.isprintable()):
        raise UserError("the Hub token has characters that cannot be sent; set HF_TOKEN again")
    return token


def _chosen(entry: Entry, remotes: list[_Remote], page: str, folder: Path) -> list[_Remote]:
    """The files that the first pattern to match anything matches, sorted by name."""
    for pattern in entry.files:
        # A mirror may list what it likes: nothing is written outside of the folder.
        chosen = [
            remote
            for remote in remotes
            if fnmatchcase(remote.name, pattern) and ".." not in Path(remote.name).parts
        ]
        if chosen:
            _refuse_leftovers(folder, pattern, {remote.name for remote in chosen})
            return sorted(chosen, key=lambda remote: remote.name)
    some = ", ".join(sorted(remote.name for remote in remotes)[:8])
    raise UserError(
        f"no file of {entry.hub} matches {' or '.join(map(repr, entry.files))}; among its "
        f"{len(remotes)} files are: {some}. See {page}/tree/main, and give an older --revision "
        "if its publisher has renamed them"
    )


def _refuse_leftovers(folder: Path, pattern: str, names: set[str]) -> None:
    """A build reads all that matches, so files of another revision would double its rows."""
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    extra = sorted(name for name in here - names if fnmatchcase(name, pattern))
    if extra:
        raise UserError(
            f"{folder} has {', '.join(extra)}, of another revision perhaps, and a build would "
            f"read all that matches {pattern!r}; remove them, or fetch into another folder"
        )


def _download(url: str, token: str | None, remote: _Remote, path: Path) -> None:
    """Begins or continues a file, and gives it its name when its content is right."""
    import httpx2
    from huggingface_hub.file_download import http_get

    # The id keeps another revision's partial from being continued, the dot keeps builds off.
    part = path.with_name(f".{path.name}.{remote.digest[:16]}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    # Ranges have to count the file's own bytes, not those of a compressed transfer.
    headers = {"user-agent": "beam-thunder", "accept-encoding": "identity"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    for left in reversed(range(_TRIES)):
        begun = part.is_file() and part.stat().st_size <= remote.size
        try:
            with part.open("ab" if begun else "wb") as file:
                size = file.tell()
                http_get(
                    url, file, resume_size=size, headers=headers, expected_size=remote.size
                )
            break
        except httpx2.ReadError:  # a reset connection, which http_get does not retry
            if not left:
                raise
            time.sleep(1)
    if not remote.is_at(part):
        part.unlink()
        raise UserError(
            f"{url} sent other bytes than the Hub lists (id {remote.digest}); they were "
            "removed, run the same command again"
        )
    part.replace(path)


def _from_publisher(
    entry: Entry, names: tuple[str, ...], to: Path, revision: str | None
) -> Iterator[Fetched]:
    import pooch

    url, name = entry.url or "", entry.release[0]
    if revision is not None:
        raise UserError(
            f"{entry.name} is not on the Hub and has no revision {revision!r}; fetch it alone, "
            "without --revision"
        )
    path = to / name
    present = path.is_file()
    with _explained(name, url):
        keeper = pooch.create(
            to, "", registry={name: None}, urls={name: url}, retry_if_failed=_TRIES - 1
        )
        keeper.fetch(name)
        if not present:  # pooch leaves its temporary file's mode: readable by its owner only
            path.chmod(0o644)
    yield Fetched(names, path, path.stat().st_size, entry.licence, url, present)


@contextmanager
def _explained(what: str, page: str) -> Iterator[None]:
    """Turns what may go wrong on the way to a file into a message with its cure."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    # A ValueError is an answer that is none, such as the page of a network's login.
    except (httpx2.HTTPError, OSError, ValueError) as error:
        host, happened = urlsplit(page).hostname, f"{type(error).__name__}: {error}"
        if isinstance(error, HfHubHTTPError):  # its own text may have a signed address
            host = error.response.url.host  # not always the Hub's: files are kept elsewhere
            happened = f"answered {error.response.status_code} {error.server_message or ''}"
        elif isinstance(error, httpx2.RequestError):
            host = error.request.url.host
        happened = textwrap.shorten(happened, 300).rstrip(".")
        raise UserError(
            f"cannot fetch {what} from {host or page}: {happened}; {_cure(error, page)}"
        ) from error


def _cure(error: Exception, page: str) -> str:
    """What a user can do about an error on the way to a file."""
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RevisionNotFoundError

    again = "run the same command again: it continues where it stopped"
    login = "set HF_TOKEN or run `hf auth login`"
    if isinstance(error, GatedRepoError):
        return f"accept its terms at {page}, then {login} with the account that did"
    if isinstance(error, RevisionNotFoundError):
        return f"{page}/tree/main shows its branches and tags"
    if getattr(getattr(error, "response", None), "status_code", None) in (401, 403, 404):
        private = f"; where it is private, {login}" if isinstance(error, HfHubHTTPError) else ""
        return f"see whether {page} is there{private}"
    if getattr(error, "errno", None):  # the machine's own errors have a number
        return f"see that the folder can be written and has room, then {again}"
    return again
