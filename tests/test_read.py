import bz2
import gzip
import json

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.testing.util import assert_that, equal_to
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.errors import RawFileError
from beam_thunder.transforms import read as module
from beam_thunder.transforms import register_coders
from beam_thunder.transforms.fields import Field
from beam_thunder.transforms.read import (
    RawRows,
    ReadRaw,
    count_rows,
    find_files,
    raw_format,
    raw_slices,
    read_slice,
)

ROWS = RawRows((Field("question", "text"), Field("answer", "key")))
HEADERLESS = RawRows(ROWS.fields, positional=("question", "answer"))
SOUND = [("one", "1"), ("two", "2"), ("three", "3")]


def slices(path):
    return raw_slices(find_files(str(path.parent), [path.name]))


def read(path, rows=ROWS, batch_rows=1000):
    return [
        row
        for piece in slices(path)
        for batch in read_slice(piece, rows, batch_rows)
        for row in batch.to_pylist()
    ]


def values(rows):
    return [(row["question"], row["answer"]) for row in rows]


def at(rows):
    return [row["position"] for row in rows]


def reasons(rows):
    return [row["reason"] for row in rows]


def written(path, content):
    path.write_bytes(content)
    return path


def delimited(rows, delimiter=",", end="\n"):
    return "".join(delimiter.join(cells) + end for cells in rows).encode()


def json_lines(rows):
    lines = (json.dumps({"question": q, "answer": a}) + "\n" for q, a in rows)
    return "".join(lines).encode()


def write_parquet(path, rows, row_group_size=2, names=("question", "answer"), **options):
    columns = [pa.array(column) for column in zip(*rows, strict=True)]
    table = pa.table(columns, names=list(names))
    pq.write_table(table, path, row_group_size=row_group_size, **options)
    return path


HEADER = ("question", "answer")
CONTENTS = {
    "rows.csv": delimited([HEADER, *SOUND]),
    "rows.tsv": delimited([HEADER, *SOUND], "\t"),
    "rows.jsonl": json_lines(SOUND),
    "rows.ndjson": json_lines(SOUND),
    "list.json": json.dumps([dict(zip(HEADER, row, strict=True)) for row in SOUND]).encode(),
    "dict.json": json.dumps(
        {str(n): dict(zip(HEADER, row, strict=True)) for n, row in enumerate(SOUND, 1)}
    ).encode(),
}


@pytest.fixture(params=["rows.parquet", *CONTENTS, *(f"{name}.gz" for name in CONTENTS)])
def sound_file(request, tmp_path):
    """The same three rows in one format after the other."""
    path = tmp_path / request.param
    if path.suffix == ".parquet":
        return write_parquet(path, SOUND)
    content = CONTENTS[request.param.removesuffix(".gz")]
    return written(path, gzip.compress(content) if path.suffix == ".gz" else content)


def test_every_format_gives_the_same_rows(sound_file):
    rows = read(sound_file)
    assert values(rows) == SOUND
    assert reasons(rows) == [None] * 3


def test_every_row_names_the_file_it_is_from(sound_file):
    assert {row["file"] for row in read(sound_file)} == {sound_file.name}


def test_positions_count_from_one(sound_file):
    # A header is line 1, so the first row behind it is line 2.
    first = 2 if ".csv" in sound_file.name or ".tsv" in sound_file.name else 1
    assert at(read(sound_file)) == [first, first + 1, first + 2]


def test_rows_are_counted_as_they_are_read(sound_file):
    assert sum(count_rows(piece, ROWS) for piece in slices(sound_file)) == 3


def test_batches_have_the_schema_of_the_source(sound_file):
    for piece in slices(sound_file):
        for batch in read_slice(piece, ROWS, 2):
            assert batch.schema == ROWS.schema


def test_files_compressed_by_bzip2_are_read(tmp_path):
    path = written(tmp_path / "rows.csv.bz2", bz2.compress(CONTENTS["rows.csv"]))
    assert values(read(path)) == SOUND


def test_gzip_files_of_several_members_are_read_to_the_end(tmp_path):
    # As `cat a.gz b.gz` makes them.
    parts = gzip.compress(json_lines(SOUND[:1])) + gzip.compress(json_lines(SOUND[1:]))
    assert values(read(written(tmp_path / "rows.jsonl.gz", parts))) == SOUND


# CSV and TSV.

MESSY = (
    "\ufeffquestion,note,answer\r\n"
    "one,,1\r\n"
    "\r\n"
    '"two\nlines\r\nmore",,2\r\n'
    '"a ""quoted"" word, and a comma",,3\r\n'
    "too,few\r\n"
    "too,many,cells,here\r\n"
    "four,,4\r\n"
    'never closed,,"5'
).encode()
MESSY_POSITIONS = [2, 4, 7, 8, 9, 10, 11]


