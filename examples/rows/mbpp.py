"""MBPP: small programming tasks with tests."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from rows.files import TEXTS, write_jsonl, write_parquet

MBPP_SCHEMA = pa.schema(
    [
        ("task_id", pa.int32()),
        ("text", pa.string()),
        ("code", pa.string()),
        ("test_list", TEXTS),
        ("test_setup_code", pa.string()),
        ("challenge_test_list", TEXTS),
    ]
)

# (task_id, text, code, tests, setup, challenge tests); line ends become those of Windows.
MBPP: list[tuple[int, str, str, list[str], str, list[str]]] = [
    # The first three are of other splits: prompt, test, validation.
    (
        3,
        "Write a function to double a number.",
        "def double(n):\n\treturn n * 2",
        ["assert double(4) == 8"],
        "",
        [],
    ),
    (
        12,
        "Write a function to find the last item of a list.",
        "def last_item(items):\n\treturn items[-1]",
        ["assert last_item([1, 5]) == 5"],
        "",
        [],
    ),
    (
        520,
        "Write a function to count the spaces of a text.",
        "def count_spaces(text):\n\treturn text.count(' ')",
        ["assert count_spaces('a b c') == 2"],
        "",
        [],
    ),
    (
        601,
        "Write a function to keep the even numbers of a list.",
        "def keep_even(numbers): \n\treturn [n for n in numbers if n % 2 == 0]",
        [
            "assert keep_even([1, 2, 3, 4]) == [2, 4]",
            "assert keep_even([7, 9]) == []",
            "assert keep_even([0, -2]) == [0, -2]",
        ],
        "",
        [],
    ),
    # Challenge tests, which are not used.
    (
        602,
        "Write a python function to turn minutes into hours and minutes.",
        "def split_minutes(total):\n    return total // 60, total % 60",
        [
            "assert split_minutes(135) == (2, 15)",
            "assert split_minutes(60) == (1, 0)",
            "assert split_minutes(5) == (0, 5)",
        ],
        "",
        ["assert split_minutes(0) == (0, 0)"],
    ),
    # An import, and braces in a test.
    (
        640,
        "Write a function to count how often each letter is in a word.",
        "from collections import Counter\ndef count_letters(w):\n  return dict(Counter(w))",
        [
            "assert count_letters('noon') == {'n': 2, 'o': 2}",
            "assert count_letters('') == {}",
            "assert count_letters('a') == {'a': 1}",
        ],
        "",
        [],
    ),
    # A setup that needs a class of the answer.
    (
        711,
        "Write a function to add up the values of a linked list.",
        (
            "class Link: \n\tdef __init__(self, value, rest=None): \n\t\tself.value = value\n"
            "\t\tself.rest = rest\ndef add_up(link): \n\tif link is None: \n\t\treturn 0\n"
            "\treturn link.value + add_up(link.rest)"
        ),
        ["assert add_up(short) == 5", "assert add_up(long) == 12 ", "assert add_up(None) == 0"],
        "short = Link(5) \nlong = Link(7) \nlong.rest = short",
        [],
    ),
    # Line ends of Unix already.
    (
        777,
        "Write a function to check whether a word reads the same backwards.",
        "def is_palindrome(word):\n    return word == word[::-1]",
        [
            "assert is_palindrome('level') == True",
            "assert is_palindrome('lever') == False",
            "assert is_palindrome('') == True",
        ],
        "",
        [],
    ),
    (
        850,
        "Write a function to find the largest gap between neighbours in a sorted list.",
        "def largest_gap(a):\n\treturn max((y - x for x, y in zip(a, a[1:])), default=0)",
        [
            "assert largest_gap([1, 4, 6, 11]) == 5",
            "assert largest_gap([2, 2]) == 0",
            "assert largest_gap([3]) == 0",
        ],
        "",
        [],
    ),
    # Backslashes in code and text.
    (
        900,
        "Write a function to split a text at every \\n with the help of regex.",
        "import re\ndef split_lines(text):\n    return re.split(r'\\n', text)",
        [
            "assert split_lines('a\\nb') == ['a', 'b']",
            "assert split_lines('a') == ['a']",
            "assert split_lines('\\n') == ['', '']",
        ],
        "",
        [],
    ),
    (
        974,
        "Write a function to find the area of a triangle from base and height.",
        "def triangle_area(base, height): \n\treturn base * height / 2",
        [
            "assert triangle_area(4, 3) == 6",
            "assert triangle_area(1, 1) == 0.5",
            "assert triangle_area(0, 9) == 0",
        ],
        "",
        [],
    ),
]

MBPP_RELEASE = (
    "text",
    "code",
    "task_id",
    "test_setup_code",
    "test_list",
    "challenge_test_list",
)


def write_mbpp(folder: Path) -> None:
    """The Hub has a file for every split, the release all of them in one."""
    rows = []
    for task_id, text, code, tests, setup, challenges in MBPP:
        end = "\n" if task_id == 777 else "\r\n"
        code, setup = (each.replace("\n", end) for each in (code, setup))
        cells = (task_id, text, code, tests, setup, challenges)
        rows.append(dict(zip(MBPP_SCHEMA.names, cells, strict=True)))
    train = [row for row in rows if row["task_id"] > 600]
    path = "google-research-datasets/mbpp/full/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, MBPP_SCHEMA, train)
    release = [{name: row[name] for name in MBPP_RELEASE} for row in rows]
    write_jsonl(folder / "release/mbpp/mbpp.jsonl", release, ensure_ascii=True)
