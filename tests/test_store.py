from __future__ import annotations

import functools
import os

import memory_filesystem
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.errors import RawFileError
from beam_thunder.generation.attempts import (
    TRANSIENT,
    Answered,
    Asked,
    Request,
    best,
    prompt_digest,
    request_key,
)
from beam_thunder.generation.store import (
    done,
    merge_parts,
    parts,
    read_part,
    write_part,
)

ASKED = Asked("tiny")
assert memory_filesystem.MemoryFileSystem.scheme() == "memory"


def answered(number: int, **outcome) -> dict:
    key = f"{number:032x}"
    request = Request("d", key, key, 0, None, "?", key)
    return Answered(request, **{"response": "x", "finish_reason": "stop", **outcome}).row(ASKED)


def failed(number: int, error: str) -> dict:
    return answered(number, response="", finish_reason=None, error=error)


@pytest.fixture(params=["disk", "object store"])
def folder(request, tmp_path):
    memory_filesystem.OBJECTS.clear()
    return str(tmp_path / "a") if request.param == "disk" else "memory://bucket/attempts/a"


def test_what_is_written_is_read(folder):
    rows = [answered(n) for n in range(5)]
    path = write_part(rows, folder)
    assert parts(folder) == [path]
    assert read_part(path).to_pylist() == rows
    assert write_part(rows, folder) == path  # again, as a rerun would
    assert parts(folder) == [path]


def test_what_is_done_is_not_what_failed_for_a_moment(folder):
    write_part([answered(1), failed(2, "bad_request"), failed(3, "timeout")], folder)
    write_part([answered(4, finish_reason="length")], folder)
    keys = [f"{n:032x}" for n in range(6)]
    assert [key in done(folder) for key in keys] == [False, True, True, False, True, False]
    again = done(folder, redo_truncated=True)
    assert [key in again for key in keys] == [False, True, True, False, False, False]
    assert len(again) == 2


@pytest.mark.parametrize("error", TRANSIENT)
def test_every_error_of_the_moment_is_asked_again(folder, error):
    write_part([failed(1, error)], folder)
    assert len(done(folder)) == 0


def test_nothing_is_done_where_there_is_no_folder(folder):
    assert (parts(folder), len(done(folder))) == ([], 0)


def test_small_parts_become_one(folder):
    paths = [write_part([answered(n)], folder) for n in range(7)]
    merged = merge_parts(paths)
    assert parts(folder) == [merged]
    assert [row["key"] for row in read_part(merged).to_pylist()] == [
        f"{n:032x}" for n in range(7)
    ]


def test_a_part_that_was_cut_off_is_named(tmp_path):
    path = write_part([answered(1)], str(tmp_path))
    os.truncate(path, 50)
    with pytest.raises(RawFileError, match="no readable attempts"):
        done(str(tmp_path))


def test_what_a_writer_left_behind_is_no_part(tmp_path):
    write_part([answered(1)], str(tmp_path))
    (tmp_path / ".part-00.parquet.123").write_bytes(b"half")
    assert len(done(str(tmp_path))) == 1


outcomes = st.sampled_from(
    [
        answered(1),
        answered(1, response="y"),
        answered(1, finish_reason="length"),
        failed(1, "timeout"),
        failed(1, "bad_request"),
    ]
)


@given(st.lists(outcomes, min_size=1, max_size=6), st.randoms())
def test_which_of_several_answers_counts_does_not_depend_on_their_order(rows, random):
    first = functools.reduce(best, rows)
    random.shuffle(rows)
    assert functools.reduce(best, rows) == first


def test_an_answer_counts_before_an_error_and_a_whole_one_before_one_cut_off():
    whole, cut, error = answered(1), answered(1, finish_reason="length"), failed(1, "timeout")
    assert best(cut, whole) == best(whole, cut) == whole
    assert best(error, cut) == best(cut, error) == cut


def test_a_key_depends_on_everything_but_the_token_limit():
    def key(question="a" * 32, prompt="Why?", asked=ASKED, sample=0, system=None):
        return request_key(question, prompt_digest(system, prompt), asked, sample)

    others = [
        key(question="b" * 32),
        key(prompt="What?"),
        key(system="Be brief."),
        key(system=""),
        key(asked=Asked("small")),
        key(asked=Asked("tiny", revision="main")),
        key(asked=Asked("tiny", temperature=0.1)),
        key(asked=Asked("tiny", top_p=0.5)),
        key(asked=Asked("tiny", seed=1)),
        key(sample=1),
    ]
    assert len({key(), *others}) == len(others) + 1
    assert key(asked=Asked("tiny", max_tokens=5)) == key()
