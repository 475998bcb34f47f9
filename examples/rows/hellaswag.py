"""HellaSwag: how a scene goes on."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from rows.files import TEXTS, Row, write_jsonl, write_parquet

HELLASWAG_SCHEMA = pa.schema(
    [
        ("ind", pa.int32()),
        ("activity_label", pa.string()),
        ("ctx_a", pa.string()),
        ("ctx_b", pa.string()),
        ("ctx", pa.string()),
        ("endings", TEXTS),
        ("source_id", pa.string()),
        ("split", pa.string()),
        ("split_type", pa.string()),
        ("label", pa.string()),
    ]
)

# (ind, source_id, activity_label, ctx_a, ctx_b, endings, index of the right one)
HELLASWAG: list[tuple[int, str, str, str, str, list[str], int]] = [
    (
        3,
        "activitynet~v_example_01",
        "Sharpening knives",
        (
            "A man sits at a wooden table with a whetstone in front of him. He pours a "
            "little water over the stone."
        ),
        "he",
        [
            "drinks the stone and leaves the table.",
            "draws the blade of a kitchen knife across the stone.",
            "throws the table into the river behind him.",
            "plays the stone like a drum until the water boils.",
        ],
        1,
    ),
    # Capital letters in ctx_b, which `capitalize` lowers.
    (
        4,
        "activitynet~v_example_02",
        "Playing records",
        "A crowd stands in a small hall with colored lights.",
        "the DJ in the NASA shirt",
        [
            "puts on a second record and turns up the volume.",
            "swims across the record to the other side.",
            "peels the lights and hands them to the crowd.",
            "folds the hall and puts it into a bag.",
        ],
        0,
    ),
    # [header], [title], [step] and an empty ctx_b.
    (
        9,
        "wikihow~900001",
        "Home and Garden",
        (
            "[header] How to dry lavender [title] Cut the stems early in the day. "
            "[step] Wait until the dew is gone but the sun is not yet hot. Cut the "
            "stems just above the woody part, and keep them as long as you can."
        ),
        "",
        [
            (
                "[substeps] Boil the stems for an hour so that the scent leaves them. Pour "
                "the water over the flowers and wait."
            ),
            (
                "Put the stems back into the soil at once. [substeps] They will grow new "
                "flowers within the same afternoon."
            ),
            (
                "Gather them in small bunches and tie each with a rubber band. [substeps] "
                "Small bunches let the air through and dry evenly."
            ),
            (
                "Paint every flower before the evening. [title] Water the bunches twice a "
                "day until they are dry."
            ),
        ],
        2,
    ),
    # A [title] at the end of the context, endings that start with [step].
    (
        12,
        "wikihow~900002",
        "Food and Entertaining",
        (
            "[header] How to rescue a salty soup [title] Add more liquid. [step] Pour "
            "in a cup of water or unsalted broth and let the soup simmer for a few "
            "minutes. [title] Taste it again."
        ),
        "",
        [
            (
                "[step] If it is still too salty, add another half cup and wait. "
                "[substeps] Go slowly, since a thin soup is hard to thicken."
            ),
            (
                "[step] If it is still too salty, stir in a spoon of salt. [substeps] "
                "Repeat this until nobody can tell."
            ),
            (
                "[step] Throw the pot away together with the spoon. [title] Buy a second "
                "stove for the next soup."
            ),
            (
                "[step] Cool your own tongue with an ice cube. [substeps] This makes the "
                "soup less salty for the guests."
            ),
        ],
        0,
    ),
    # Two spaces in ctx_a, three in the right ending, names in ctx_b.
    (
        17,
        "activitynet~v_example_03",
        "Building sandcastles",
        (
            "Two children carry buckets of wet sand up the beach.  They turn them over "
            "beside each other."
        ),
        "then Ana and her brother Luis",
        [
            "eat the towers with a spoon.",
            "sell the sea to a passing dog.",
            "pull the buckets off and   two smooth towers are left standing.",
            "carry the beach back into the car.",
        ],
        2,
    ),
    # [substeps] in the context, an ending that starts with [title].
    (
        18,
        "wikihow~900003",
        "Computers and Electronics",
        (
            "[header] How to clean a dusty keyboard [title] Take away the power. "
            "[step] Unplug the cable, or switch the keyboard off. [substeps] A "
            "wireless keyboard may have its switch on the lower side."
        ),
        "",
        [
            "Then type a long letter while the keys are wet. [substeps] Use all ten fingers.",
            "Then cover the letters with paint so that you cannot read them.",
            (
                "[title] Plug the cable into a glass of water. [step] Wait until the "
                "lights go out."
            ),
            (
                "Then turn it upside down and tap it gently. [substeps] Crumbs and dust "
                "fall out by themselves."
            ),
        ],
        3,
    ),
    (
        23,
        "activitynet~v_example_04",
        "Ironing clothes",
        (
            "A woman spreads a white shirt over an ironing board. Steam rises from the "
            "iron in her hand."
        ),
        "she",
        [
            "waters the shirt until it grows a second collar.",
            "puts the iron on her head and walks to the bus.",
            "rolls the board up and hangs it around her neck.",
            "moves the iron along the sleeve from the shoulder to the cuff.",
        ],
        3,
    ),
    # A header that lost its last words, so two spaces before [title].
    (
        26,
        "wikihow~900004",
        "Sports and Fitness",
        (
            "[header] How to mend a  [title] Find the hole first. [step] Blow the tube "
            "up and hold it under water. Bubbles show where the air comes out."
        ),
        "",
        [
            (
                "Let the bubbles in by making the hole larger. [substeps] A larger hole is "
                "easier to see from a distance."
            ),
            (
                "Dry the spot, roughen it with sandpaper, and press a patch onto it. "
                "[substeps] Wait a few minutes before you blow the tube up again."
            ),
            (
                "Ride on until the tube has filled with water.  Count the bubbles   when "
                "you are home."
            ),
            "[substeps] Fill the tube with sand. Close the valve with a nail.",
        ],
        1,
    ),
    (
        31,
        "activitynet~v_example_05",
        "Tuning a guitar",
        "We see the title screen. A young man shows a guitar and a small tuner.",
        "the man",
        [
            "pours the guitar into a bowl and stirs.",
            "asks the tuner to go home by bus.",
            "plucks one string at a time and turns the pegs.",
            "cuts the strings and plants them in a row.",
        ],
        2,
    ),
    (
        40,
        "wikihow~900005",
        "Finance and Business",
        (
            "[header] How to split a restaurant bill [title] Ask before you order. "
            "[step] Some restaurants write one bill for a whole table. Tell the waiter "
            "at the start if everyone wants to pay alone."
        ),
        "",
        [
            (
                "If it is too late for that, pass the bill around and let everyone add up "
                "their own dishes. [substeps] Do not forget the drinks and the tip."
            ),
            "Order the bill as a starter and eat it with a fork.",
            (
                "[substeps] Leave through the kitchen. The cook pays for all those who "
                "come later."
            ),
            (
                "Then ask the waiter to eat at your table. [title] Choose the soup of the "
                "day for the next table."
            ),
        ],
        0,
    ),
    (
        41,
        "activitynet~v_example_06",
        "Paddling a canoe",
        "Three people in life vests push a canoe off the bank.",
        "all of them",
        [
            "climb in one after the other and start to paddle.",
            "lift the lake and carry it to the canoe.",
            "fall asleep on top of the paddles and then fry them.",
            "paint the water red and wait for it to dry.",
        ],
        0,
    ),
    # The right ending starts with [title].
    (
        57,
        "wikihow~900006",
        "Travel",
        (
            "[header] How to pack a small suitcase [title] Make a list of what you "
            "need. [step] Write down one line for every day of the trip. Cross out "
            "whatever you can buy or borrow there."
        ),
        "",
        [
            "Cross out the suitcase as well. [substeps] Carry everything in your hands.",
            (
                "[title] Leave the suitcase open on the train. [step] Whatever falls out "
                "was too heavy."
            ),
            (
                "[substeps] Put a second suitcase into the first one. Then put the first "
                "one into the second."
            ),
            (
                "[title] Roll the clothes instead of folding them. [step] Rolled shirts "
                "take up less room and crease less."
            ),
        ],
        3,
    ),
]


def hellaswag_rows() -> list[Row]:
    """The rows with the columns of both layouts, in the order of the released file."""
    return [
        {
            "ind": ind,
            "activity_label": activity,
            "ctx_a": ctx_a,
            "ctx_b": ctx_b,
            "ctx": f"{ctx_a} {ctx_b}".rstrip(),
            "split": "train",
            "split_type": "indomain",
            "label": label,
            "endings": endings,
            "source_id": source,
        }
        for ind, source, activity, ctx_a, ctx_b, endings, label in HELLASWAG
    ]


def write_hellaswag(folder: Path) -> None:
    """The label is a string on the Hub and a number in the released file."""
    rows = hellaswag_rows()
    hub = [{**row, "label": str(row["label"])} for row in rows]
    path = "Rowan/hellaswag/data/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, HELLASWAG_SCHEMA, hub)
    write_jsonl(folder / "release/hellaswag/hellaswag_train.jsonl", rows)
