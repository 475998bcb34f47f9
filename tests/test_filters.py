import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from beam_thunder.filters import REASONS, Limits, filter_response, without_thinking
from beam_thunder.filters.filters import (
    has_unfinished_thinking,
    is_echo,
    is_refusal,
    is_repetition,
)
from beam_thunder.filters.repetition import loops, repeated_share

ENGLISH = "Water boils at one hundred degrees Celsius, and at lower pressure it boils sooner."
LIMITS = Limits()


def why(response, *, prompt="When does water boil?", language="en", limits=LIMITS, **more):
    known = {"finish_reason": "stop", "completion_tokens": None} | more
    return filter_response(
        response, prompt=prompt, question_language=language, limits=limits, **known
    )


def test_a_plain_answer_is_kept():
    assert why(ENGLISH) is None


@pytest.mark.parametrize(
    ("response", "more", "reason"),
    [
        (ENGLISH, {"finish_reason": "length"}, "truncated"),
        ("<think>So far", {}, "unfinished_thinking"),
        (" \n\t ", {}, "empty"),
        (ENGLISH + "\ufffd", {}, "broken_text"),
        (ENGLISH, {"completion_tokens": 5000}, "too_long"),
        (ENGLISH, {"limits": Limits(max_characters=20)}, "too_long"),
        ("and so it goes " * 30, {}, "repetition"),
        ("I'm sorry, but I can't assist with that.", {}, "refusal"),
        ("When does water boil?", {}, "echo"),
        ("Вода кипит при ста градусах.", {}, "foreign_script"),
        ("L'eau bout à cent degrés, et plus vite lorsque la pression baisse.", {}, "language"),
        (ENGLISH, {"language": "ko", "limits": Limits(same_language=True)}, "other_language"),
    ],
)
def test_each_reason_is_given(response, more, reason):
    assert why(response, **more) == reason


def test_every_reason_is_tested():
    marks = test_each_reason_is_given.pytestmark
    assert {row[-1] for row in marks[0].args[1]} == set(REASONS)


def test_the_first_reason_in_order_is_given():
    cut = "<think>" + "and so it goes " * 2000
    assert why(cut, finish_reason="length") == "truncated"
    assert why(cut) == "unfinished_thinking"
    assert why("and so it goes " * 2000) == "too_long"


@pytest.mark.parametrize("reason", [None, "stop", "tool_calls"])
def test_other_finish_reasons_are_kept(reason):
    assert why(ENGLISH, finish_reason=reason) is None


def test_limits_refuse_what_is_no_limit():
    with pytest.raises(ValidationError, match="max_words"):
        Limits(max_words=3)
    with pytest.raises(ValidationError, match="max_foreign_share"):
        Limits(max_foreign_share=1.5)
    with pytest.raises(ValidationError, match="frozen"):
        LIMITS.max_tokens = 3


# Thinking


@pytest.mark.parametrize(
    ("response", "kept"),
    [
        ("<think>\nHm.\n</think>\n\nFour.", "Four."),
        ("<think></think>Four.", "Four."),
        ("Well.\n<thought>Hm.</thought>\nFour.", "Well.\n\nFour."),
        ("<think>a</think><think>b</think>Four.", "Four."),
        ("Four.", "Four."),
        ("  Four.\n", "  Four.\n"),  # nothing to remove, nothing changed
        ("Use the `<think>` and `</think>` tags.", "Use the `<think>` and `</think>` tags."),
        ("<think>Hm.", "<think>Hm."),
        ("Hm.</think>Four.", "Hm.</think>Four."),
        ("<think>only thought</think>", ""),
    ],
)
def test_complete_thinking_is_removed(response, kept):
    assert without_thinking(response) == kept


@pytest.mark.parametrize(
    ("response", "unfinished"),
    [
        ("<think>Hm.", True),
        ("Hm.</think>Four.", True),
        ("<think>a</think>Four.<think>", True),
        ("<think>Hm.</think>Four.", False),
        ("Use the `<think>` tag.", False),
        ("if a < think > b", False),
    ],
)
def test_unfinished_thinking(response, unfinished):
    assert has_unfinished_thinking(response) == unfinished


@given(st.text(max_size=50))
def test_thinking_is_removed_once_and_for_all(text):
    kept = without_thinking(f"<think>{text}</think>{text}")
    assert without_thinking(kept) == kept


# Repetition

