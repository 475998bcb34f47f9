import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.filters.language import (
    count_letters,
    identify_language,
    is_foreign,
    language_reason,
    predict,
    prose,
)

KOREAN = (
    "물은 섭씨 백 도에서 끓고, 영 도에서 얼어 고체가 됩니다. 압력이 낮으면 더 빨리 끓습니다."
)
ENGLISH = "Water boils at one hundred degrees Celsius, and at lower pressure it boils sooner."
FRENCH = "L'eau bout à cent degrés, et plus vite encore lorsque la pression est plus faible."
CHINESE = "水在一百摄氏度时沸腾，压力较低时沸腾得更快，这是因为气压的影响。"


def reason(text, question_language="ko", share=0.02, same_language=False):
    return language_reason(text, question_language, share, same_language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (KOREAN, "ko"),
        (ENGLISH, "en"),
        (ENGLISH.upper(), "en"),
        (FRENCH, "fr"),
        ("Das Wasser kocht bei hundert Grad, bei niedrigem Druck auch schon früher.", "de"),
        ("El agua hierve a cien grados, y antes todavía cuando la presión es menor.", "es"),
        ("Nước sôi ở một trăm độ và còn sôi sớm hơn khi áp suất thấp hơn bình thường.", "vi"),
        (CHINESE * 2, "zh"),
        ("\n\n".join([ENGLISH, ENGLISH]), "en"),
    ],
)
def test_sentences_are_identified(text, language):
    assert identify_language(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("네, 맞습니다.", "ko"),
        ("Paris", "en"),
        ("Karl Marx", "en"),  # fastText takes it for German
        ("答案", "und"),
        ("да", "und"),
        ("3.14", None),
        ("", None),
    ],
)
def test_short_texts_are_judged_by_script(text, language):
    assert identify_language(text) == language


def test_a_list_of_foreign_names_is_not_taken_for_a_language():
    assert identify_language("Karl Marx, Friedrich Engels, Max Weber, Georg Simmel") == "en"


def test_korean_about_another_language_is_korean():
    assert (
        identify_language("프랑스어로 옮기면 Je suis étudiant à Paris 라고 말합니다.") == "ko"
    )


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint('x')\n```",
        "```\nnever closed",
        "`pip install x`",
        r"$x^2 + y^2$",
        r"$$\int f(x) dx$$",
        r"\(a+b\)",
        r"\[a+b\]",
        r"\begin{aligned} a &= b \end{aligned}",
        "https://example.org/a/b?c=d",
        "1,234.56",
    ],
)
def test_what_is_in_no_language_is_left_out(text):
    assert count_letters(prose(f"가 {text} 나"))[0] <= 2
    assert count_letters(prose(text))[1] <= len("aligned")


def test_particles_behind_addresses_stay():
    assert prose("www.example.org에서 찾으세요") == " 에서 찾으세요"


def test_amounts_of_money_are_no_formulas():
    assert "and the other cost" in prose("One cost $5 and the other cost $10.")


@pytest.mark.parametrize(
    "text",
    [
        "원의 넓이는 πr² 이고 각도는 α, β, θ 로 나타내며 Δx 는 변화량을 뜻합니다.",
        "이 단어의 발음은 /ˈθɪŋkɪŋ/ 이며 뜻은 생각하는 것입니다.",
        "우리가 다니는 학교(學校)와 도서관(圖書館)은 모두 시내(市內)에 있습니다.",
        "집합 ℝ 과 ℂ 그리고 𝑥 는 수학에서 쓰는 기호이며 단위는 µm 와 Å 입니다.",
        "사랑은 한자로 愛입니다.",
        "Schrödinger and Poincaré wrote about naïve ideas, and so did other people then.",
        "ㄱ, ㄴ, ㄷ은 자음입니다. ㅏ, ㅑ는 모음입니다.",
    ],
)
def test_signs_and_glosses_are_not_foreign(text):
    assert reason(text) is None


@pytest.mark.parametrize(
    "text",
    [
        KOREAN + " 因此，水的沸点取决于压力。",
        "이 문제의 정답은 세 번째 보기이며 그 이유는 すなわち 압력이 낮기 때문입니다.",
        ENGLISH + " Это зависит от давления.",
        "The word for freedom is ελευθερία, which was used in antiquity by many.",
        CHINESE,
        "答案是3",
        "愛",
        # No gloss: it says more than the word before it has syllables.
        "물(水的沸点取决于压力)은 낮은 압력에서 더 빨리 끓습니다.",
    ],
)
def test_slipping_into_another_script_is_seen(text):
    assert reason(text) == "foreign_script"


def test_share_of_foreign_letters_is_a_limit():
    text = KOREAN + " 因此，水的沸点"
    assert reason(text, share=0.02) == "foreign_script"
    assert reason(text, share=0.3) is None


def test_one_or_two_foreign_letters_pass_beside_others():
    assert not is_foreign(4, 2, 0.0)
    assert is_foreign(4, 3, 0.0)
    assert is_foreign(1, 2, 1.0)


def test_foreign_letters_in_code_do_not_count():
    assert reason(KOREAN + '\n```python\nprint("因此水的沸点取决于压力")\n```') is None


def test_other_languages_in_latin_script():
    assert reason(FRENCH) == "language"


def test_the_questions_language_only_where_asked():
    assert reason(ENGLISH, "ko") is None
    assert reason(ENGLISH, "ko", same_language=True) == "other_language"
    assert reason(KOREAN, "en", same_language=True) == "other_language"
    assert reason(KOREAN, "ko", same_language=True) is None


def test_short_latin_answers_may_be_korean():
    assert reason("Python", "ko", same_language=True) is None


def test_code_alone_has_no_language():
    assert reason("```python\nprint(1)\n```", same_language=True) is None


@given(st.text(max_size=200))
def test_any_text_gets_a_reason_or_none(text):
    assert reason(text) in (None, "foreign_script", "language")


@given(st.text(max_size=60))
def test_letters_are_at_most_the_characters(text):
    assert 0 <= sum(count_letters(text)) <= len(text)


@given(st.text(alphabet="abcXYZ é가", max_size=40))
def test_letters_are_counted_alike_with_and_without_ascii_alone(text):
    latin = count_letters(text)[1]
    assert latin == count_letters(text + "가")[1]
    assert latin == sum(character in "abcXYZé" for character in text)


@pytest.mark.parametrize(
    "text",
    [
        "```" * 66_001,
        "$x" * 100_000,
        r"\begin{a}" * 22_000,
        r"\(" * 100_000,
        r"\[" * 100_000,
        "가(" * 100_000,
        "가" * 200_000,
        "學" * 200_000,
        "αβγ" * 66_000,
        "`" * 200_000,
        "1." * 100_000,
        "https://" * 25_000,
    ],
    ids=lambda text: repr(text[:9]),
)
def test_hostile_texts_take_no_time(text):
    predict("warm")
    start = time.process_time()
    reason(text)
    assert time.process_time() - start < 1


def test_loading_the_model_prints_nothing():
    code = "from beam_thunder.filters.language import predict; predict('hello world')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_real_questions_are_in_their_language(raw):
    """Texts that people wrote: nearly none may be refused, whatever they are about."""
    import pyarrow.parquet as pq

    path = next((raw / "hub/openai/gsm8k/main").glob("train*.parquet"))
    answers = pq.read_table(path).column("answer").to_pylist()[:1500]
    refused = [answer for answer in answers if reason(answer, "en", same_language=True)]
    assert len(refused) <= len(answers) * 0.002, refused
