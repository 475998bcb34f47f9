"""GSM8K: word problems, worked step by step."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from rows.files import write_jsonl, write_parquet

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
