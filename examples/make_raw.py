"""Writes the example rows of every source, in both layouts.

Every row below is made up by hand for this project; none is taken from a real
dataset. The rows have the schema of the real files and their quirks, so that a
whole build can run on them in seconds. `raw/` gets the layout of the Hugging
Face Hub repositories, `release/` the same rows as the publishers release them.

    python examples/make_raw.py [folder]

The folder is this file's own by default.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = dict[str, Any]

_TEXTS = pa.list_(pa.string())
_CHOICES = pa.struct([("text", _TEXTS), ("label", _TEXTS)])


# MMLU -----------------------------------------------------------------------------------

MMLU_SCHEMA = pa.schema(
    [
        ("question", pa.string()),
        ("subject", pa.string()),
        ("choices", _TEXTS),
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


# HellaSwag ------------------------------------------------------------------------------

HELLASWAG_SCHEMA = pa.schema(
    [
        ("ind", pa.int32()),
        ("activity_label", pa.string()),
        ("ctx_a", pa.string()),
        ("ctx_b", pa.string()),
        ("ctx", pa.string()),
        ("endings", _TEXTS),
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


# WinoGrande -----------------------------------------------------------------------------

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


# OpenBookQA -----------------------------------------------------------------------------

OPENBOOKQA_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("question_stem", pa.string()),
        ("choices", _CHOICES),
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


# GSM8K ----------------------------------------------------------------------------------

GSM8K_SCHEMA = pa.schema([("question", pa.string()), ("answer", pa.string())])

# (question, answer)
GSM8K: list[tuple[str, str]] = [
    (
        (
            "A bakery puts 48 rolls on 2 trays, the same number on each. Then 15 rolls "
            "from the first tray are sold. How many rolls are left on the first tray?"
        ),
        (
            "Each tray holds 48/2 = <<48/2=24>>24 rolls.\n"
            "After the sale, 24-15 = <<24-15=9>>9 rolls are left on the first tray.\n"
            "#### 9"
        ),
    ),
    # A comma in the final answer.
    (
        (
            "A print shop runs two machines for 2 hours. One makes 350 posters an hour "
            "and the other 267. How many posters do they make together?"
        ),
        (
            "Together they make 350+267 = <<350+267=617>>617 posters an hour.\n"
            "In 2 hours they make 617*2 = <<617*2=1234>>1,234 posters.\n"
            "#### 1,234"
        ),
    ),
    # A negative final answer.
    (
        (
            "At noon it is 4 degrees in the village of Hallum. The temperature falls "
            "by 3 degrees every hour for the next 3 hours. What is the temperature "
            "then?"
        ),
        (
            "It falls by 3*3 = <<3*3=9>>9 degrees.\n"
            "The temperature then is 4-9 = <<4-9=-5>>-5 degrees.\n"
            "#### -5"
        ),
    ),
    # Decimals on the way.
    (
        (
            "Lea has 3 jugs with 1.5 liters of juice each. How many glasses of 0.25 "
            "liters can she fill?"
        ),
        (
            "Lea has 3*1.5 = <<3*1.5=4.5>>4.5 liters of juice.\n"
            "That fills 4.5/0.25 = <<4.5/0.25=18>>18 glasses.\n"
            "#### 18"
        ),
    ),
    # Dollar signs, before the calculator marks too.
    (
        (
            "Sam buys 4 notebooks at $3.50 each and a pen for $2. He pays with a $20 "
            "bill. How much change does he get, in dollars?"
        ),
        (
            "The notebooks cost 4*3.50 = $<<4*3.50=14>>14.\n"
            "With the pen he has to pay $14 + $2 = $<<14+2=16>>16.\n"
            "His change is $20 - $16 = $<<20-16=4>>4.\n"
            "#### 4"
        ),
    ),
    # Two commas in the final answer.
    (
        (
            "A factory makes 3,500 bolts on every working day and has 25 working days "
            "a month. How many bolts does it make in a year?"
        ),
        (
            "It makes 3,500*25 = <<3500*25=87500>>87,500 bolts a month.\n"
            "In a year it makes 87,500*12 = <<87500*12=1050000>>1,050,000 bolts.\n"
            "#### 1,050,000"
        ),
    ),
    # A percent sign.
    (
        (
            "A library has 240 books about animals. Of these, 25% are about birds, and "
            "a third of the rest are about fish. How many books are about fish?"
        ),
        (
            "There are 240*25/100 = <<240*25/100=60>>60 books about birds.\n"
            "The rest is 240-60 = <<240-60=180>>180 books.\n"
            "So 180/3 = <<180/3=60>>60 books are about fish.\n"
            "#### 60"
        ),
    ),
    # A letter for the unknown, curly apostrophes, lines without calculator marks.
    (
        (
            "Ida is three times as old as her cousin Nils. Together they are 24 years "
            "old. How old will Ida be in 5 years?"
        ),
        (
            "Let N be Nils’s age.\n"
            "Then Ida’s age is 3N.\n"
            "Together they are N + 3N = 4N = 24 years old.\n"
            "So Nils is 24/4 = <<24/4=6>>6 years old.\n"
            "Ida is 3*6 = <<3*6=18>>18 years old.\n"
            "In 5 years she will be 18+5 = <<18+5=23>>23 years old.\n"
            "#### 23"
        ),
    ),
    (
        (
            "A train leaves at 9:40 and arrives at 12:10. On the way it stops for 6 "
            "minutes at each of 5 stations. For how many minutes does it move?"
        ),
        (
            "The whole trip takes 2*60+30 = <<2*60+30=150>>150 minutes.\n"
            "The stops take 5*6 = <<5*6=30>>30 minutes.\n"
            "So the train moves for 150-30 = <<150-30=120>>120 minutes.\n"
            "#### 120"
        ),
    ),
    # Fractions.
    (
        (
            "A path is 60 meters long. Ole paves 1/4 of it on Monday and 2/3 of the "
            "rest on Tuesday. How many meters are left?"
        ),
        (
            "On Monday he paves 60*1/4 = <<60*1/4=15>>15 meters.\n"
            "Then 60-15 = <<60-15=45>>45 meters are left.\n"
            "On Tuesday he paves 45*2/3 = <<45*2/3=30>>30 meters.\n"
            "Now 45-30 = <<45-30=15>>15 meters are left.\n"
            "#### 15"
        ),
    ),
    # Zero.
    (
        (
            "Mo has 30 stickers. He gives 4 to each of his 6 friends and 2 to each of "
            "his 3 cousins. How many stickers does he keep?"
        ),
        (
            "His friends get 6*4 = <<6*4=24>>24 stickers.\n"
            "His cousins get 3*2 = <<3*2=6>>6 stickers.\n"
            "He keeps 30-24-6 = <<30-24-6=0>>0 stickers.\n"
            "#### 0"
        ),
    ),
    # A dollar sign and a comma, neither of them in the final answer.
    (
        (
            "Tara earns $18.75 an hour and works 8 hours a day. She is saving for a "
            "piano that costs $1,200. How many days does she have to work?"
        ),
        (
            "Tara earns 18.75*8 = $<<18.75*8=150>>150 a day.\n"
            "She has to work for 1,200/150 = <<1200/150=8>>8 days.\n"
            "#### 8"
        ),
    ),
]


def write_gsm8k(folder: Path) -> None:
    """The same two columns in both layouts; the released file is all ASCII."""
    rows = [{"question": question, "answer": answer} for question, answer in GSM8K]
    path = "openai/gsm8k/main/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, GSM8K_SCHEMA, rows)
    write_jsonl(folder / "release/gsm8k/train.jsonl", rows, ensure_ascii=True)


# ARC ------------------------------------------------------------------------------------

ARC_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("question", pa.string()),
        ("choices", _CHOICES),
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


# KMMLU ----------------------------------------------------------------------------------

KMMLU_HEADER = ["question", "answer", "A", "B", "C", "D", "Category", "Human Accuracy"]

# By subject: (question, number of the right option from 1, the options, human accuracy)
KMMLU: dict[str, list[tuple[str, int, list[str], float]]] = {
    "Computer-Science": [
        (
            "10진수 45를 2진수로 바르게 나타낸 것은?",
            2,
            ["101011", "101101", "110101", "101110"],
            0.83,
        ),
        # Newlines and quotes in a cell.
        (
            (
                "다음 파이썬 코드의 실행 결과로 옳은 것은?\n\n"
                'words = ["가", "나", "다"]\n'
                "print(len(words), words[-1])"
            ),
            3,
            ["3 가", "2 다", "3 다", "2 나"],
            0.74,
        ),
        # Full-width letters.
        (
            "ＴＣＰ와 ＵＤＰ에 대한 설명으로 옳지 않은 것은?",
            2,
            [
                "ＴＣＰ는 연결을 맺은 뒤에 데이터를 보낸다.",
                "ＵＤＰ는 데이터그램이 도착하는 순서를 보장한다.",
                "ＴＣＰ는 잃어버린 세그먼트를 다시 보낸다.",
                "ＵＤＰ의 헤더는 ＴＣＰ의 헤더보다 짧다.",
            ],
            0.65,
        ),
        # Commas in the question and in the options.
        (
            (
                "빈 스택에 1, 2, 3을 차례로 넣고(push) 두 번 꺼낸(pop) 다음 4를 넣었다. "
                "스택에 남은 값을 맨 위부터 차례로 적은 것은?"
            ),
            1,
            ["4, 1", "1, 4", "4, 3", "3, 4"],
            0.7,
        ),
        (
            "SQL의 SELECT 문에서 중복된 행을 없애고 조회할 때 쓰는 예약어는?",
            4,
            ["HAVING", "ORDER BY", "LIMIT", "DISTINCT"],
            0.9,
        ),
        (
            "루트의 깊이를 0으로 할 때, 깊이가 3인 포화 이진 트리의 전체 노드 수는?",
            1,
            ["15", "7", "8", "16"],
            0.58,
        ),
        # A list of statements, one a line.
        (
            (
                "다음 〈보기〉에서 옳은 것만을 모두 고른 것은?\n\n"
                "〈보기〉\n"
                "ㄱ. 1바이트는 8비트이다.\n"
                "ㄴ. 캐시 기억 장치는 주기억 장치보다 빠르다.\n"
                "ㄷ. 하드 디스크는 휘발성 기억 장치이다."
            ),
            3,
            ["ㄱ", "ㄷ", "ㄱ, ㄴ", "ㄴ, ㄷ"],
            0.77,
        ),
    ],
    "Korean-History": [
        # Corner brackets, a stray space before a full stop, accuracy zero.
        (
            "「훈민정음」 해례본에 대한 설명으로 옳은 것은?",
            1,
            [
                "한글을 만든 원리와 쓰임을 한문으로 풀이한 책이다.",
                "고려 말에 목판으로 처음 간행되었다 .",
                "신라의 향가를 모아 엮은 노래집이다.",
                "조선 왕조의 역사를 날짜순으로 적은 책이다.",
            ],
            0.0,
        ),
        (
            (
                "다음 설명에 해당하는 고구려의 왕은?\n\n"
                "○ 수도를 국내성에서 평양으로 옮겼다.\n"
                "○ 백제의 한성을 함락하였다."
            ),
            3,
            ["광개토 대왕", "소수림왕", "장수왕", "미천왕"],
            0.81,
        ),
        (
            "고려 시대에 있었던 일을 시기순으로 바르게 늘어놓은 것은?",
            2,
            [
                "몽골의 1차 침입, 거란의 1차 침입, 윤관의 여진 정벌",
                "거란의 1차 침입, 윤관의 여진 정벌, 몽골의 1차 침입",
                "윤관의 여진 정벌, 거란의 1차 침입, 몽골의 1차 침입",
                "거란의 1차 침입, 몽골의 1차 침입, 윤관의 여진 정벌",
            ],
            0.62,
        ),
        # The Korean middle dot, once with a space after it.
        (
            "조선 시대의 사헌부ㆍ사간원ㆍ 홍문관을 함께 이르는 말은?",
            4,
            ["육조", "의정부", "승정원", "삼사"],
            0.79,
        ),
        (
            "정약용이 쓴 책으로, 지방을 다스리는 수령이 지켜야 할 도리를 다룬 것은?",
            2,
            ["「경세유표」", "「목민심서」", "「흠흠신서」", "「열하일기」"],
            0.85,
        ),
        # Quotes in the question.
        (
            '"왜란"(임진왜란ㆍ정유재란) 때의 싸움 가운데 바다에서 벌어지지 않은 것은?',
            4,
            ["한산도 대첩", "명량 대첩", "노량 해전", "행주 대첩"],
            0.72,
        ),
    ],
}


def write_kmmlu(folder: Path) -> None:
    """One CSV file for every subject; the release is the Hub's."""
    for subject, rows in KMMLU.items():
        category = subject.replace("-", " ")
        cells = [
            [question, answer, *options, category, accuracy]
            for question, answer, options, accuracy in rows
        ]
        path = folder / f"raw/HAERAE-HUB/KMMLU/data/{subject}-train.csv"
        write_csv(path, [KMMLU_HEADER, *cells])