@pytest.fixture(scope="module")
def messy(tmp_path_factory):
    return written(tmp_path_factory.mktemp("messy") / "messy.csv", MESSY)


def test_rows_of_csv_are_where_their_first_line_is(messy):
    # Line 3 is blank and no row; the row of line 4 goes on to line 6.
    assert at(read(messy)) == MESSY_POSITIONS


def test_cells_of_csv_keep_their_newlines_quotes_and_commas(messy):
    rows = read(messy)
    assert values(rows)[:3] == [
        ("one", "1"),
        ("two\nlines\r\nmore", "2"),
        ('a "quoted" word, and a comma', "3"),
    ]


def test_rows_of_csv_with_too_few_or_too_many_cells_are_rejected(messy):
    rows = read(messy)
    assert reasons(rows)[3:6] == ["unreadable_line", "unreadable_line", None]
    assert [row["detail"] for row in rows[3:5]] == [
        "expected 3 cells, found 2",
        "expected 3 cells, found 4",
    ]


def test_a_quote_that_is_never_closed_is_a_rejected_row(messy):
    assert reasons(read(messy))[-1] == "unreadable_line"


def test_every_line_that_a_never_closed_quote_swallows_is_rejected(tmp_path):
    # Counted as one, thousands of lost rows would pass for a single bad one.
    content = b'question,answer\none,1\n"two,2\n' + b"three,3\n" * 5
    rows = read(written(tmp_path / "rows.csv", content))
    assert reasons(rows) == [None] + ["unreadable_line"] * 6
    assert at(rows) == [2, 3, 4, 5, 6, 7, 8]


def test_counting_counts_rejected_rows_too(messy):
    assert sum(count_rows(piece, ROWS) for piece in slices(messy)) == len(MESSY_POSITIONS)


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "not ended"])
def test_line_ends_of_csv_are_no_part_of_its_cells(tmp_path, end, last):
    content = delimited([HEADER, *SOUND], end=end)
    content = content if last else content.removesuffix(end.encode())
    assert values(read(written(tmp_path / "rows.csv", content))) == SOUND


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl", "list.json"])
def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path, name):
    path = written(tmp_path / name, b"\xef\xbb\xbf" + CONTENTS[name])
    assert values(read(path)) == SOUND


def test_a_comma_in_tsv_is_text(tmp_path):
    path = written(tmp_path / "rows.tsv", b"question\tanswer\none, two\t1\n")
    assert values(read(path)) == [("one, two", "1")]


def test_a_quoted_cell_of_tsv_loses_its_quotes(tmp_path):
    path = written(tmp_path / "rows.tsv", b'question\tanswer\n"say ""one"""\t1\n')
    assert values(read(path)) == [('say "one"', "1")]


def test_a_quote_within_a_cell_is_text(tmp_path):
    path = written(tmp_path / "rows.csv", b'question,answer\n5" pipe,1\ntwo,2\n')
    assert values(read(path)) == [('5" pipe', "1"), ("two", "2")]


def test_text_behind_a_closing_quote_is_rejected(tmp_path):
    # A quote that was not doubled: what its author meant is not to be guessed.
    content = b'question,answer\n"say "one" now",1\ntwo,2\n'
    assert reasons(read(written(tmp_path / "rows.csv", content))) == ["unreadable_line", None]


def test_broken_bytes_in_csv_cost_their_row_alone(tmp_path):
    content = b"question,answer\none,1\ntw\xff,2\nthree,3\n"
    rows = read(written(tmp_path / "rows.csv", content))
    assert reasons(rows) == [None, "invalid_utf8", None]


def test_broken_bytes_in_a_column_that_is_not_needed_do_not_matter(tmp_path):
    content = b"question,note,answer\none,\xff,1\n"
    assert values(read(written(tmp_path / "rows.csv", content))) == [("one", "1")]


def test_a_header_that_lacks_a_column_rejects_every_row(tmp_path):
    rows = read(written(tmp_path / "rows.csv", b"question,key\none,1\ntwo,2\n"))
    assert reasons(rows) == ["missing_column"] * 2


def test_the_cells_of_a_file_without_header_are_named_by_their_place(tmp_path):
    rows = read(written(tmp_path / "rows.csv", delimited(SOUND)), HEADERLESS)
    assert values(rows) == SOUND
    assert at(rows) == [1, 2, 3]