VERSES = (
    "The river runs below the hill,\nthe moon is high, the night is still.\n",
    "The road is long, the wind is cold,\nand all my songs are growing old.\n",
    "The lamp is lit, the door is wide,\nand someone calls from the other side.\n",
)
CHORUS = "Sing, river, sing, and carry me home,\ncarry me home to the sea.\n"


@pytest.mark.parametrize(
    "response",
    [
        ENGLISH + " " + "The answer is therefore that it depends. " * 8,
        ENGLISH + "\n" + "".join(f"{n}. Check the pressure of the water.\n" for n in range(20)),
        "물이 끓는 온도는 압력에 따라 다릅니다. " * 12,
        (
            "First we look at the water in the pot and note its level. Then we warm it up. "
            "After a while the bubbles rise, and steam can be seen over the rim of it.\n\n"
        )
        * 3,
        ENGLISH + " ha" * 40,
        "아" * 120,
        "하하호호" * 40,
        "Yes, " * 200,
    ],
    ids=range(8),
)
def test_loops_are_seen(response):
    assert is_repetition(response, LIMITS)


@pytest.mark.parametrize(
    "response",
    [
        ENGLISH,
        "| year | interest |\n|---|---|\n" + "| 1 | the same amount of money |\n" * 30,
        "```python\n" + "    print('hello, wonderful world')\n" * 30 + "```",
        "int main() {\n" + '    System.out.println("Hello, world");\n' * 20 + "}",
        "1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 = 20",
        "x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x = 20x",
        "0.333333333333333333333333333333333333333333333333333333333333333333333333333333333333",
        "".join(f"Year {n}: {n * 100} + 5 = {n * 100 + 5}\n" for n in range(1, 30)),
        VERSES[0] + CHORUS + VERSES[1] + CHORUS + VERSES[2] + CHORUS,
        "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily.",
        "1. True\n2. False\n3. True\n4. True\n5. False\n6. True\n7. True\n8. True\n9. True",
        "-" * 300 + "\n" + ENGLISH + "\n" + "=" * 300,
        "yes yes yes yes yes yes",
    ],
    ids=range(13),
)
def test_what_rightly_repeats_is_kept(response):
    assert not is_repetition(response, LIMITS)


def test_repetition_follows_its_limits():
    text = ENGLISH + " " + "so it goes on and on " * 6
    assert is_repetition(text, LIMITS)
    assert not is_repetition(text, Limits(max_loop=6))
    twice = (ENGLISH + " It is so at sea, and it is so in the mountains as well.\n") * 2
    assert not is_repetition(twice, LIMITS)
    assert is_repetition(twice, Limits(max_repeated_share=0.4))


@given(st.text(max_size=300))
def test_repeated_share_is_a_share(text):
    assert 0 <= repeated_share(text) <= 1


@given(st.integers(2, 8))
def test_repeated_share_of_a_text_that_comes_again(times):
    text = "A long enough line about the weather of these days.\n" * times
    expected = (times - 1) / times if times * 41 >= 200 else 0
    assert repeated_share(text) == pytest.approx(expected)


# Refusals


@pytest.mark.parametrize(
    "response",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m sorry, but I cannot provide that information.",
        "Sorry, I can't help with that.",
        "I apologize, but I am unable to generate such content.",
        "I apologize for the confusion, but I cannot answer this.",
        "I'm sorry, but as an AI language model, I cannot browse the internet.",
        "As an AI language model, I don't have personal opinions.",
        "As an AI, I do not have access to that.",
        "I cannot assist with this.",
        "I can't help you with that.",
        "Unfortunately, I'm not able to access links.",
        "**I'm sorry, but I can't help with that.**",
        "I won't be able to provide instructions.",
        "죄송하지만, 그 요청은 도와드릴 수 없습니다.",
        "죄송합니다. 해당 정보는 제공해 드릴 수 없습니다.",
        "죄송합니다만, 그 질문에는 답변드릴 수 없습니다.",
        "죄송하지만 답변을 드릴 수 없습니다.",
        "죄송하지만 이런 내용은 작성할 수 없습니다.",
        "AI 언어 모델로서 저는 개인적인 의견이 없습니다.",
        "저는 인공지능이므로 직접 먹어볼 수 없습니다.",
    ],
)
def test_refusals(response):
    assert is_refusal(response, "Tell me.")