# KoBEST HellaSwag -----------------------------------------------------------------------

KOBEST_SCHEMA = pa.schema(
    [
        ("context", pa.string()),
        *((f"ending_{number}", pa.string()) for number in range(1, 5)),
        ("label", pa.int64()),
    ]
)
KOBEST_HEADER = ["context", "choice1", "choice2", "choice3", "choice4", "label"]

# (context, endings, index of the right one)
KOBEST: list[tuple[str, list[str], int]] = [
    (
        (
            "지수는 주말 아침에 달걀말이를 만들기로 했다. 그릇에 달걀 네 개를 깨 넣고 "
            "소금을 조금 뿌린다. 잘게 썬 파와 당근도 함께 넣는다."
        ),
        [
            "젓가락으로 달걀을 고르게 푼다.",
            "다 익은 달걀말이를 썰어 접시에 담는다.",
            "팬에 부은 달걀물이 익으면 끝에서부터 돌돌 만다.",
            "남은 달걀말이를 도시락에 싼다.",
        ],
        0,
    ),
    (
        (
            "자전거 바퀴에 바람이 빠져 있다. 민호는 창고에서 공기 펌프를 꺼내 온다. "
            "바퀴의 밸브 뚜껑을 돌려서 뺀다."
        ),
        [
            "바람이 가득 찬 자전거를 타고 학교에 간다.",
            "펌프의 호스를 밸브에 끼운다.",
            "뚜껑을 다시 닫고 펌프를 창고에 가져다 둔다.",
            "펌프질을 멈추고 바퀴를 눌러 보니 단단하다.",
        ],
        1,
    ),
    (
        (
            "할머니께서 화분에 상추씨를 심으려고 하신다. 먼저 화분 바닥에 자갈을 깔고 "
            "그 위에 흙을 채우신다. 그런 다음 손가락으로 흙에 얕은 구멍을 내신다."
        ),
        [
            "다 자란 상추를 뜯어 쌈을 싸 드신다.",
            "싹이 나오자 화분을 햇볕이 드는 곳으로 옮기신다.",
            "구멍마다 씨를 두세 알씩 넣으신다.",
            "촘촘하게 자란 싹을 솎아 내신다.",
        ],
        2,
    ),
    # Quotes in the context: the TSV file has to quote the cell.
    (
        (
            '도서관 입구에 "오늘은 오후 여섯 시에 문을 닫습니다."라고 적힌 안내문이 '
            "붙어 있다. 시계를 본 은영은 벌써 다섯 시 오십 분이 된 것을 알게 된다. "
            "빌리려던 책은 아직 찾지 못했다."
        ),
        [
            "은영은 집에 돌아와 빌린 책을 책상 위에 올려놓는다.",
            "은영은 빌린 책을 가방에 넣고 도서관을 나선다.",
            "은영은 다 읽은 책을 도서관에 반납한다.",
            "은영은 서둘러 검색대에서 책이 있는 자리를 찾아본다.",
        ],
        3,
    ),
    # Quotes in an ending.
    (
        (
            "선생님께서 교실에 들어와 출석부를 펼치신다. 학생들의 이름을 한 명씩 "
            "부르신다. 마지막으로 준서의 이름을 부르시는데 아무도 대답하지 않는다."
        ),
        [
            "준서가 교문을 나서며 친구들에게 손을 흔든다.",
            '선생님께서 "준서는 오늘 안 왔니?" 하고 물으신다.',
            "선생님께서 출석부를 펼치고 첫 번째 학생의 이름을 부르신다.",
            "수업을 마친 학생들이 집으로 돌아간다.",
        ],
        1,
    ),
    (
        (
            "종이비행기를 접어 보자. 먼저 직사각형 종이를 세로로 길게 놓는다. 종이를 "
            "좌우로 반 접었다가 펴서 가운데에 세로선을 만든다."
        ),
        [
            "위쪽의 두 모서리를 가운데의 세로선에 맞추어 접는다.",
            "완성된 비행기를 잡고 앞으로 힘껏 날린다.",
            "날개의 끝을 살짝 위로 접어 올려 마무리한다.",
            "비행기가 잘 날지 않으면 날개를 다시 다듬는다.",
        ],
        0,
    ),
    (
        (
            "손님이 카페에 들어와 메뉴판을 살핀다. 계산대 앞에 서서 따뜻한 라테 한 "
            "잔을 주문한다. 직원이 가격을 알려 준다."
        ),
        [
            "손님이 빈 잔을 반납대에 올려놓는다.",
            "직원이 다 만든 라테를 손님에게 건넨다.",
            "손님이 카드를 내밀어 계산한다.",
            "손님이 라테를 한 모금 마시고 책을 편다.",
        ],
        2,
    ),
    (
        (
            "빨래를 널기 전에 세탁기가 멈췄는지 확인한다. 세탁이 끝났으면 세탁기의 "
            "문을 연다. 젖은 빨래를 바구니에 담아 베란다로 가져간다."
        ),
        [
            "마른 빨래를 개어 서랍에 넣는다.",
            "세제를 넣고 세탁기의 시작 단추를 누른다.",
            "빨래가 다 말랐는지 손으로 만져 본다.",
            "빨래를 털어 주름을 편 뒤 건조대에 넌다.",
        ],
        3,
    ),
    (
        (
            "컴퓨터로 쓴 글을 인쇄하는 방법을 알아봅시다. 먼저 프린터의 전원을 켜고 "
            "용지를 넣습니다. 그다음 글을 열고 '파일' 메뉴에서 '인쇄'를 누릅니다."
        ),
        [
            "인쇄된 종이를 묶어 표지를 씌웁니다.",
            "인쇄 창이 뜨면 사용할 프린터와 매수를 고릅니다.",
            "프린터에서 나온 종이의 글자가 선명한지 살펴봅니다.",
            "인쇄가 끝나면 프린터의 전원을 끕니다.",
        ],
        1,
    ),
    (
        (
            "등산객들이 산 정상에 오른다. 모두 숨을 고르며 경치를 바라본다. 그때 "
            "먹구름이 몰려오고 멀리서 천둥소리가 들린다."
        ),
        [
            "등산객들이 산 아래 입구에 모여 산을 오르기 시작한다.",
            "비에 젖은 등산객들이 산 아래 식당에서 옷을 말린다.",
            "등산객들이 서둘러 내려갈 준비를 한다.",
            "등산객들이 정상까지 얼마나 남았는지 지도를 살펴본다.",
        ],
        2,
    ),
    (
        (
            "소방관들이 신고를 받고 출동한다. 골목에는 연기가 가득하다. 소방관들이 "
            "소방차를 세우고 호스를 꺼낸다."
        ),
        [
            "호스를 소화전에 연결하고 불이 난 건물에 물을 뿌린다.",
            "불이 꺼진 건물에서 호스를 거두어들인다.",
            "소방서로 돌아가 소방차를 닦는다.",
            "신고 전화를 받고 서둘러 소방복을 입는다.",
        ],
        0,
    ),
    (
        (
            "친구의 생일 선물을 포장하려고 한다. 상자에 선물을 넣고 뚜껑을 닫는다. "
            "포장지를 상자보다 크게 잘라 바닥에 펼친다."
        ),
        [
            "친구가 리본을 풀고 포장지를 뜯는다.",
            "포장한 상자에 리본을 묶고 카드를 꽂는다.",
            "선물을 고르러 백화점에 간다.",
            "상자를 포장지 가운데에 올려놓는다.",
        ],
        3,
    ),
]


