import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_thunder.catalog import find
from beam_thunder.transforms.sources import open_parser

SLIMORCA = open_parser("slimorca")
SYSTEM = {"from": "system", "value": "You help.", "weight": None}
HUMAN = {"from": "human", "value": "Why {x}?", "weight": 0.0}
GPT = {"from": "gpt", "value": "Because.", "weight": 1.0}


def parsed(parse_records, *turns):
    return parse_records(SLIMORCA, {"conversations": list(turns)})[0]


def test_a_conversation_becomes_an_open_question(parse_records):
    row = parsed(parse_records, SYSTEM, HUMAN, GPT)
    assert (row["question"], row["prompt"]) == ("Why {x}?", "Why {x}?")
    assert (row["system"], row["reference"]) == ("You help.", "Because.")
    assert [row[name] for name in ("answer", "before", "after", "reason")] == [None] * 4


def test_the_system_turn_may_be_absent(parse_records):
    row = parsed(parse_records, HUMAN, GPT)
    assert (row["system"], row["question"], row["reference"]) == (None, "Why {x}?", "Because.")


@pytest.mark.parametrize("value", ["", " \n"])
def test_a_blank_system_turn_is_none(parse_records, value):
    assert parsed(parse_records, {**SYSTEM, "value": value}, HUMAN, GPT)["system"] is None


def test_the_system_turn_is_part_of_what_is_asked(parse_records):
    with_system = parsed(parse_records, SYSTEM, HUMAN, GPT)
    assert with_system["id"] != parsed(parse_records, HUMAN, GPT)["id"]


def test_weights_do_not_change_what_a_question_is(parse_records):
    bare = [{name: turn[name] for name in ("from", "value")} for turn in (SYSTEM, HUMAN, GPT)]
    assert parsed(parse_records, *bare) == parsed(parse_records, SYSTEM, HUMAN, GPT)


@pytest.mark.parametrize(
    "turns",
    [
        [],
        [HUMAN],
        [GPT],
        [SYSTEM, HUMAN],
        [SYSTEM, GPT],
        [GPT, HUMAN],
        [HUMAN, SYSTEM, GPT],
        [SYSTEM, SYSTEM, HUMAN, GPT],
        [SYSTEM, HUMAN, GPT, HUMAN, GPT],
        [HUMAN, HUMAN, GPT],
        [HUMAN, {**GPT, "from": "tool"}],
        [{**HUMAN, "from": "human,gpt"}],
    ],
)
def test_other_turns_are_rejected_alone(parse_records, turns):
    rows = [{"conversations": each} for each in ([SYSTEM, HUMAN, GPT], turns, [HUMAN, GPT])]
    before, bad, after = parse_records(SLIMORCA, *rows)
    assert (before["system"], before["reference"], before["reason"]) == (
        "You help.",
        "Because.",
        None,
    )
    assert (after["system"], after["reference"], after["reason"]) == (None, "Because.", None)
    assert bad["reason"] == "unexpected_turns"
    assert "one human turn and one gpt turn" in bad["detail"]


@pytest.mark.parametrize(
    ("turn", "reason"),
    [
        ({**HUMAN, "value": " "}, "empty_question"),
        ({**HUMAN, "value": None}, "null_value"),
        ({**HUMAN, "value": 4}, "wrong_type"),
        ({"from": "human"}, "missing_column"),
        ("Why?", "missing_column"),
    ],
)
def test_a_turn_that_is_none_is_rejected_for_its_reason(parse_records, turn, reason):
    good, bad = parse_records(
        SLIMORCA, {"conversations": [HUMAN, GPT]}, {"conversations": [turn, GPT]}
    )
    assert (good["reason"], bad["reason"]) == (None, reason)


def test_the_example_rows_are_read(parse_files, examples):
    rows = parse_files(SLIMORCA, examples / "raw", find("slimorca").patterns()[0], batch_rows=2)
    assert len(rows) == 9
    assert [row["system"] is None for row in rows] == [0, 1, 1, 0, 0, 0, 1, 0, 0]
    assert rows[5]["question"] == "\nTranslate to French: Good morning.\n"
    assert rows[8]["reference"].startswith("Step 1: ")


def test_parquet_gives_the_same_questions(parse_files, examples, tmp_path):
    turn = pa.struct([("from", pa.string()), ("value", pa.string()), ("weight", pa.float64())])
    schema = pa.schema([("conversations", pa.list_(turn))])
    talks = [[SYSTEM, HUMAN, GPT], None, [HUMAN, GPT], [], [HUMAN]]
    table = pa.Table.from_pylist([{"conversations": talk} for talk in talks], schema=schema)
    pq.write_table(table, tmp_path / "rows.parquet")
    rows = parse_files(SLIMORCA, tmp_path, "rows.parquet")
    assert [row["reason"] for row in rows] == [
        *(None, "null_value", None, "unexpected_turns", "unexpected_turns"),
    ]
    assert [row["system"] for row in rows] == ["You help.", None, None, None, None]
    assert [rows[i]["reference"] for i in (0, 2)] == ["Because.", "Because."]
