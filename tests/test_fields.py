import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.transforms.fields import (
    Field,
    Flaw,
    first_flaw,
    from_columns,
    from_record,
    positions,
    records_to_columns,
    relist,
    zip_lists,
)

TEXT = pa.string()
TEXTS = pa.list_(TEXT)
FIELDS = (
    Field("question", "text", ("question", "q.stem")),
    Field("options", "texts", ("options", "q.items[].text", "q.lists.text", ("A", "B"))),
    Field("key", "key", ("key", "q.key")),
)
QUESTION, OPTIONS, KEY = FIELDS


def batch(**columns):
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def strings(*cells, of=TEXT):
    """A column of exactly these bytes, whatever they are: Parquet's text is read unchecked."""
    ends = np.cumsum([0, *(len(cell) for cell in cells)])
    wide = pa.types.is_large_string(of)
    offsets = ends.astype(np.int64 if wide else np.int32)
    data = pa.py_buffer(b"".join(cells))
    return pa.Array.from_buffers(of, len(cells), [None, pa.py_buffer(offsets), data])


def lists(values, *lengths):
    return pa.ListArray.from_arrays(pa.array(np.cumsum([0, *lengths]), pa.int32()), values)


def outcome(columns, reason, detail):
    """Per row: its values, or its reason, with its detail where both readers word it alike."""
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return [
        values if why is None else (why, None if why == "wrong_type" else what)
        for values, why, what in zip(rows, reason.to_pylist(), detail.to_pylist(), strict=True)
    ]


def outcome_of_records(records, fields=FIELDS):
    *columns, reason, detail = records_to_columns(
        [from_record(record, fields) for record in records], fields
    )
    return outcome(columns, reason, detail)


def outcome_of_columns(rows, fields=FIELDS):
    columns, reason, detail = from_columns(rows, fields)
    return outcome(columns, reason, detail)


def reasons(rows, *fields):
    return from_columns(rows, fields)[1].to_pylist()


# One field at a time, in every way that both JSON and Arrow can express: (values, type).

text = st.text(max_size=4)
maybe_text = st.none() | text
TEXT_TYPES = (
    pa.string(),
    pa.large_string(),
    pa.dictionary(pa.int32(), pa.string()),
)
text_columns = st.tuples(st.just(maybe_text), st.sampled_from(TEXT_TYPES))
# Nulls of a wrong type are left out: a column is wrong as a whole, a JSON null is no value.
no_text_columns = st.sampled_from(
    [
        (st.integers(-9, 9), pa.int64()),
        (st.booleans(), pa.bool_()),
        (st.floats(-1, 1), pa.float64()),
        (st.lists(text, max_size=2), TEXTS),
    ]
)
key_columns = st.one_of(
    text_columns,
    st.just((st.none() | st.integers(-9, 9), pa.int64())),
    st.just((st.none() | st.integers(0, 9), pa.uint8())),
    st.just((st.none(), pa.null())),
)
no_key_columns = st.sampled_from(
    [
        (st.booleans(), pa.bool_()),
        (st.floats(-1, 1), pa.float64()),
        (st.lists(st.integers(0, 3), max_size=2), pa.list_(pa.int64())),
    ]
)
LIST_TYPES = (TEXTS, pa.large_list(pa.string()), pa.list_(pa.large_string()))
list_columns = st.tuples(
    st.just(st.none() | st.lists(maybe_text, max_size=3)), st.sampled_from(LIST_TYPES)
)
no_list_columns = st.sampled_from(
    [
        (text, pa.string()),
        (st.lists(st.integers(0, 3), min_size=1, max_size=2), pa.list_(pa.int64())),
    ]
)


