from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.grading.numbers import find_quantities, parse_quantity, plain_text
from beam_thunder.grading.numerals import amount, english, native_korean, scaled

NATIVE_TENS = ["", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔"]
NATIVE_ONES = ["", "하나", "둘", "셋", "넷", "다섯", "여섯", "일곱", "여덟", "아홉"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
ONES = ["", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def value(text):
    quantity = parse_quantity(text)
    return quantity and quantity.value


def in_large_units(number):
    """12345 as 1만 2345."""
    parts = []
    for scale, name in [(10**12, "조"), (10**8, "억"), (10**4, "만"), (1, "")]:
        count, number = divmod(number, scale)
        if count:
            parts.append(f"{count}{name}")
    return " ".join(parts) or "0"


def in_hangul(number):
    """12345 as 만 이천삼백사십오; one is left out before a scale, as usual."""
    parts = []
    for scale, name in [(10**12, "조"), (10**8, "억"), (10**4, "만"), (1, "")]:
        count, number = divmod(number, scale)
        digits = ""
        for place, syllable in [(1000, "천"), (100, "백"), (10, "십"), (1, "")]:
            digit, count = divmod(count, place)
            if digit:
                digits += "" if digit == 1 and syllable else "일이삼사오육칠팔구"[digit - 1]
                digits += syllable
        if digits:
            parts.append(digits + name)
    return " ".join(parts) or "영"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("72", 72),
        ("72.", 72),
        ("72.0", 72),
        ("-5", -5),
        ("−5", -5),
        (".5", Fraction(1, 2)),
        ("1,234.50", Fraction(2469, 2)),
        ("1/2", Fraction(1, 2)),
        ("(1/16)", Fraction(1, 16)),
        ("3 1/2", Fraction(7, 2)),
        ("3½", Fraction(7, 2)),
        ("¾", Fraction(3, 4)),
        ("0.1", Fraction(1, 10)),
        ("3.5 million", 3_500_000),
        ("twenty-one", 21),
        ("half", Fraction(1, 2)),
        ("negative 4", -4),
    ],
)
def test_numbers(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$1,234.50", Fraction(2469, 2)),
        ("-$5", -5),
        ("$-5", -5),
        (r"\$27", 27),
        ("12 apples", 12),
        ("5 km", 5),
        ("5km/h", 5),
        ("48cm^2", 48),
        ("48 cm²", 48),
        ("3 dogs and cats.", 3),
        ("x = 5", 5),
        ("about 5 miles", 5),
        ("약 5km", 5),
        ("27장입니다.", 27),
        ("2학년", 2),
        ("3조각", 3),
        ("**27**개", 27),
        (r"27\text{ cm}", 27),
        ("12000원", 12000),
    ],
)
def test_units_and_words_around(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1만 2천 원", 12000),
        ("1만 2000원", 12000),
        ("1만2천원", 12000),
        ("3억 5천만", 350_000_000),
        ("1.5만 원", 15000),
        ("5만원입니다", 50000),
        ("오만 원", 50000),
        ("3과 1/2", Fraction(7, 2)),
        ("3과 2분의 1", Fraction(7, 2)),
        ("2분의 1", Fraction(1, 2)),
        ("삼분의 이", Fraction(2, 3)),
        ("다섯 개", 5),
        ("열두 명", 12),
        ("스물세 살", 23),
        ("세명입니다", 3),
        ("이십삼", 23),
        ("이십삼일", 23),
        ("십이이다", 12),
        ("절반", Fraction(1, 2)),
        ("3시간 반", Fraction(7, 2)),
        ("１２３", 123),
        ("마이너스 5", -5),
    ],
)
def test_korean(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\frac{3}{4}", Fraction(3, 4)),
        (r"\dfrac34", Fraction(3, 4)),
        (r"3\frac{1}{2}", Fraction(7, 2)),
        (r"$1{,}234$", 1234),
        (r"1\,234", 1234),
        (r"\(27\)", 27),
    ],
)
def test_latex(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "지민", "사과", "일본", "영수", "만수", "구현", "이주", "일이"),
        *("9*3", "2**3", "5:3", "2x", "1/0", "3 hours and 20 minutes", "9" * 5000, "x" * 5000),
    ],
)
def test_what_is_no_single_quantity(text):
    assert parse_quantity(text) is None


def test_percent_is_told_and_not_divided():
    assert parse_quantity("50%")[:3] == (50, 0, True)
    assert parse_quantity("50 퍼센트입니다").percent
    assert parse_quantity(r"12.5\%")[:3] == (Fraction(25, 2), 1, True)


def test_decimals_are_counted_as_written():
    assert parse_quantity("6.930").decimals == 3
    assert parse_quantity("7").decimals == parse_quantity("1/2").decimals == 0


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("48 + 24 = 72 clips", [48, 24, 72]),
        ("넓이는 48cm^2입니다", [48]),
        ("10-5=5", [10, 5, 5]),
        ("모두72개", [72]),
        ("1만 2천 원과 3천 원", [12000, 3000]),
        ("모두 다섯 개", [5]),
        ("두 사람", [2]),
        ("she has twenty-one dogs", [21]),
        ("none", []),
    ],
)
def test_all_quantities_of_a_text(text, values):
    assert [quantity.value for quantity in find_quantities(text)] == values


def test_power_is_not_taken_for_emphasis():
    assert plain_text("**27** and 2**3") == "27 and 2**3"


@pytest.mark.parametrize("text", ["일이", "십백", "만억", "1만 20000", "1만 2만", "", "만두"])
def test_scales_out_of_order_are_no_numeral(text):
    assert scaled(text) is None


@given(st.integers(0, 10**16 - 1))
def test_digits_with_large_units_round_trip(number):
    assert value(in_large_units(number)) == number
    assert value(in_large_units(number) + " 원") == number


@given(st.integers(0, 10**16 - 1))
def test_hangul_numerals_round_trip(number):
    assert scaled(in_hangul(number)) == number
    assert value(in_hangul(number) + "입니다") == number


@given(st.integers(1, 99))
def test_native_numerals_round_trip(number):
    tens, ones = divmod(number, 10)
    assert native_korean(NATIVE_TENS[tens] + NATIVE_ONES[ones]) == number


@given(st.integers(-(10**15), 10**15))
def test_commas_and_signs_round_trip(number):
    assert value(f"{number:,}") == value(str(number)) == value(f"{number} apples") == number


@given(st.decimals(-(10**6), 10**6, places=3))
def test_decimals_round_trip(number):
    assert value(str(number)) == Fraction(number)


@given(st.integers(0, 50), st.integers(1, 50), st.integers(1, 50))
def test_mixed_numbers_round_trip(whole, over, under):
    expected = whole + Fraction(over, under)
    assert (
        value(f"{whole} {over}/{under}") == value(f"{whole}과 {under}분의 {over}") == expected
    )


@given(st.integers(1, 9), st.integers(2, 9))
def test_english_round_trip(ones, tens):
    word = TENS[tens]
    assert english(f"{word}-{ONES[ones]}") == 10 * tens + ones
    assert english(f"{ONES[ones]} hundred and {word}") == 100 * ones + 10 * tens


@given(st.text(alphabet="0123456789,./- 만천억십일이삼과분의%$xX반개다\\{}", max_size=30))
def test_any_text_is_read_without_an_error(text):
    quantity = parse_quantity(text)
    assert quantity is None or isinstance(quantity.value, int | Fraction)
    assert all(found.start < found.end or not found.start for found in find_quantities(text))


def test_absurdly_long_amount_is_none():
    assert amount("9" * 400) == int("9" * 400)
    assert amount("9" * 5000) is None