def write_kobest(folder: Path) -> None:
    """The released TSV file calls the endings choices."""
    hub = [
        {
            "context": context,
            **{f"ending_{number}": text for number, text in enumerate(endings, start=1)},
            "label": label,
        }
        for context, endings, label in KOBEST
    ]
    path = "skt/kobest_v1/hellaswag/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, KOBEST_SCHEMA, hub)
    cells = [[context, *endings, label] for context, endings, label in KOBEST]
    path = "release/kobest/HellaSwag/train.tsv"
    write_csv(folder / path, [KOBEST_HEADER, *cells], delimiter="\t")


# OrcaMath -------------------------------------------------------------------------------

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


# Translated GSM8K and OrcaMath ----------------------------------------------------------

_TRANSLATED = [
    (name, pa.string()) for name in ("question", "answer", "question_en", "answer_en")
]
GSM8K_KO_SCHEMA = pa.schema(_TRANSLATED)
ORCA_MATH_KO_SCHEMA = pa.schema([*_TRANSLATED, ("llm", pa.string())])

# (question, answer) in Korean, of the first rows of GSM8K above.
GSM8K_KO: list[tuple[str, str]] = [
    (
        (
            "빵집에서 롤빵 48개를 쟁반 2개에 똑같이 나누어 담았습니다. 첫 번째 쟁반에서 15개가 "
            "팔렸습니다. 첫 번째 쟁반에 남은 롤빵은 몇 개인가요?"
        ),
        (
            "쟁반마다 롤빵이 48/2 = <<48/2=24>>24개 있습니다.\n"
            "팔고 나면 첫 번째 쟁반에 24-15 = <<24-15=9>>9개가 남습니다.\n#### 9"
        ),
    ),
    # A comma in the final answer.
    (
        (
            "인쇄소에서 기계 두 대를 2시간 동안 돌립니다. 한 대는 한 시간에 포스터 350장을, "
            "다른 한 대는 267장을 만듭니다. 모두 몇 장을 만드나요?"
        ),
        (
            "한 시간에 350+267 = <<350+267=617>>617장을 만듭니다.\n"
            "2시간이면 617*2 = <<617*2=1234>>1,234장입니다.\n#### 1,234"
        ),
    ),
    # A negative final answer.
    (
        (
            "정오에 기온이 4도입니다. 3시간 동안 한 시간에 3도씩 내려갑니다. "
            "그때 기온은 몇 도인가요?"
        ),
        (
            "기온은 3*3 = <<3*3=9>>9도 내려갑니다.\n그때 기온은 4-9 = <<4-9=-5>>-5도입니다.\n"
            "#### -5"
        ),
    ),
    # Decimals on the way.
    (
        (
            "레아는 주스 1.5리터가 든 병을 3개 가지고 있습니다. "
            "0.25리터 컵 몇 개를 채울 수 있나요?"
        ),
        (
            "주스는 3*1.5 = <<3*1.5=4.5>>4.5리터입니다.\n"
            "컵 4.5/0.25 = <<4.5/0.25=18>>18개를 채웁니다.\n#### 18"
        ),
    ),
    # Dollar signs.
    (
        (
            "샘은 3.50달러짜리 공책 4권과 2달러짜리 펜 한 자루를 사고 20달러를 냅니다. "
            "거스름돈은 몇 달러인가요?"
        ),
        (
            "공책은 4*3.50 = $<<4*3.50=14>>14입니다.\n모두 $14 + $2 = $<<14+2=16>>16입니다.\n"
            "거스름돈은 $20 - $16 = $<<20-16=4>>4입니다.\n#### 4"
        ),
    ),
    # The translation lost the last line; the English answer has it.
    (
        (
            "공장은 일하는 날마다 볼트 3,500개를 만들고, 한 달에 25일 일합니다. 일 년에 볼트를 "
            "몇 개 만드나요?"
        ),
        (
            "한 달에 3,500*25 = <<3500*25=87500>>87,500개를 만듭니다.\n"
            "일 년이면 87,500*12 = <<87500*12=1050000>>1,050,000개입니다."
        ),
    ),
    # A percent sign.
    (
        (
            "도서관에 동물 책이 240권 있습니다. 그중 25%는 새에 관한 책이고, 나머지의 "
            "3분의 1은 물고기에 관한 책입니다. 물고기 책은 몇 권인가요?"
        ),
        (
            "새 책은 240*25/100 = <<240*25/100=60>>60권입니다.\n"
            "나머지는 240-60 = <<240-60=180>>180권입니다.\n"
            "물고기 책은 180/3 = <<180/3=60>>60권입니다.\n#### 60"
        ),
    ),
    # Lines without marks.
    (
        (
            "이다의 나이는 사촌 닐스의 세 배입니다. 둘의 나이를 더하면 24살입니다. "
            "5년 뒤에 이다는 몇 살인가요?"
        ),
        (
            "닐스의 나이를 N이라고 합니다.\nN + 3N = 4N = 24입니다.\n"
            "닐스는 24/4 = <<24/4=6>>6살입니다.\n이다는 3*6 = <<3*6=18>>18살입니다.\n"
            "5년 뒤에는 18+5 = <<18+5=23>>23살입니다.\n#### 23"
        ),
    ),
]