def test_a_header_is_none_of_the_rows_where_there_may_be_none(tmp_path):
    path = written(tmp_path / "rows.csv", delimited([HEADER, *SOUND]))
    assert values(read(path, HEADERLESS)) == SOUND


def test_a_header_may_have_another_order_than_the_cells_of_a_file_without(tmp_path):
    content = delimited([("answer", "question"), ("1", "one")])
    assert values(read(written(tmp_path / "rows.csv", content), HEADERLESS)) == [("one", "1")]


def test_a_first_row_that_has_one_column_name_as_text_is_data(tmp_path):
    # Asked "Which word ends the question?" one may well answer `answer`.
    rows = [("which?", "answer"), ("one", "1")]
    assert values(read(written(tmp_path / "rows.csv", delimited(rows)), HEADERLESS)) == rows


def test_a_later_row_that_looks_like_the_header_is_data(tmp_path):
    rows = [("one", "1"), HEADER]
    assert values(read(written(tmp_path / "rows.csv", delimited(rows)), HEADERLESS)) == rows


def test_broken_bytes_in_the_first_row_of_a_file_without_header_cost_it_alone(tmp_path):
    # Such bytes cannot be column names, which the first row is taken for at first.
    path = written(tmp_path / "rows.csv", b"on\xff,1\ntwo,2\n")
    assert reasons(read(path, HEADERLESS)) == ["invalid_utf8", None]


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl"])
def test_an_empty_file_has_no_rows(tmp_path, name):
    path = written(tmp_path / name, b"")
    assert read(path, HEADERLESS) == []
    assert sum(count_rows(piece, HEADERLESS) for piece in slices(path)) == 0


def test_a_file_with_a_header_alone_has_no_rows(tmp_path):
    assert read(written(tmp_path / "rows.csv", b"question,answer\n")) == []


# JSON.


def test_blank_lines_of_json_are_no_rows_and_are_counted_as_lines(tmp_path):
    content = json_lines(SOUND).replace(b"\n", b"\n \r\n\n")
    rows = read(written(tmp_path / "rows.jsonl", content))
    assert values(rows) == SOUND
    assert at(rows) == [1, 4, 7]


def test_a_last_line_of_json_without_an_end_is_a_row(tmp_path):
    path = written(tmp_path / "rows.jsonl", json_lines(SOUND).rstrip(b"\n"))
    assert values(read(path)) == SOUND


def test_an_unreadable_line_of_json_is_rejected_and_shown(tmp_path):
    content = json_lines(SOUND[:1]) + b'{"question": "cut o\n' + json_lines(SOUND[1:])
    rows = read(written(tmp_path / "rows.jsonl", content))
    assert reasons(rows) == [None, "unreadable_line", None, None]
    assert '{"question": "cut o' in rows[1]["detail"]


def test_broken_bytes_in_a_line_of_json_cost_it_alone(tmp_path):
    content = b'{"question": "\xff", "answer": 1}\n' + json_lines(SOUND)
    rows = read(written(tmp_path / "rows.jsonl", content))
    assert reasons(rows) == ["invalid_utf8", None, None, None]


@pytest.mark.parametrize("line", [b"5", b"null", b'"text"', b"[1]"])
def test_a_line_of_json_that_is_no_object_is_rejected(tmp_path, line):
    rows = read(written(tmp_path / "rows.jsonl", line + b"\n" + json_lines(SOUND)))
    assert reasons(rows) == ["wrong_type", None, None, None]


def test_unicode_line_separators_do_not_end_a_line_of_json(tmp_path):
    # `str.splitlines` would take them for line ends.
    content = '{"question": "a\u2028b\x85c", "answer": 1}\n'.encode()
    assert values(read(written(tmp_path / "rows.jsonl", content))) == [("a\u2028b\x85c", "1")]


def test_numbered_entries_of_a_json_file_keep_their_order(tmp_path):
    entries = {str(n): {"question": f"q{n}", "answer": n} for n in range(1, 12)}
    path = written(tmp_path / "rows.json", json.dumps(entries).encode())
    # Sorted as text, "10" would come before "2".
    assert [row["question"] for row in read(path)] == [f"q{n}" for n in range(1, 12)]


@pytest.mark.parametrize("content", [b"", b"{", b"5", b"null", b'"text"', b"\xff"])
def test_a_json_file_that_is_no_list_or_object_is_named(tmp_path, content):
    path = written(tmp_path / "rows.json", content)
    with pytest.raises(RawFileError, match=r"rows\.json"):
        read(path)


# Parquet.

MANY = [(f"q{n}", str(n)) for n in range(1, 26)]


def test_positions_of_parquet_go_on_over_row_groups(tmp_path):
    rows = read(write_parquet(tmp_path / "rows.parquet", MANY, row_group_size=4), batch_rows=3)
    assert values(rows) == MANY
    assert at(rows) == list(range(1, 26))