@st.composite
def tables(draw):
    """The same rows twice: as objects, and as a batch with rows before and after them."""
    before, rows, after = draw(st.tuples(*[st.integers(0, 3)] * 3))
    types: dict[str, pa.DataType] = {}
    cells: dict[str, list] = {}

    def column(name, kinds):
        values, types[name] = draw(kinds)
        length = before + rows + after
        cells[name] = draw(st.lists(values, min_size=length, max_size=length))

    layout = draw(st.sampled_from(["flat", "nested", "struct of lists", "columns", "partly"]))
    if layout in ("flat", "columns"):
        column("question", text_columns | no_text_columns)
        column("key", key_columns | no_key_columns)
    if layout == "flat":
        column("options", list_columns | no_list_columns)
    if layout in ("columns", "partly"):
        column("A", text_columns)
    if layout == "columns":
        column("B", text_columns)
    if layout == "struct of lists":
        parts = [("stem", text_columns), ("key", key_columns), ("lists", list_columns)]
        for name, kinds in parts:
            column(name, kinds)
        inner = pa.struct([("text", types["lists"])])
        types["q"] = pa.struct(
            [("stem", types["stem"]), ("lists", inner), ("key", types["key"])]
        )
        cells["q"] = [
            {"stem": stem, "lists": {"text": texts}, "key": key}
            for stem, texts, key in zip(
                *(cells.pop(n) for n in ("stem", "lists", "key")), strict=True
            )
        ]
    if layout == "nested":
        item = pa.struct([("text", pa.string()), ("label", pa.string())])
        items = st.lists(st.fixed_dictionaries({"text": maybe_text, "label": text}), max_size=3)
        stem, key = draw(text_columns), draw(key_columns)
        types["q"] = pa.struct([("stem", stem[1]), ("items", pa.list_(item)), ("key", key[1])])
        record = st.fixed_dictionaries({"stem": stem[0], "items": items, "key": key[0]})
        length = before + rows + after
        cells["q"] = draw(st.lists(record, min_size=length, max_size=length))
    cells["other"] = [0] * (before + rows + after)
    names = [name for name in cells if name in types]
    columns = {name: pa.array(cells[name], types[name]) for name in names}
    whole = batch(**columns, other=pa.array(cells["other"], pa.int64()))
    records = [
        {name: values[row] for name, values in cells.items()}
        for row in range(before, before + rows)
    ]
    return records, whole.slice(before, rows)


@given(tables())
def test_rows_as_objects_and_as_columns_have_the_same_values_and_reasons(table):
    records, rows = table
    assert outcome_of_columns(rows) == outcome_of_records(records)


@given(tables())
def test_all_columns_have_the_length_of_the_batch(table):
    _, rows = table
    columns, reason, detail = from_columns(rows, FIELDS)
    assert {len(each) for each in [*columns, reason, detail]} == {rows.num_rows}
    assert [each.type for each in columns] == [field.type for field in FIELDS]


# Values and their kinds.


@pytest.mark.parametrize("of", [*TEXT_TYPES, pa.binary()], ids=str)
def test_every_arrow_type_of_text_is_text(of):
    rows = batch(question=pa.array(["ä", None, ""], of))
    assert outcome_of_columns(rows, [QUESTION]) == [
        ("ä",),
        ("null_value", "question"),
        ("",),
    ]


@pytest.mark.parametrize(
    "of",
    [
        *LIST_TYPES,
        pa.large_list(pa.large_string()),
        pa.list_(pa.dictionary(pa.int8(), pa.string())),
    ],
    ids=str,
)
def test_every_arrow_type_of_text_lists_is_a_list_of_texts(of):
    rows = batch(options=pa.array([["x"], None, ["a", "ä"], []], of))
    assert outcome_of_columns(rows, [OPTIONS]) == [
        (["x"],),
        ("null_value", "options"),
        (["a", "ä"],),
        ([],),
    ]


def test_lists_of_a_fixed_size_are_lists():
    rows = batch(options=pa.array([["x", "y"], None, ["a", "b"]], pa.list_(pa.string(), 2)))
    assert outcome_of_columns(rows, [OPTIONS])[::2] == [(["x", "y"],), (["a", "b"],)]
    assert reasons(rows, OPTIONS)[1] == "null_value"


def test_a_path_goes_through_large_lists_of_structs():
    item = pa.struct([("text", pa.string())])
    q = pa.struct([("items", pa.large_list(item))])
    rows = batch(q=pa.array([{"items": [{"text": "x"}, {"text": "y"}]}], q))
    assert outcome_of_columns(rows, [OPTIONS]) == [(["x", "y"],)]


def test_a_null_in_a_list_is_a_null_value():
    rows = batch(options=pa.array([["x", None], ["y"]], TEXTS))
    assert reasons(rows, OPTIONS) == ["null_value", None]


@pytest.mark.parametrize("of", [pa.int8(), pa.int64(), pa.uint32()], ids=str)
def test_an_integer_key_becomes_text(of):
    assert outcome_of_columns(batch(key=pa.array([0, 3], of)), [KEY]) == [("0",), ("3",)]


def test_an_integer_key_of_an_object_becomes_text():
    assert from_record({"key": 3}, [KEY]) == {"key": "3"}


@pytest.mark.parametrize("value", [True, 1.0, [1], {"a": 1}], ids=repr)
def test_what_is_neither_text_nor_integer_is_no_key(value):
    # True is an int in Python, and no answer key.
    assert from_record({"key": value}, [KEY]).reason == "wrong_type"
    assert reasons(batch(key=pa.array([value])), KEY) == ["wrong_type"]


def test_an_integer_is_no_text():
    flaw = Flaw("wrong_type", "question: expected text, found int")
    assert from_record({"question": 5}, [QUESTION]) == flaw
    assert reasons(batch(question=pa.array([5])), QUESTION) == ["wrong_type"]