# (question, answer, model that translated) in Korean, of the first rows of OrcaMath above.
ORCA_MATH_KO: list[tuple[str, str, str]] = [
    (
        "배는 한 번에 자동차 18대를 나릅니다. 7번이면 모두 몇 대를 나르나요?",
        "한 번에 18대를 나릅니다.\n\n18 * 7 = 126\n\n따라서 배는 모두 126대를 나릅니다.",
        "example-model",
    ),
    (
        "동아리가 14.50달러짜리 표 85장을 팝니다. 얼마를 버나요?",
        "85 * $14.50 = $1,232.50\n\n동아리는 $1,232.50를 법니다.",
        "example-model",
    ),
    (
        "루스는 하루에 24쪽을 읽습니다. 200쪽 가운데 5일 뒤에 남은 것은 몇 쪽인가요?",
        "24 * 5 = 120쪽을 읽었습니다. 남은 것은 200 - 120 = 80쪽입니다.",
        "example-model",
    ),
    # A box.
    (
        "똑같은 8조각으로 나눈 피자에서 3조각을 먹으면 얼마가 남나요?",
        "8 - 3 = 5조각이 남습니다.\n\n\\[ \\boxed{\\frac{5}{8}} \\]",
        "example-model",
    ),
    # The English answer has a sign for per cent: the two differ.
    (
        "40명인 반에서 14명이 수영을 합니다. 반의 몇 퍼센트인가요?",
        "14 / 40 = 0.35\n\n정답은 35퍼센트입니다.",
        "example-model",
    ),
    # Two numbers: no single final answer.
    (
        "두 수의 합은 30이고, 한 수는 다른 수의 두 배입니다. 두 수는 무엇인가요?",
        "작은 수를 x라고 하면 3x = 30입니다.\n\n두 수는 10과 20입니다.",
        "example-model",
    ),
    (
        "91은 소수인가요?",
        "아니요. 7로 나누어떨어지므로 합성수입니다.",
        "example-model",
    ),
    # The Korean answer states more than the English one.
    (
        "어떤 수의 두 배에 4를 더하면 18입니다. 그 수의 세 배는 얼마인가요?",
        "2x + 4 = 18이므로 x = 7입니다.\n\n답은 21입니다.",
        "example-model",
    ),
]


