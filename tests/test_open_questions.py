import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.catalog import CATALOG
from beam_thunder.errors import RecipeError
from beam_thunder.schemas import REJECTS
from beam_thunder.schemas.tables import OPEN_QUESTIONS
from beam_thunder.templates import PLACEHOLDERS, TEMPLATES, check_template
from beam_thunder.transforms.fields import Field, Flaw, from_columns, from_record
from beam_thunder.transforms.open_questions import (
    OPEN_PARSED,
    fill_template,
    null_if_blank,
    open_questions,
    unix_lines,
)
from beam_thunder.transforms.questions import identity, split_rejects
from beam_thunder.transforms.read import RawRows, find_files, raw_slices, read_slice
from beam_thunder.transforms.sources import open_parser

SYNTHETIC = sorted(name for name, entry in CATALOG.items() if entry.kind == "synthetic")
RAW = RawRows((Field("asked", "text"),)).schema


def texts(*values):
    return pa.array(values, pa.string())


def raw_rows(*asked, reasons=None):
    reasons = reasons or [None] * len(asked)
    details = [reason and f"about {reason}" for reason in reasons]
    origin = [texts(*["rows.jsonl"] * len(asked)), pa.array(range(1, len(asked) + 1))]
    columns = [*origin, texts(*asked), texts(*reasons), texts(*details)]
    return pa.RecordBatch.from_arrays(columns, schema=RAW)


def parse(rows, **others):
    asked = rows.column("asked")
    return open_questions(rows, "Test", [asked], asked, asked, **others)


def test_columns_that_are_left_out_are_null():
    parsed = parse(raw_rows("Why?"), answer=texts("42"))
    assert parsed.schema == OPEN_PARSED
    assert parsed.to_pylist() == [
        {
            "id": identity("Test", [texts("Why?")])[0].as_py(),
            "question": "Why?",
            "system": None,
            "prompt": "Why?",
            "answer": "42",
            "reference": None,
            "before": None,
            "after": None,
            "reason": None,
            "detail": None,
        }
    ]


def test_every_column_is_where_it_belongs():
    names = ("system", "answer", "reference", "before", "after")
    parsed = parse(raw_rows("Why?"), **{name: texts(f"the {name}") for name in names})
    row = parsed.to_pylist()[0]
    assert {name: row[name] for name in names} == {name: f"the {name}" for name in names}


@pytest.mark.parametrize("asked", ["", " \n", "\u3000"])
def test_a_blank_question_is_rejected(asked):
    parsed = parse(raw_rows("Why?", asked))
    assert parsed.column("reason").to_pylist() == [None, "empty_question"]


def test_a_prompt_that_was_decoded_wrongly_is_rejected():
    parsed = parse(raw_rows("Why?", "Wh\ufffd?"))
    assert parsed.column("reason").to_pylist() == [None, "broken_text"]


def test_a_row_that_could_not_be_read_has_nothing_else_to_be_blamed_for():
    rows = raw_rows("", reasons=["unreadable_line"])
    parsed = parse(rows, flaws=[(pa.array([True]), Flaw("no_tests", "none"))])
    row = parsed.to_pylist()[0]
    assert (row["reason"], row["detail"]) == ("unreadable_line", "about unreadable_line")


def test_the_first_flaw_is_the_reason():
    flaws = [
        (pa.array([None, True]), Flaw("first", "a")),
        (pa.array([True] * 2), Flaw("b", "")),
    ]
    parsed = parse(raw_rows("", "Why?"), flaws=flaws)
    assert parsed.column("reason").to_pylist() == ["b", "first"]


def test_rejects_are_split_from_open_questions():
    rows = raw_rows("Why?", "", "How?")
    sound, rejects = split_rejects(rows, parse(rows))
    assert (sound.schema, rejects.schema) == (OPEN_QUESTIONS, REJECTS)
    assert sound.column("question").to_pylist() == ["Why?", "How?"]
    assert rejects.column("position").to_pylist() == [2]


def test_line_ends_of_windows_become_newlines():
    found = unix_lines(texts("a\r\n\tb\r\n", "c\n", "d\r", None))
    assert found.to_pylist() == ["a\n\tb\n", "c\n", "d\n", None]


def test_blank_texts_become_null():
    assert null_if_blank(texts(" a ", " \n", "", None)).to_pylist() == [" a ", None, None, None]


# Templates.


def test_every_synthetic_dataset_has_a_template_that_can_be_applied():
    assert sorted(TEMPLATES) == SYNTHETIC
    for name, template in TEMPLATES.items():
        check_template(name, template)


@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_template_is_in_the_language_of_its_source(name):
    hangul = any("가" <= letter <= "힣" for letter in TEMPLATES[name])
    assert hangul == (CATALOG[name].language == "ko" and name != "koalpaca")


def test_a_template_is_filled():
    prompts = fill_template("Q: {question}\nA:", {"question": texts("Why?", "How?")})
    assert prompts.to_pylist() == ["Q: Why?\nA:", "Q: How?\nA:"]


