"""MMLU: multiple-choice questions of many subjects."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from rows.files import TEXTS, write_csv, write_parquet

MMLU_SCHEMA = pa.schema(
    [
        ("question", pa.string()),
        ("subject", pa.string()),
        ("choices", TEXTS),
        ("answer", pa.int64()),
    ]
)

# (question, choices, index of the right one); the subject is empty, as in the real split.
MMLU: list[tuple[str, list[str], int]] = [
    (
        (
            "A lunch box holds 3 red and 5 green marbles. One marble is drawn without "
            "looking. What is the chance that it is red?"
        ),
        ["3/5", "3/8", "5/8", "1/3"],
        1,
    ),
    # Leading spaces.
    (
        "  A lamp draws 0.5 ampere from a 12 volt battery. What is its resistance?",
        ["6 ohms", "12.5 ohms", "24 ohms", "0.04 ohms"],
        2,
    ),
    # A trailing newline.
    (
        (
            "A year on Mercury lasts about 88 days of Earth. About how many times does "
            "Mercury go around the Sun in one year of Earth?\n"
        ),
        ["2", "4", "8", "88"],
        1,
    ),
    # Spaces at both ends, and quotes.
    (
        ' Which word of the sentence "The ferry left quietly before dawn" is an adverb?  ',
        ["ferry", "left", "quietly", "dawn"],
        2,
    ),
    # A passage of several lines.
    (
        (
            "Marta keeps bees on the roof of the town library. In spring she checks "
            "the hives every week, since a crowded colony may swarm.\n"
            "In winter she leaves them shut, because each opening lets the warm air "
            "out.\n\n"
            "Why does Marta not open the hives in winter?"
        ),
        [
            "The library is closed.",
            "The bees may swarm.",
            "The honey would freeze.",
            "The hives would lose warmth.",
        ],
        3,
    ),
    # A wrong option that is there twice.
    (
        "How many edges meet at each corner of the base of a square pyramid?",
        ["2", "4", "3", "4"],
        2,
    ),
    # This row comes again as the last one.
    (
        (
            "A map has a scale of 1 : 50,000. Two villages lie 6 cm apart on it. How "
            "far apart are they in reality?"
        ),
        ["3 km", "300 m", "30 km", "12 km"],
        0,
    ),
    (
        (
            "A kettle rated at 2,000 watts runs for exactly 3 minutes. How much energy "
            "does it use?"
        ),
        ["6 kWh", "0.6 kWh", "1 kWh", "0.1 kWh"],
        3,
    ),
    # A sentence to complete.
    (
        (
            "A shop buys scarves for 8 euros each and sells them for 10 euros each. "
            "Measured on the cost, the markup is"
        ),
        ["2 percent", "20 percent", "25 percent", "80 percent"],
        2,
    ),
    # Characters beyond ASCII.
    (
        "Which statement about the function f(x) = x² − 6x + 11 is true?",
        [
            "Its smallest value is 2.",
            "Its smallest value is 3.",
            "It has two real zeros.",
            "It has a largest value.",
        ],
        0,
    ),
    (
        (
            "A contract of sale comes about by the offer of one party and, from the "
            "other party, its"
        ),
        ["refusal", "acceptance", "delay", "complaint"],
        1,
    ),
    # The same as the row above, to the letter.
    (
        (
            "A map has a scale of 1 : 50,000. Two villages lie 6 cm apart on it. How "
            "far apart are they in reality?"
        ),
        ["3 km", "300 m", "30 km", "12 km"],
        0,
    ),
]


def write_mmlu(folder: Path) -> None:
    """One parquet file; a CSV file without a header, with the answer as a letter."""
    rows = [
        {"question": question, "subject": "", "choices": choices, "answer": answer}
        for question, choices, answer in MMLU
    ]
    path = "cais/mmlu/all/auxiliary_train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, MMLU_SCHEMA, rows)
    cells = [[question, *choices, "ABCD"[answer]] for question, choices, answer in MMLU]
    write_csv(folder / "release/mmlu/auxiliary_train/examples.csv", cells, line_end="\r\n")
