"""ARC-Easy and ARC-Challenge: science at school."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from rows.files import CHOICES, columns, nested, write_jsonl, write_parquet

ARC_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("question", pa.string()),
        ("choices", CHOICES),
        ("answerKey", pa.string()),
    ]
)

# (id, question, labels, texts of the options, label of the right one)
Arc = tuple[str, str, str, list[str], str]

ARC_EASY: list[Arc] = [
    (
        "Example_E_01",
        (
            "A glass of cold lemonade stands outside on a humid day. Where do the "
            "drops on the outside of the glass come from?"
        ),
        "ABCD",
        ["the lemonade", "the glass", "the air", "the ice"],
        "C",
    ),
    # Numbers as labels.
    (
        "Example_E_02",
        "Which tool would best help a student to find the mass of a pear?",
        "1234",
        ["a thermometer", "a ruler", "a balance", "a stopwatch"],
        "3",
    ),
    # Three options.
    (
        "Example_E_03",
        (
            "A ball is pushed equally hard over smooth tiles and over thick carpet. On "
            "the carpet it will roll"
        ),
        "ABC",
        ["farther", "less far", "equally far"],
        "B",
    ),
    # Five options.
    (
        "Example_E_04",
        "Which of these foods is the root of a plant?",
        "ABCDE",
        ["carrot", "lettuce", "peach", "pea", "almond"],
        "A",
    ),
    # Three options with numbers.
    (
        "Example_E_05",
        "Compared with a full Moon, the lit part that we see of a half Moon is",
        "123",
        ["larger", "smaller", "equally large"],
        "2",
    ),
    (
        "Example_E_06",
        (
            "A class wants to know whether beans grow faster in warm soil. What should "
            "differ between the two pots?"
        ),
        "ABCD",
        [
            "the kind of bean",
            "the size of the pot",
            "the amount of water",
            "the temperature of the soil",
        ],
        "D",
    ),
    (
        "Example_E_07",
        "Which of these changes can be undone most easily?",
        "ABCD",
        ["burning a match", "melting chocolate", "baking a cake", "rusting of a nail"],
        "B",
    ),
    (
        "Example_E_08",
        "What do its gills allow a young tadpole to do?",
        "1234",
        ["take oxygen from water", "digest plants", "see in the dark", "swim backward"],
        "1",
    ),
    # Options that are sentences.
    (
        "Example_E_09",
        "Why does a lamp go dark when its switch is turned off?",
        "ABCD",
        [
            "The bulb runs out of light.",
            "The wire gets too warm.",
            "The power plant stops.",
            "The path of the current is broken.",
        ],
        "D",
    ),
    (
        "Example_E_10",
        "Which change of energy is a wind turbine built for?",
        "ABCD",
        [
            "motion into electricity",
            "light into sound",
            "heat into motion",
            "electricity into light",
        ],
        "A",
    ),
    (
        "Example_E_11",
        "Which of these can be seen only with a microscope?",
        "ABCD",
        ["a single bacterium", "a grain of rice", "a housefly", "a daisy"],
        "A",
    ),
    (
        "Example_E_12",
        "On which surface does a sliding box meet the least friction?",
        "1234",
        ["sandpaper", "thick carpet", "rough concrete", "wet ice"],
        "4",
    ),
]

ARC_CHALLENGE: list[Arc] = [
    (
        "Example_C_01",
        (
            "A student drops a steel ball and a wooden ball from the same height in a "
            "chamber without air. What will she observe?"
        ),
        "ABCD",
        [
            "The steel ball lands first.",
            "The wooden ball lands first.",
            "Both balls land at the same time.",
            "Neither ball falls.",
        ],
        "C",
    ),
    # Numbers as labels.
    (
        "Example_C_02",
        (
            "Two liquids are mixed in a sealed flask, and a gas forms. What happens to "
            "the mass of the flask and its contents?"
        ),
        "1234",
        ["It grows.", "It shrinks.", "It doubles.", "It stays the same."],
        "4",
    ),
    # Five options, the fifth is right.
    (
        "Example_C_03",
        "Which of these is NOT a mixture?",
        "ABCDE",
        ["sea water", "brass", "air", "garden soil", "distilled water"],
        "E",
    ),
    # Three options.
    (
        "Example_C_04",
        "A car goes around a circular track at a steady 40 km/h. Its velocity is",
        "ABC",
        ["constant", "changing", "zero"],
        "B",
    ),
    (
        "Example_C_05",
        (
            "In a certain plant, tall (T) is dominant over short (t). Two Tt plants "
            "are crossed. What share of the offspring is expected to be short?"
        ),
        "ABCD",
        ["none", "one quarter", "one half", "three quarters"],
        "B",
    ),
    (
        "Example_C_06",
        (
            "At noon the sand of a beach is hot while the sea is still cool. Which "
            "statement explains this best?"
        ),
        "ABCD",
        [
            "Sand has a lower specific heat than water.",
            "Sand has a higher specific heat than water.",
            "Sand conducts electricity better than sea water.",
            "Water takes in no energy from the Sun.",
        ],
        "A",
    ),
    # Commas in numbers.
    (
        "Example_C_07",
        (
            "A hiker hears thunder 6 seconds after she saw the lightning. Sound "
            "travels about 340 meters per second. About how far away was the lightning?"
        ),
        "ABCD",
        ["57 meters", "340 meters", "2,040 meters", "20,400 meters"],
        "C",
    ),
    (
        "Example_C_08",
        "Which observation best shows that a layer of rock was once below the sea?",
        "1234",
        [
            "It holds fossils of corals.",
            "It has a gray color.",
            "It lies on top of a hill.",
            "It breaks easily.",
        ],
        "1",
    ),
    (
        "Example_C_09",
        (
            "All the owls on an island die out. Owls were the only animals there that "
            "hunted mice. What will most likely happen to the mice at first?"
        ),
        "ABCD",
        [
            "Their number will grow.",
            "Their number will shrink.",
            "They will begin to hunt owls.",
            "They will die out as well.",
        ],
        "A",
    ),
    # Characters beyond ASCII.
    (
        "Example_C_10",
        (
            "A student wrote this about a solid at 20 °C. • It bends without breaking. "
            "• It conducts electricity. • It shines. What is the solid most likely "
            "made of?"
        ),
        "ABCD",
        ["glass", "copper", "rubber", "chalk"],
        "B",
    ),
    (
        "Example_C_11",
        "Why can astronauts jump higher on the Moon than on Earth?",
        "ABCD",
        [
            "The Moon has thicker air.",
            "Their bodies have less mass there.",
            "The ground of the Moon is elastic.",
            "The Moon pulls on them more weakly than Earth.",
        ],
        "D",
    ),
    # Three options with numbers.
    (
        "Example_C_12",
        "The air in a closed steel can is warmed. The pressure on the walls of the can",
        "123",
        ["rises", "falls", "stays the same"],
        "1",
    ),
]


def write_arc(folder: Path) -> None:
    """ARC-Easy and ARC-Challenge: options as in OpenBookQA, released without spaces."""
    for name, rows in (("ARC-Easy", ARC_EASY), ("ARC-Challenge", ARC_CHALLENGE)):
        hub = [
            {
                "id": id_,
                "question": question,
                "choices": columns(texts, labels),
                "answerKey": key,
            }
            for id_, question, labels, texts, key in rows
        ]
        path = f"allenai/ai2_arc/{name}/train-00000-of-00001.parquet"
        write_parquet(folder / "raw" / path, ARC_SCHEMA, hub)
        release = [
            nested(id_, text, texts, labels, key) for id_, text, labels, texts, key in rows
        ]
        write_jsonl(folder / f"release/arc/{name}-Train.jsonl", release, separators=(",", ":"))