def test_positions_of_parquet_go_on_over_slices(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SLICE_BYTES", 1)
    path = write_parquet(tmp_path / "rows.parquet", MANY, row_group_size=4)
    assert len(slices(path)) == 7
    rows = read(path, batch_rows=3)
    assert values(rows) == MANY
    assert at(rows) == list(range(1, 26))


def test_slices_of_parquet_say_how_many_rows_they_have(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SLICE_BYTES", 1)
    pieces = slices(write_parquet(tmp_path / "rows.parquet", MANY, row_group_size=10))
    assert [count_rows(piece, ROWS) for piece in pieces] == [10, 10, 5]


def test_the_slices_of_a_file_share_its_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SLICE_BYTES", 1)
    path = write_parquet(tmp_path / "rows.parquet", MANY, row_group_size=5)
    size = path.stat().st_size
    assert sum(piece.bytes for piece in slices(path)) == pytest.approx(size, abs=5)


def test_row_groups_are_read_together_up_to_a_size(tmp_path):
    assert len(slices(write_parquet(tmp_path / "rows.parquet", MANY, row_group_size=4))) == 1


def test_parquet_without_rows_has_none(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"question": pa.array([], pa.string())}), path)
    assert read(path) == []


def test_parquet_with_none_of_the_columns_rejects_every_row(tmp_path):
    path = write_parquet(tmp_path / "rows.parquet", MANY, names=("other", "another"))
    rows = read(path)
    assert reasons(rows) == ["missing_column"] * 25
    assert at(rows) == list(range(1, 26))


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd"])
def test_parquet_is_read_whatever_its_compression(tmp_path, compression):
    path = write_parquet(tmp_path / "rows.parquet", SOUND, compression=compression)
    assert values(read(path)) == SOUND


# Damaged files.


def test_a_file_that_is_no_parquet_is_named(tmp_path):
    path = written(tmp_path / "rows.parquet", b"<html>not found</html>")
    with pytest.raises(RawFileError, match=r"rows\.parquet is no readable Parquet.*fetch it"):
        slices(path)


def test_an_empty_parquet_file_is_named(tmp_path):
    path = written(tmp_path / "rows.parquet", b"")
    with pytest.raises(RawFileError, match=r"rows\.parquet"):
        slices(path)


def test_a_parquet_file_that_ends_early_is_named(tmp_path):
    path = write_parquet(tmp_path / "rows.parquet", MANY)
    written(path, path.read_bytes()[:-100])
    with pytest.raises(RawFileError, match=r"rows\.parquet"):
        slices(path)


def test_a_parquet_file_damaged_within_is_named(tmp_path):
    path = write_parquet(tmp_path / "rows.parquet", MANY * 100, 2500, compression="zstd")
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196  # the first pages; the footer, at the end, is sound
    written(path, bytes(content))
    with pytest.raises(RawFileError, match=r"rows\.parquet"):
        read(path)


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "rows.csv.gz", "list.json.gz"])
@pytest.mark.parametrize("lost", [1, 8, 30])
def test_a_gzip_file_that_ends_early_is_named(tmp_path, name, lost):
    # The last 8 bytes are a checksum and a length: without them all rows would be there.
    whole = gzip.compress(CONTENTS[name.removesuffix(".gz")])
    with pytest.raises(RawFileError, match=rf"{name}.*fetch it again"):
        read(written(tmp_path / name, whole[:-lost]))


def test_counting_the_rows_of_a_gzip_file_that_ends_early_is_an_error_too(tmp_path):
    path = written(tmp_path / "rows.jsonl.gz", gzip.compress(json_lines(SOUND))[:-8])
    with pytest.raises(RawFileError, match=r"rows\.jsonl\.gz"):
        count_rows(slices(path)[0], ROWS)


def test_a_bzip2_file_that_ends_early_is_named(tmp_path):
    path = written(tmp_path / "rows.csv.bz2", bz2.compress(CONTENTS["rows.csv"])[:-4])
    with pytest.raises(RawFileError, match=r"rows\.csv\.bz2"):
        read(path)


def test_a_file_that_is_not_compressed_as_its_name_says_is_named(tmp_path):
    path = written(tmp_path / "rows.jsonl.gz", json_lines(SOUND))
    with pytest.raises(RawFileError, match=r"rows\.jsonl\.gz"):
        read(path)


# However a file is cut into batches.