def write_translations(folder: Path) -> None:
    """GSM8K and OrcaMath in Korean, beside the English they were translated from."""
    gsm8k = [
        {"question": ko, "answer": answer_ko, "question_en": en, "answer_en": answer_en}
        for (ko, answer_ko), (en, answer_en) in zip(GSM8K_KO, GSM8K, strict=False)
    ]
    path = "kuotient/gsm8k-ko/data/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, GSM8K_KO_SCHEMA, gsm8k)
    orca = [
        {
            "question": ko,
            "answer": answer_ko,
            "question_en": en,
            "answer_en": answer_en,
            "llm": llm,
        }
        for (ko, answer_ko, llm), (en, answer_en) in zip(ORCA_MATH_KO, ORCA_MATH, strict=False)
    ]
    path = "kuotient/orca-math-word-problems-193k-korean/data/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, ORCA_MATH_KO_SCHEMA, orca)


# MBPP -----------------------------------------------------------------------------------

MBPP_SCHEMA = pa.schema(
    [
        ("task_id", pa.int32()),
        ("text", pa.string()),
        ("code", pa.string()),
        ("test_list", _TEXTS),
        ("test_setup_code", pa.string()),
        ("challenge_test_list", _TEXTS),
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


# LeetCodeDataset ------------------------------------------------------------------------

LEETCODE_HELPERS = (
    "import collections\nimport math\n\nfrom typing import *\nfrom functools import *\n\n"
    "inf = float('inf')\n\n"
    "class ListNode:\n    def __init__(self, val=0, next=None):\n        self.val = val\n"
    "        self.next = next\n\n"
    "def list_node(values: list):\n    head = None\n    for val in reversed(values):\n"
    "        head = ListNode(val, head)\n    return head\n"
)

# (task_id, problem, name and parameters of the method, its body, calls and results)
LEETCODE: list[tuple[str, str, str, str, list[tuple[str, str]]]] = [
    (
        "sum-of-neighbours",
        (
            "You are given a list of integers nums. Return the sums of all neighbours.\n"
            "\xa0\nExample 1:\n\nInput: nums = [1,2,3]\nOutput: [3,5]"
        ),
        "sumOfNeighbours(self, nums: List[int]) -> List[int]",
        "return [a + b for a, b in zip(nums, nums[1:])]",
        [("nums = [1, 2, 3]", "[3, 5]"), ("nums = [4]", "[]"), ("nums = []", "[]")],
    ),
    # Braces in the problem.
    (
        "balanced-brackets",
        "A string s consists of '{' and '}'. Return true if every {question} of it is closed.",
        "isBalanced(self, s: str) -> bool",
        (
            "depth = 0\n        for c in s:\n            depth += 1 if c == '{' else -1\n"
            "            if depth < 0:\n                return False\n        return depth == 0"
        ),
        [("s = '{}'", "True"), ("s = '}{'", "False"), ("s = '{{}'", "False")],
    ),
    # A helper class.
    (
        "length-of-linked-list",
        "Given the head of a linked list, return how many nodes it has.",
        "lengthOfList(self, head: Optional[ListNode]) -> int",
        (
            "count = 0\n        while head:\n            count, head = count + 1, head.next\n"
            "        return count"
        ),
        [("head = list_node([5, 6, 7])", "3"), ("head = list_node([])", "0")],
    ),
    # An import of the helpers.
    (
        "most-frequent-letter",
        "Return the letter that is most frequent in word; of several, the first by alphabet.",
        "mostFrequent(self, word: str) -> str",
        "return min(collections.Counter(word).items(), key=lambda kv: (-kv[1], kv[0]))[0]",
        [("word = 'banana'", "'a'"), ("word = 'abab'", "'a'")],
    ),
    # Two parameters.
    (
        "steps-to-target",
        "In one step you may add 1 to start or double it. Return the fewest steps to target.",
        "stepsToTarget(self, start: int, target: int) -> int",
        (
            "steps = 0\n        while target > start:\n"
            "            if target % 2 == 0 and target // 2 >= start:\n"
            "                target //= 2\n            else:\n                target -= 1\n"
            "            steps += 1\n        return steps"
        ),
        [("start = 1, target = 8", "3"), ("start = 5, target = 5", "0")],
    ),
    # Floating point.
    (
        "half-of-the-sum",
        "Return half of the sum of the integers of nums.",
        "halfSum(self, nums: List[int]) -> float",
        "return sum(nums) / 2",
        [("nums = [1, 2]", "1.5"), ("nums = []", "0.0")],
    ),
    # Characters beyond ASCII.
    (
        "count-arrows",
        "Return how many arrows → there are in text.",
        "countArrows(self, text: str) -> int",
        "return text.count('→')",
        [("text = 'a → b → c'", "2"), ("text = ''", "0")],
    ),
    # The imported name for what is infinite.
    (
        "smallest-positive",
        "Return the smallest positive integer of nums, or -1 if there is none.",
        "smallestPositive(self, nums: List[int]) -> int",
        (
            "best = min((n for n in nums if n > 0), default=inf)\n"
            "        return -1 if best == inf else best"
        ),
        [("nums = [3, -1, 2]", "2"), ("nums = [-4]", "-1")],
    ),
]


def write_leetcode(folder: Path) -> None:
    """Lines of JSON, compressed; released on the Hub only."""
    rows = []
    for number, (task_id, problem, signature, body, cases) in enumerate(LEETCODE, start=9001):
        starter = f"class Solution:\n    def {signature}:\n        "
        checks = [f"    assert candidate({call}) == {result}\n" for call, result in cases]
        rows.append(
            {
                "task_id": task_id,
                "question_id": number,
                "difficulty": "Easy",
                "tags": ["Example"],
                "problem_description": problem,
                "starter_code": starter,
                "estimated_date": "2020-01-01",
                "prompt": LEETCODE_HELPERS,
                "completion": starter + body + "\n",
                "entry_point": f"Solution().{signature.partition('(')[0]}",
                "test": "def check(candidate):\n" + "".join(checks),
                "input_output": [{"input": call, "output": out} for call, out in cases],
                "query": f"### Question:\n{problem}\n",
                "response": f"```python\n{starter}{body}\n```",
            }
        )
    name = "raw/newfacade/LeetCodeDataset/LeetCodeDataset-train.jsonl"
    write_jsonl(folder / name, rows)
    plain = folder / name
    # Neither time nor name, so that the same rows are the same bytes.
    plain.with_name(plain.name + ".gz").write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    plain.unlink()


# SlimOrca -------------------------------------------------------------------------------

# (system turn, human turn, gpt turn)
SLIMORCA: list[tuple[str | None, str, str]] = [
    (
        "You are an AI assistant. Explain your answer so that a child understands it.",
        "Why does ice float on water?",
        "Ice is lighter than the same amount of water, so the water holds it up.",
    ),
    # No system turn.
    (None, "Name the three states of matter.", "Solid, liquid and gas."),
    # An empty system turn.
    ("", "Answer with yes or no: is a whale a fish?", "No"),
    # Options to choose from.
    (
        "You are an AI assistant. You give short answers.",
        "Which of these is a fruit?\n\nOptions:\n- carrot\n- pear\n- leek\nThe answer is:",
        "pear",
    ),
    # Braces, which are no placeholders.
    (
        "You are an AI assistant.",
        'Write {"name": "Kim", "age": 7} as a sentence, and leave {question} as it is.',
        "Kim is 7 years old. {question}",
    ),
    # White space around, which stays.
    ("You are an AI assistant. ", "\nTranslate to French: Good morning.\n", " Bonjour."),
    # Characters beyond ASCII.
    (None, "What does “naïve” mean? Answer in one word… 🙂", "Innocent"),
    # Demands that can be verified.
    (
        "You are an AI assistant. Follow the instructions exactly.",
        "List two colors as bullets. Do not use the word red.",
        "- blue\n- green",
    ),
    # Several lines.
    (
        "You are an AI assistant.\nYou think step by step.",
        "Premise: All of the boxes are blue.\nHypothesis: Some box is red.\nDoes it follow?",
        "Step 1: every box is blue.\nStep 2: a blue box is not red.\nSo it does not follow.",
    ),
]


def write_slimorca(folder: Path) -> None:
    """Conversations in turns, of which the last one has a weight; released on the Hub only."""
    rows = []
    for system, human, gpt in SLIMORCA:
        turns: list[Row] = [] if system is None else [{"from": "system", "value": system}]
        turns += [{"from": "human", "value": human}, {"from": "gpt", "value": gpt}]
        weights = {"system": None, "human": 0.0, "gpt": 1.0}
        rows.append({"conversations": [t | {"weight": weights[t["from"]]} for t in turns]})
    path = folder / "raw/Open-Orca/SlimOrca/oo-labeled_correct.gpt4.sharegpt.jsonl"
    write_jsonl(path, rows, ensure_ascii=True)


# mwp-korean-2021 ------------------------------------------------------------------------

# (class, question, answer, equation)
MWP_KOREAN: list[tuple[str, str, str, str]] = [
    ("산술연산", "귤 8개씩 6봉지가 있습니다. 귤은 모두 몇 개입니까?", "48", "8*6"),
    # A decimal.
    (
        "산술연산",
        "끈 17m를 4명이 똑같이 나누면 한 명이 가지는 끈은 몇 m입니까?",
        "4.25",
        "17/4",
    ),
    # A word, chosen from the question.
    (
        "순서정하기",
        "보라, 하늘, 샛별이 달리기를 합니다. 보라는 하늘보다 빠르고 샛별은 하늘보다 느립니다. "
        "가장 느린 사람은 누구입니까?",
        "샛별",
        "[OP_LIST_SOL]",
    ),
    # A fraction.
    (
        "산술연산",
        "케이크를 똑같이 8조각으로 나누어 5조각을 먹었습니다. 남은 양을 분수로 쓰시오.",
        "3/8",
        "(8-5)/8",
    ),
    # A comma in the question, none in the answer.
    ("산술연산", "1,500원짜리 공책을 4권 사면 모두 얼마입니까?", "6000", "1500*4"),
    # Zero.
    (
        "조합하기",
        "연필 12자루를 4명이 3자루씩 가지면 남는 연필은 몇 자루입니까?",
        "0",
        "12-4*3",
    ),
    # Letters for numbers.
    (
        "수찾기",
        "두 자리 수 A7에 15를 더하면 62입니다. A는 얼마입니까?",
        "4",
        "(62-15-7)/10",
    ),
    # A word in parentheses.
    (
        "크기비교",
        "민지(는) 사과 9개, 준호(는) 사과 11개를 땄습니다. 누가 더 많이 땄습니까?",
        "준호",
        "max",
    ),
    # Quotes and a unit with an exponent.
    ("도형", '한 변이 5cm인 "정사각형"의 넓이는 몇 cm^2입니까?', "25", "5^2"),
]


def write_mwp_korean(folder: Path) -> None:
    """One object of objects, keyed by number, behind a byte order mark."""
    names = ("class", "question", "answer", "equation")
    rows = {
        str(number): dict(zip(names, row, strict=True))
        for number, row in enumerate(MWP_KOREAN, start=1)
    }
    text = "\ufeff" + json.dumps(rows, ensure_ascii=False, indent="\t")
    # Its publisher keeps it outside of the Hub, so it lies in the same place in both folders.
    for layout in ("raw", "release"):
        path = folder / layout / "mwp-korean-data-2021/public_mwp_data.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


# KoAlpaca -------------------------------------------------------------------------------

KOALPACA_SCHEMA = pa.schema(
    [("instruction", pa.string()), ("output", pa.string()), ("url", pa.string())]
)

# (instruction, output)
KOALPACA: list[tuple[str, str]] = [
    (
        "바나나는 왜 냉장고에 넣으면 까맣게 변하나요?",
        "바나나는 추위에 약해서 껍질의 세포가 상하고 색이 변합니다. \n\n속은 괜찮습니다.",
    ),
    ("무지개는 몇 가지 색인가요?", "흔히 일곱 가지 색이라고 합니다."),
    # Line breaks in the question.
    (
        "화분의 잎이 노랗게 됩니다.\n\n물은 이틀에 한 번 줍니다. 어떻게 해야 하나요?",
        "물을 너무 자주 주는 것 같습니다. 흙이 마른 뒤에 주세요.",
    ),
    # White space around.
    (" 라면을 끓일 때 물은 얼마나 넣나요? ", "한 봉지에 550ml쯤 넣습니다.\n"),
    # A list.
    (
        "여행 가방에 챙길 것을 세 가지만 알려 주세요.",
        "1. 여권\n2. 충전기\n3. 갈아입을 옷",
    ),
    # English words and braces.
    (
        "Python의 f-string에서 {name}은 무슨 뜻인가요?",
        "변수 name의 값을 그 자리에 넣으라는 뜻입니다. 예: f'{name}님'",
    ),
    # Quotes.
    ("'금세'와 '금새' 가운데 무엇이 맞나요?", "\"지금 바로\"라는 뜻이면 '금세'가 맞습니다."),
    # An emoji, and what people write in messages.
    ("고양이가 자꾸 울어요ㅠㅠ 왜 그럴까요? 🐱", "배가 고프거나 놀아 달라는 뜻일 수 있습니다."),
]


def write_koalpaca(folder: Path) -> None:
    """Released on the Hub only."""
    rows = [
        {"instruction": question, "output": output, "url": f"https://example.org/{number}"}
        for number, (question, output) in enumerate(KOALPACA, start=1)
    ]
    path = "beomi/KoAlpaca-v1.1a/data/train-00000-of-00001.parquet"
    write_parquet(folder / "raw" / path, KOALPACA_SCHEMA, rows)


# Writing --------------------------------------------------------------------------------


def columns(texts: Sequence[str], labels: str) -> Row:
    """The options as on the Hub: a list of texts and a list of labels."""
    return {"text": list(texts), "label": list(labels)}


def nested(id_: str, stem: str, texts: Sequence[str], labels: str, key: str) -> Row:
    """A question as OpenBookQA and ARC are released: a list of options within it."""
    choices = [
        {"text": text, "label": label} for text, label in zip(texts, labels, strict=True)
    ]
    return {"id": id_, "question": {"stem": stem, "choices": choices}, "answerKey": key}


def write_parquet(path: Path, schema: pa.Schema, rows: Sequence[Row]) -> None:
    """Writes the columns of the schema; what else a row has is left out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


def write_jsonl(
    path: Path,
    rows: Iterable[Row],
    *,
    ensure_ascii: bool = False,
    separators: tuple[str, str] = (", ", ": "),
) -> None:
    """Writes one JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            line = json.dumps(row, ensure_ascii=ensure_ascii, separators=separators)
            file.write(line + "\n")


def write_csv(
    path: Path, cells: Iterable[Sequence[object]], *, delimiter: str = ",", line_end: str = "\n"
) -> None:
    """Writes one row a record, quoting only the cells that need it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=line_end).writerows(cells)


def write_all(folder: Path) -> None:
    """Writes `raw/` and `release/` into the folder."""
    write_mmlu(folder)
    write_hellaswag(folder)
    write_winogrande(folder)
    write_openbookqa(folder)
    write_gsm8k(folder)
    write_arc(folder)
    write_kmmlu(folder)
    write_kobest(folder)
    write_orca_math(folder)
    write_translations(folder)
    write_mbpp(folder)
    write_leetcode(folder)
    write_slimorca(folder)
    write_mwp_korean(folder)
    write_koalpaca(folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write the example rows.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    write_all(parser.parse_args(arguments).folder)


if __name__ == "__main__":
    main()
