"""OpenBookQA: elementary science."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from rows.files import CHOICES, columns, nested, write_jsonl, write_parquet

OPENBOOKQA_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("question_stem", pa.string()),
        ("choices", CHOICES),
        ("answerKey", pa.string()),
    ]
)

# (id, question stem, texts of the options A to D, label of the right one)
OPENBOOKQA: list[tuple[str, str, list[str], str]] = [
    (
        "ex-1",
        "A rain barrel with its lid left off is emptied by a hot, dry week because the water",
        ["turns into vapor", "freezes at night", "becomes heavier", "changes into soil"],
        "A",
    ),
    (
        "ex-2",
        "A person walking home at night is seen best by drivers if the person wears",
        ["a dark coat", "a reflective vest", "thick socks", "gray gloves"],
        "B",
    ),
    (
        "ex-3",
        "Which of these keeps tea warm the longest?",
        ["a metal cup", "a paper cup", "a vacuum flask", "an open saucer"],
        "C",
    ),
    # Two wrong options are equal.
    (
        "ex-4",
        "A fox that lives where snow lies all winter is helped to hide by",
        ["black fur", "red fur", "black fur", "white fur"],
        "D",
    ),
    # A wrong option is equal to the right one.
    (
        "ex-5",
        "The needle of a compass can be turned aside by",
        ["magnets", "feathers", "magnets", "paper"],
        "A",
    ),
    (
        "ex-6",
        "A seed that is buried much too deep fails because its shoot cannot reach",
        ["sunlight", "moonlight", "stones", "worms"],
        "A",
    ),
    (
        "ex-7",
        "Sorting bottles by their color before they are melted is a part of",
        ["mining", "recycling", "farming", "fishing"],
        "B",
    ),
    (
        "ex-8",
        "A tree whose stump has eighty rings was about",
        ["eight months old", "eighty days old", "eighty years old", "eight hundred years old"],
        "C",
    ),
    (
        "ex-9",
        "Sliding down a rope too fast burns the hands because of",
        ["gravity alone", "magnetism", "evaporation", "friction"],
        "D",
    ),
    (
        "ex-10",
        "An animal that hunts only at night is helped most by",
        ["bright feathers", "large eyes", "a loud call", "short whiskers"],
        "B",
    ),
    (
        "ex-11",
        "Poison that drains into a lake does the most harm to an animal that",
        ["eats only nuts", "drinks only rain", "lives in the lake", "sleeps in a high tree"],
        "C",
    ),
    (
        "ex-12",
        "During a solar eclipse, what comes between Earth and the Sun is",
        ["the Moon", "a cloud", "Mars", "the North Star"],
        "A",
    ),
]


def write_openbookqa(folder: Path) -> None:
    """The Hub keeps the options column by column, the released file one by one."""
    hub = [
        {"id": id_, "question_stem": stem, "choices": columns(texts, "ABCD"), "answerKey": key}
        for id_, stem, texts, key in OPENBOOKQA
    ]
    path = "allenai/openbookqa/main/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, OPENBOOKQA_SCHEMA, hub)
    release = [nested(id_, stem, texts, "ABCD", key) for id_, stem, texts, key in OPENBOOKQA]
    write_jsonl(folder / "release/openbookqa/train.jsonl", release)