def test_a_text_is_no_list_of_texts():
    # "abc" would pass for a list of three.
    assert from_record({"options": "abc"}, [OPTIONS]).reason == "wrong_type"
    assert reasons(batch(options=pa.array(["abc"])), OPTIONS) == ["wrong_type"]


def test_an_integer_among_the_texts_of_a_list_is_rejected():
    flaw = Flaw("wrong_type", "options: expected a list of texts, found int")
    assert from_record({"options": ["a", 1]}, [OPTIONS]) == flaw


@pytest.mark.parametrize("record", [None, 5, "text", ["question"]], ids=repr)
def test_what_is_no_object_is_rejected(record):
    assert from_record(record, FIELDS).reason == "wrong_type"


def test_the_flaw_of_an_unreadable_row_stays():
    flaw = Flaw("unreadable_line", "why")
    assert from_record(flaw, FIELDS) is flaw


# Places.


def test_a_field_without_places_is_where_its_name_says():
    assert Field("answer", "key").places == ("answer",)


def test_the_columns_of_a_field_are_what_its_places_start_from():
    assert OPTIONS.columns == {"options", "q", "A", "B"}


def test_a_missing_column_is_told_with_every_place_where_it_may_be():
    columns, reason, detail = from_columns(batch(other=pa.array([1, 2])), [OPTIONS])
    assert columns[0].null_count == 2
    assert reason.to_pylist() == ["missing_column"] * 2
    assert detail[0].as_py() == (
        "options: expected options or q.items[].text or q.lists.text or A+B"
    )


def test_one_of_the_columns_of_a_list_is_not_enough():
    assert reasons(batch(A=pa.array(["x"])), OPTIONS) == ["missing_column"]
    assert from_record({"A": "x"}, [OPTIONS]).reason == "missing_column"


def test_the_first_place_that_the_layout_has_is_taken():
    q = pa.array([{"stem": "second"}])
    assert outcome_of_columns(batch(q=q, question=pa.array(["first"])), [QUESTION]) == [
        ("first",)
    ]


def test_a_null_in_the_first_place_is_not_made_up_for_by_the_second():
    q = pa.array([{"stem": "second"}])
    assert reasons(batch(question=pa.array([None], pa.string()), q=q), QUESTION) == [
        "null_value"
    ]
    record = {"question": None, "q": {"stem": "second"}}
    assert from_record(record, [QUESTION]).reason == "null_value"


def test_a_place_below_a_text_is_not_there():
    # ARC has `question` as text on the Hub, and `question.stem` in the release.
    field = Field("question", "text", ("question.stem", "question"))
    assert outcome_of_columns(batch(question=pa.array(["x"])), [field]) == [("x",)]
    assert from_record({"question": "x"}, [field]) == {"question": "x"}


def test_the_nulls_of_a_struct_are_those_of_what_is_in_it():
    # The child's own buffer has a value there, which `StructArray.field` would give.
    q = pa.StructArray.from_arrays([pa.array(["x", "hidden"])], ["stem"])
    mask = pa.py_buffer(bytes([0b01]))
    q = pa.Array.from_buffers(q.type, 2, [mask], children=[q.field(0)])
    assert reasons(batch(q=q), QUESTION) == [None, "null_value"]


def test_the_values_of_a_null_list_do_not_move_into_the_next_one():
    values = pa.array(["hidden", "hidden", "x"])
    offsets = pa.py_buffer(np.array([0, 2, 3], np.int32))
    column = pa.Array.from_buffers(
        TEXTS, 2, [pa.py_buffer(bytes([0b10])), offsets], children=[values]
    )
    assert outcome_of_columns(batch(options=column), [OPTIONS]) == [
        ("null_value", "options"),
        (["x"],),
    ]


# Bytes that are no UTF-8.


@pytest.mark.parametrize("of", [pa.string(), pa.large_string()], ids=str)
def test_broken_bytes_cost_their_row_alone(of):
    rows = batch(question=strings(b"a", b"\xff", "ä".encode(), b"\xc3", of=of))
    assert outcome_of_columns(rows, [QUESTION]) == [
        ("a",),
        ("invalid_utf8", "question"),
        ("ä",),
        ("invalid_utf8", "question"),
    ]


def test_broken_bytes_of_a_binary_column_cost_their_row_alone():
    rows = batch(question=pa.array([b"a", b"\xff"], pa.binary()))
    assert outcome_of_columns(rows, [QUESTION]) == [("a",), ("invalid_utf8", "question")]


def test_two_broken_halves_of_a_character_are_broken_each():
    # Joined, as the buffer has them, they would be an ä.
    rows = batch(question=strings(b"\xc3", b"\xa4"))
    assert reasons(rows, QUESTION) == ["invalid_utf8"] * 2


def test_broken_bytes_outside_of_a_slice_do_not_matter():
    rows = batch(question=strings(b"\xff", b"a", b"\xff")).slice(1, 1)
    assert outcome_of_columns(rows, [QUESTION]) == [("a",)]