@pytest.mark.parametrize(
    "response",
    [
        "I can't help but notice how well this works.",
        "I can't help falling in love with this city.",
        "I'm sorry, but I can't come to your party on Friday.",
        "I'm sorry for your loss. Here is a short letter you may send.",
        "Tom sighed. \"I'm sorry, but I can't help with that,\" he said.",
        "\"I'm sorry, but I can't assist you,\" said the robot.",
        "Dear Ann,\n\nI'm sorry, but I can't provide the figures before Monday.",
        "I apologize for the delay. The order has been shipped.",
        "As an AI researcher, she wrote the first paper in 1999.",
        "I cannot be sure, but the answer is likely 4.",
        "Sorry is a word of Old English origin.",
        "Unfortunately, the train was late.",
        "죄송합니다. 주문하신 상품은 내일 도착할 예정입니다.",
        "죄송하지만 내일은 갈 수 없습니다. 이렇게 거절하면 됩니다.",
        "그는 말했다. 죄송하지만 도와드릴 수 없습니다.",
        "AI 모델을 학습시키려면 자료가 필요합니다.",
        "인공지능은 사람의 일을 도울 수 없는 것이 아닙니다.",
    ],
)
def test_no_refusals(response):
    assert not is_refusal(response, "Write something.")


def test_a_refusal_that_was_to_be_translated_is_an_answer():
    prompt = "Translate into Korean: I'm sorry, but I can't help with that."
    assert not is_refusal("죄송하지만 도와드릴 수 없습니다.", prompt)


# Echo

LONG = "Explain in your own words why water boils at a lower temperature in the mountains."


@pytest.mark.parametrize(
    ("response", "prompt"),
    [
        ("What is 2 + 2?", "What is 2 + 2?"),
        ("  what is   2 + 2?\n", "What is 2 + 2?"),
        (LONG + " It does.", LONG),
        ("Question: " + LONG, LONG),
        ("물은 왜 끓나요?", "물은 왜 끓나요?"),
    ],
)
def test_echoes(response, prompt):
    assert is_echo(response, prompt, 60)


@pytest.mark.parametrize(
    ("response", "prompt"),
    [
        ("What is photosynthesis? It is how plants live on light.", "What is photosynthesis?"),
        ("4", "What is 2 + 2?"),
        ("He goes home.", "Correct the grammar: He goes home."),
        ("Anything", ""),
        ("", "What is 2 + 2?"),
        ('You asked me: "' + LONG + '" ' + ENGLISH * 3, LONG),
    ],
)
def test_no_echoes(response, prompt):
    assert not is_echo(response, prompt, 60)


# Hostile texts


@pytest.mark.parametrize(
    "text",
    [
        "<think>" * 28_000,
        "</think>" * 25_000,
        "I'm sorry " * 20_000,
        "죄송 도와" * 40_000,
        "| " * 100_000,
        "    \n" * 40_000,
        "a" * 200_000,
        "ab " * 66_000,
        "\n" * 200_000,
        "- " * 100_000,
        "1) " * 66_000,
        "`" * 200_000,
        " ".join(map(str, range(40_000))),
        ". " * 100_000,
        "\u0000" * 200_000,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_hostile_texts_take_no_time(text):
    limits = Limits(max_characters=10**6)
    start = time.process_time()
    why(text, prompt=text[:100_000], limits=limits)
    without_thinking(text)
    is_repetition(text, limits)
    is_refusal("I'm sorry, but I can't assist with that.", text)
    assert time.process_time() - start < 1


def test_real_worked_answers_are_kept(raw):
    import pyarrow.parquet as pq

    path = next((raw / "hub/openai/gsm8k/main").glob("train*.parquet"))
    rows = pq.read_table(path).slice(0, 1500).to_pylist()
    reasons = [why(row["answer"], prompt=row["question"]) for row in rows]
    assert sum(reason is not None for reason in reasons) <= 3, reasons


@given(
    st.lists(st.integers(0, 3), max_size=12),
    st.lists(st.integers(0, 3), min_size=1, max_size=6),
    st.integers(2, 10),
    st.lists(st.integers(0, 3), max_size=12),
)
def test_loops_are_found_wherever_they_are(before, unit, times, after):
    """Against looking at every place for every period."""
    codes = np.array([*before, *unit * times, *after], np.int32)
    expected = set()
    for period in range(1, min(6, len(codes) // 2) + 1):
        needed = max(3 * period, 10 - period)
        same = "".join("10"[int(a != b)] for a, b in zip(codes, codes[period:], strict=False))
        if "1" * needed in same:
            expected.add(period)
    assert {period for _, period in loops(codes, 6, 3, 10)} == expected
