"""OrcaMath: word problems with answers in free text."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from rows.files import write_parquet

ORCA_MATH_SCHEMA = pa.schema([("question", pa.string()), ("answer", pa.string())])

# (question, answer); the final answer stands in free text, if it stands there at all.
ORCA_MATH: list[tuple[str, str]] = [
    # One number in the last sentence.
    (
        "A ferry takes 18 cars a trip. How many cars does it take over in 7 trips?",
        "Each trip takes 18 cars.\n\n18 * 7 = 126\n\nTherefore, the ferry takes over 126 cars.",
    ),
    # Dollars, and a comma.
    (
        "A club sells 85 tickets at $14.50 each. How much does it take in?",
        "85 * $14.50 = $1,232.50\n\nThe club takes in $1,232.50.",
    ),
    # A result at the very end.
    (
        "Ruth reads 24 pages a day. How many pages has she left of 200 after 5 days?",
        "She has read 24 * 5 = 120 pages. The rest is 200 - 120 = 80 pages.",
    ),
    # A box.
    (
        "What part of a pizza is left when 3 of its 8 equal slices are eaten?",
        "There are 8 - 3 = 5 slices left.\n\n\\[ \\boxed{\\frac{5}{8}} \\]",
    ),
    # Per cent.
    (
        "A class of 40 has 14 pupils who swim. Which percentage of the class is that?",
        "14 / 40 = 0.35\n\nThe answer is 35%.",
    ),
    # Two numbers: no single final answer.
    (
        "Two numbers add up to 30, and one is twice the other. Which numbers are they?",
        "Let x be the smaller one. Then 3x = 30.\n\nThe two numbers are 10 and 20.",
    ),
    # An answer in words.
    (
        "Is 91 a prime number?",
        "No. 7 divides it without a remainder, so it is a composite number.",
    ),
    # The value of an unknown, which is not what is asked.
    (
        "Twice a number and 4 more make 18. What is three times the number?",
        "Let x be the number.\n2x + 4 = 18\n2x = 14\nx = 7",
    ),
    # A negative result, and line ends of Windows.
    (
        "A diver at -12 meters sinks 9 meters more. At which height is she?",
        "She sinks by 9 meters.\r\nHer height is -21 meters.",
    ),
]


def write_orca_math(folder: Path) -> None:
    """Released on the Hub only."""
    rows = [{"question": question, "answer": answer} for question, answer in ORCA_MATH]
    path = "microsoft/orca-math-word-problems-200k/data/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, ORCA_MATH_SCHEMA, rows)