def test_braces_in_a_question_are_its_own_text():
    columns = {"question": texts("{tests} {question} {}"), "tests": texts("{question}")}
    assert fill_template("{question}|{tests}|{}", columns).to_pylist() == [
        "{tests} {question} {}|{question}|{}"
    ]


def test_a_prompt_is_null_where_the_question_is():
    assert fill_template("Q: {question}", {"question": texts(None, "a")}).to_pylist() == [
        None,
        "Q: a",
    ]


# Without letters, so that no name stands in braces by chance.
literal = st.text(alphabet="{} \\0$\n", max_size=8)


@given(st.text(alphabet="{}question \n\\0", max_size=20), literal, literal)
def test_a_prompt_is_the_templates_text_around_the_question(question, before, after):
    filled = fill_template(f"{before}{{question}}{after}", {"question": texts(question)})
    assert filled.to_pylist() == [f"{before}{question}{after}"]


@pytest.mark.parametrize(
    ("name", "template", "said"),
    [
        ("gsm8k-ko", "문제:", "expected {question} once, found it 0 times"),
        ("gsm8k-ko", "{question} {question}", "expected {question} once, found it 2 times"),
        (
            "gsm8k-ko",
            "{question} {tests}",
            "unknown placeholder {tests}; it may have {question}",
        ),
        ("mbpp", "{question} {test}", "{test}; it may have {question}, {tests}"),
        ("leetcode", "{tests}{question}", "{tests}; it may have {question}, {starter_code}"),
    ],
)
def test_a_template_that_cannot_be_applied_is_named(name, template, said):
    with pytest.raises(RecipeError) as error:
        open_parser(name, template)
    assert said in str(error.value)
    assert repr(template) in str(error.value)
    assert name in str(error.value)


def test_braces_without_a_name_may_stand_in_a_template():
    check_template("orca-math", r"{question} End with \boxed{} and {1, 2}.")


# All sources.


def parsed_examples(name, template, folder):
    source = open_parser(name, template)
    for pattern in CATALOG[name].patterns():
        files = find_files(str(folder), [pattern])
        for piece in raw_slices(files):
            for batch in read_slice(piece, source.rows, 3):
                yield from source.parse(batch).to_pylist()


@pytest.mark.parametrize("name", SYNTHETIC)
def test_the_source_is_the_catalogs(name):
    assert open_parser(name).source == CATALOG[name].source


@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_template_changes_prompts_and_nothing_else(name, examples):
    plain = list(parsed_examples(name, "", examples / "raw"))
    other = list(parsed_examples(name, "Hi! {question}", examples / "raw"))
    assert len(plain) >= 8
    for before, after in zip(plain, other, strict=True):
        assert after.pop("prompt") == f"Hi! {before['question']}"
        assert before.pop("prompt") != f"Hi! {before['question']}"
        assert before == after


@pytest.mark.parametrize("name", SYNTHETIC)
def test_every_example_row_is_usable_and_its_own_question(name, examples):
    rows = list(parsed_examples(name, "", examples / "raw"))
    assert [row["reason"] for row in rows] == [None] * len(rows)
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["question"] in row["prompt"] and row["reference"] for row in rows)


@pytest.mark.parametrize("name", ["gsm8k-synthetic", "mbpp", "mwp-korean-2021"])
def test_the_release_gives_the_same_questions_as_the_hub(name, examples):
    hub = list(parsed_examples(name, "", examples / "raw"))
    assert list(parsed_examples(name, "", examples / "release")) == hub


@pytest.mark.parametrize("name", sorted(PLACEHOLDERS))
def test_further_placeholders_are_filled(name, examples):
    (placeholder,) = PLACEHOLDERS[name]
    rows = parsed_examples(name, f"{{question}}<{{{placeholder}}}>", examples / "raw")
    filled = [row["prompt"].removeprefix(row["question"]) for row in rows]
    assert filled
    assert all(text.startswith("<") and len(text) > 20 for text in filled)


# Fields that a row may do without.

OPTIONAL = (Field("text", "text"), Field("more", "text", optional=True))


@pytest.mark.parametrize("record", [{"text": "a"}, {"text": "a", "more": None}])
def test_an_optional_value_may_be_absent_or_null(record):
    assert from_record(record, OPTIONAL) == {"text": "a", "more": None}
    batch = pa.RecordBatch.from_pylist([record])
    columns, reason, _ = from_columns(batch, OPTIONAL)
    assert [column.to_pylist() for column in columns] == [["a"], [None]]
    assert reason.to_pylist() == [None]


def test_an_optional_value_of_the_wrong_type_is_a_flaw():
    record = {"text": "a", "more": 4}
    assert from_record(record, OPTIONAL).reason == "wrong_type"
    _, reason, _ = from_columns(pa.RecordBatch.from_pylist([record]), OPTIONAL)
    assert reason.to_pylist() == ["wrong_type"]


def test_an_optional_value_that_is_no_text_is_a_flaw():
    broken = pa.array([b"ok", b"\xff", None]).cast(pa.binary())
    batch = pa.RecordBatch.from_arrays([texts("a", "b", "c"), broken], names=["text", "more"])
    _, reason, _ = from_columns(batch, OPTIONAL)
    assert reason.to_pylist() == [None, "invalid_utf8", None]
