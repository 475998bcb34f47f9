"""WinoGrande: whom or what a sentence means."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from rows.files import Row, write_jsonl, write_parquet

WINOGRANDE_SCHEMA = pa.schema(
    [
        ("sentence", pa.string()),
        ("option1", pa.string()),
        ("option2", pa.string()),
        ("answer", pa.string()),
    ]
)

# (option1, option2, the sentence of option 1, its twin of option 2)
WINOGRANDE: list[tuple[str, str, str, str]] = [
    (
        "Jonas",
        "Petra",
        "Jonas lent Petra an umbrella because _ was going home by car.",
        "Jonas lent Petra an umbrella because _ had to walk home in the rain.",
    ),
    # The blank starts the sentence.
    (
        "Nadia",
        "Omar",
        "_ never had to ask for directions, since Nadia knew the town well and Omar did not.",
        "_ often had to ask for directions, since Nadia knew the town well and Omar did not.",
    ),
    # The blank is the last word.
    (
        "rope",
        "thread",
        (
            "The lamp hung from the rope and not from the thread, since the stronger "
            "one was the _."
        ),
        (
            "The lamp hung from the rope and not from the thread, since the weaker one "
            "was the _."
        ),
    ),
    # A possessive after the blank.
    (
        "Lena",
        "Marco",
        (
            "Lena's garden lies in the shade while Marco's gets the sun all day, so "
            "_'s tomatoes ripen late."
        ),
        (
            "Lena's garden lies in the shade while Marco's gets the sun all day, so "
            "_'s tomatoes ripen early."
        ),
    ),
    (
        "glass",
        "cup",
        (
            "Tom could pour the milk into the glass but not into the cup, because the "
            "_ was still empty."
        ),
        (
            "Tom could pour the milk into the glass but not into the cup, because the "
            "_ was already full."
        ),
    ),
    # The blank starts the second sentence.
    (
        "Bruno",
        "Sofia",
        (
            "Bruno reads only at night, while Sofia reads on the morning train. _ "
            "mostly reads by the light of a lamp."
        ),
        (
            "Bruno reads only at night, while Sofia reads on the morning train. _ "
            "mostly reads by the light of the rising sun."
        ),
    ),
]


def winogrande_rows() -> list[Row]:
    """The rows of the released file; every second pair has the twin of option 2 first."""
    rows = []
    for number, (option1, option2, *twins) in enumerate(WINOGRANDE, start=1):
        for answer in ("1", "2") if number % 2 else ("2", "1"):
            qid, sentence = f"EXAMPLE{number:02}-{answer}", twins[int(answer) - 1]
            options = {"option1": option1, "option2": option2, "answer": answer}
            rows.append({"qID": qid, "sentence": sentence, **options})
    return rows


def write_winogrande(folder: Path) -> None:
    """The Hub leaves out `qID`."""
    rows = winogrande_rows()
    path = "allenai/winogrande/winogrande_xl/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, WINOGRANDE_SCHEMA, rows)
    write_jsonl(folder / "release/winogrande/train_xl.jsonl", rows)