def test_broken_bytes_in_a_list_cost_its_row_alone():
    column = lists(strings(b"a", b"b", b"\xff", b"c"), 1, 2, 0, 1)
    assert outcome_of_columns(batch(options=column), [OPTIONS]) == [
        (["a"],),
        ("invalid_utf8", "options"),
        ([],),
        (["c"],),
    ]


def test_broken_bytes_in_a_list_outside_of_a_slice_do_not_matter():
    column = lists(strings(b"\xff", b"a", b"b", b"\xff"), 1, 2, 1)
    rows = batch(options=column).slice(1, 1)
    assert outcome_of_columns(rows, [OPTIONS]) == [(["a", "b"],)]


def test_broken_bytes_in_a_list_of_structs_cost_their_row_alone():
    items = pa.StructArray.from_arrays([strings(b"a", b"\xff", b"c")], ["text"])
    q = pa.StructArray.from_arrays([lists(items, 1, 1, 1)], ["items"])
    assert reasons(batch(q=q), OPTIONS) == [None, "invalid_utf8", None]


def test_broken_bytes_in_one_of_the_columns_of_a_list_cost_their_row_alone():
    rows = batch(A=strings(b"a", b"\xff"), B=pa.array(["b", "b"]))
    assert outcome_of_columns(rows, [OPTIONS]) == [(["a", "b"],), ("invalid_utf8", "options")]


def test_broken_bytes_in_a_dictionary_cost_the_rows_that_have_them():
    words = strings(b"a", b"\xff")
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), words)
    assert reasons(batch(question=column), QUESTION) == [None, "invalid_utf8", None]


def test_broken_bytes_beside_nulls_leave_the_nulls_what_they_are():
    whole = strings(b"a", b"\xff", b"")
    column = pa.Array.from_buffers(
        pa.string(), 3, [pa.py_buffer(bytes([0b011])), *whole.buffers()[1:]]
    )
    assert reasons(batch(question=column), QUESTION) == [None, "invalid_utf8", "null_value"]


@pytest.mark.parametrize("value", ["\udcff", ["a", "\udcff"]], ids=ascii)
def test_a_surrogate_in_an_objects_text_is_a_broken_byte(value):
    field = OPTIONS if isinstance(value, list) else QUESTION
    assert from_record({field.name: value}, [field]) == Flaw("invalid_utf8", field.name)


# Helpers.


def test_the_first_of_several_flaws_is_the_reason():
    flaws = [
        (pa.array([False, True, False]), Flaw("first", "1")),
        (pa.array([True, True, False]), Flaw("second", "2")),
    ]
    reason, detail = first_flaw(3, flaws)
    assert reason.to_pylist() == ["second", "first", None]
    assert detail.to_pylist() == ["2", "1", None]


def test_no_flaws_are_no_reasons():
    assert [each.to_pylist() for each in first_flaw(2, [])] == [[None, None]] * 2


text_lists = st.lists(st.none() | st.lists(maybe_text, max_size=3), max_size=6)


@st.composite
def sliced_lists(draw):
    """Lists as Python has them, and as a slice of a longer column."""
    before, values, after = draw(text_lists), draw(text_lists), draw(text_lists)
    return values, pa.array([*before, *values, *after], TEXTS).slice(len(before), len(values))


@given(sliced_lists())
def test_positions_are_those_of_the_flattened_values(both):
    values, column = both
    rows, places = positions(column)
    expected = [(row, at) for row, each in enumerate(values) for at in range(len(each or []))]
    assert list(zip(rows, places, strict=True)) == expected
    assert len(rows) == len(column.flatten())


@given(sliced_lists())
def test_relisting_the_values_of_lists_gives_the_lists(both):
    values, column = both
    again = relist(column, column.flatten())
    again.validate(full=True)
    assert again.to_pylist() == values


@given(sliced_lists())
def test_relisting_other_values_keeps_lengths_and_nulls(both):
    values, column = both
    numbers = pa.array(range(len(column.flatten())), pa.int64())
    lengths = [
        None if each is None else len(each) for each in relist(column, numbers).to_pylist()
    ]
    assert lengths == [None if each is None else len(each) for each in values]


@given(st.lists(st.tuples(maybe_text, maybe_text, maybe_text)), st.integers(0, 3))
def test_zipped_columns_are_a_list_of_each_row(rows, offset):
    offset = min(offset, len(rows))
    columns = [
        pa.array([row[i] for row in rows], of).slice(offset)
        for i, of in enumerate([pa.string(), pa.large_string(), pa.string()])
    ]
    assert zip_lists(columns).to_pylist() == [list(row) for row in rows[offset:]]


def test_columns_that_are_no_text_are_not_zipped():
    assert zip_lists([pa.array(["a"]), pa.array([1])]) is None