@pytest.fixture(scope="module")
def long_files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    rows = [(f"q{n}" if n % 7 else 'two\n"lines"', str(n)) for n in range(60)]
    quoted = "".join('"' + q.replace('"', '""') + f'",{a}\n' for q, a in rows)
    return [
        write_parquet(folder / "rows.parquet", rows, row_group_size=9),
        written(folder / "rows.csv", b"question,answer\n" + quoted.encode()),
        written(folder / "rows.jsonl", json_lines(rows) + b"{\n" + json_lines(rows)),
    ]


@given(batch_rows=st.integers(1, 130))
def test_rows_are_the_same_whatever_the_size_of_batches(long_files, messy, batch_rows):
    for path in [*long_files, messy]:
        assert read(path, batch_rows=batch_rows) == read(path)


@given(batch_rows=st.integers(1, 130))
def test_no_batch_has_more_rows_than_asked_for(long_files, batch_rows):
    for path in long_files:
        for piece in slices(path):
            sizes = [batch.num_rows for batch in read_slice(piece, ROWS, batch_rows)]
            assert max(sizes) <= batch_rows


# Finding files.


def touched(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return str(folder)


def test_no_files_are_found_where_none_match(tmp_path):
    assert find_files(touched(tmp_path, "a/rows.csv"), ["b/*.csv", "a/*.tsv"]) == []


def test_no_files_are_found_in_a_folder_that_is_not_there(tmp_path):
    assert find_files(str(tmp_path / "absent"), ["*.csv"]) == []


def test_found_files_have_path_name_and_size_in_the_order_of_their_paths(tmp_path):
    raw = touched(tmp_path, "d/b.csv", "d/a.csv", "d/c.tsv")
    assert find_files(raw, ["d/*.csv"]) == [
        (f"{raw}/d/a.csv", "d/a.csv", 1),
        (f"{raw}/d/b.csv", "d/b.csv", 1),
    ]


def test_a_slash_at_the_end_of_the_folder_changes_nothing(tmp_path):
    raw = touched(tmp_path, "d/a.csv")
    assert find_files(f"{raw}/", ["d/*.csv"]) == find_files(raw, ["d/*.csv"])


def test_a_file_that_two_patterns_match_is_found_once(tmp_path):
    raw = touched(tmp_path, "a.csv")
    assert len(find_files(raw, ["*.csv", "a.*"])) == 1


def test_one_of_two_numbered_files_is_not_enough(tmp_path):
    raw = touched(tmp_path, "d/train-00000-of-00002.parquet")
    with pytest.raises(RawFileError, match=r"d/train-\*\.parquet has 1 of its 2 files"):
        find_files(raw, ["d/train-*.parquet"])


def test_all_numbered_files_are_enough(tmp_path):
    names = [f"train-0000{n}-of-00003.parquet" for n in range(3)]
    found = find_files(touched(tmp_path, *names), ["train-*.parquet"])
    assert [name for _, name, _ in found] == names


def test_numbered_files_of_two_sets_do_not_make_up_for_each_other(tmp_path):
    raw = touched(tmp_path, "train-00000-of-00002.parquet", "validation-00001-of-00002.parquet")
    with pytest.raises(RawFileError, match="1 of its 2 files"):
        find_files(raw, ["*.parquet"])


@pytest.mark.parametrize("name", ["rows.txt", "rows", "rows.parquet.zst", "rows.gz"])
def test_a_name_of_no_known_format_is_told_with_those_that_are(name):
    with pytest.raises(RawFileError, match=rf"{name}: expected a file named \.parquet, \.csv"):
        raw_format(name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a/b.c/rows.parquet", "parquet"),
        ("rows.CSV", "csv"),
        ("rows.tsv.gz", "tsv"),
        ("rows.ndjson", "jsonl"),
        ("rows.jsonl.bz2", "jsonl"),
    ],
)
def test_the_format_is_what_the_name_ends_with(name, kind):
    assert raw_format(name) == kind


# The transform.


def test_the_transform_reads_every_slice(tmp_path):
    register_coders()
    files = [
        written(tmp_path / "rows.csv", CONTENTS["rows.csv"]),
        write_parquet(tmp_path / "rows.parquet", MANY),
    ]
    pieces = [piece for path in files for piece in slices(path)]
    with beam.Pipeline("FnApiRunner") as pipeline:
        batches = pipeline | beam.Create(pieces) | ReadRaw(ROWS, batch_rows=10)
        rows = batches | beam.FlatMap(lambda batch: values(batch.to_pylist()))
        assert_that(rows, equal_to([*SOUND, *MANY]))
        sizes = batches | "Rows" >> beam.Map(lambda batch: batch.num_rows)
        assert_that(sizes, equal_to([3, 10, 10, 5]), label="batches")
