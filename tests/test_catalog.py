import pytest

from beam_thunder.catalog import CATALOG, find
from beam_thunder.errors import UserError

COMMONSENSE, MATH = "commonsense reasoning", "mathematical reasoning"
KNOWLEDGE, FOLLOWING = "general knowledge", "instruction following"

# The published table, as it was published: `-` is None.
PUBLISHED = [
    ("mmlu", "MMLU", "processed", "en", KNOWLEDGE, 99842, 299526),
    ("hellaswag", "HellaSwag", "processed", "en", COMMONSENSE, 39905, 119715),
    ("winogrande", "WinoGrande", "processed", "en", COMMONSENSE, 40398, 40398),
    ("openbookqa", "OpenBookQA", "processed", "en", "reading comprehension", 4957, 14871),
    ("gsm8k", "GSM8K", "processed", "en", MATH, 7473, None),
    ("gsm8k-synthetic", "GSM8K", "synthetic", "en", MATH, 12363, 2335),
    ("orca-math", "OrcaMath", "synthetic", "en", MATH, 257922, None),
    ("arc-easy", "ARC-Easy", "processed", "en", "science", 2251, 6751),
    ("arc-challenge", "ARC-Challenge", "processed", "en", "science", 1119, 3357),
    ("mbpp", "MBPP", "synthetic", "en", "coding", 1475, None),
    ("leetcode", "LeetCodeDataset", "synthetic", "en", "coding", 2698, None),
    ("slimorca", "SlimOrca", "synthetic", "en", FOLLOWING, 319526, 18889),
    ("kmmlu", "KMMLU", "processed", "ko", KNOWLEDGE, 208522, 625566),
    ("kobest-hellaswag", "KoBEST HellaSwag", "processed", "ko", COMMONSENSE, 2029, 6087),
    ("gsm8k-ko", "translated GSM8K", "synthetic", "ko", MATH, 11238, 1804),
    ("orca-math-ko", "translated OrcaMath", "synthetic", "ko", MATH, 246123, None),
    ("mwp-korean-2021", "mwp-korean-2021", "synthetic", "ko", MATH, 3126, 660),
    ("koalpaca", "KoAlpaca", "synthetic", "ko", FOLLOWING, 49832, 3825),
]


def test_the_catalog_is_the_published_table():
    assert [
        (e.name, e.source, e.kind, e.language, e.domain, e.sft, e.preference)
        for e in CATALOG.values()
    ] == PUBLISHED


def test_every_entry_is_found_by_its_name():
    assert [find(row[0]).name for row in PUBLISHED] == list(CATALOG)


@pytest.mark.parametrize(
    ("name", "fan_out"),
    [
        ("mmlu", 3),  # a pair for each of three wrong options
        ("winogrande", 1),
        ("arc-easy", 3),  # 6751 of 2251: a few questions have three or five options
        ("kmmlu", 3),
        ("gsm8k", 1),  # no pairs: the SFT table is the larger one
        ("gsm8k-synthetic", 1),  # fewer pairs than SFT rows
        ("slimorca", 1),
    ],
)
def test_fan_out_is_the_rows_of_the_larger_table_for_each_question(name, fan_out):
    assert find(name).fan_out == fan_out


def test_the_tables_of_an_entry_are_those_that_were_published():
    assert find("mmlu").tables == ("sft", "preference")
    assert find("gsm8k").tables == ("sft",)


def test_the_hub_layout_is_looked_for_before_the_release():
    assert find("gsm8k").patterns() == (
        "openai/gsm8k/main/train-*.parquet",
        "gsm8k/train.jsonl",
    )


def test_what_is_not_on_the_hub_is_found_in_its_release():
    entry = find("mwp-korean-2021")
    assert entry.hub is None
    assert entry.patterns() == ("mwp-korean-data-2021/public_mwp_data.json",)
    assert entry.url.endswith("/public_mwp_data.json")


def test_every_entry_has_a_place_and_a_licence():
    assert all(entry.patterns() and entry.licence for entry in CATALOG.values())


def test_a_misspelt_name_is_told_with_the_nearest_one():
    with pytest.raises(UserError, match=r"no dataset 'gms8k'.*did you mean 'gsm8k'\?"):
        find("gms8k")


def test_a_name_that_is_near_none_is_told_with_all_of_them():
    with pytest.raises(
        UserError, match=r"no dataset 'xyz'.*known are arc-challenge, arc-easy, "
    ):
        find("xyz")
