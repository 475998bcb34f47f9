"""Measures of texts: against a plain reference, and where scripts are easily mistaken."""

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_thunder.transforms.profile import contained, measure, profile


def of(text: str) -> dict:
    return {name: values[0] for name, values in measure(pa.array([text])).items()}


TEXT = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("aZ 0９\n가힣ㄱᄀ漢カひﾊ\ufffdéΩЖ\u3000\t𠀀"),
    )
)


@settings(deadline=None, max_examples=150)
@given(st.lists(TEXT, min_size=1))
def test_counts_equal_a_reference_that_goes_character_by_character(texts):
    found = measure(pa.array(texts, pa.string()))
    for i, text in enumerate(texts):
        letters = [c for c in text if unicodedata.category(c)[0] == "L"]
        digits = sum(unicodedata.category(c) == "Nd" for c in text)
        assert found["characters"][i] == len(text)
        assert found["lines"][i] == (text.count("\n") + 1 if text else 0)
        assert found["digits"][i] == pytest.approx(digits / max(len(text), 1), abs=1e-6)
        assert found["replacement"][i] == text.count("\ufffd")
        assert found["blank"][i] == (not text.strip())
        assert found["edged"][i] == (text != "" and (text[0].isspace() or text[-1].isspace()))
        shares = sum(found[script][i] for script in ("hangul", "latin", "han", "kana", "other"))
        assert shares == pytest.approx(1.0 if letters else 0.0, abs=1e-5)


@settings(deadline=None, max_examples=50)
@given(st.lists(TEXT, min_size=2, max_size=8), st.data())
def test_a_slice_measures_like_a_copy(texts, data):
    start = data.draw(st.integers(0, len(texts) - 1))
    column = pa.array(texts, pa.string())
    sliced, copied = measure(column.slice(start)), measure(pa.array(texts[start:], pa.string()))
    assert all((sliced[name] == copied[name]).all() for name in copied)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("가나다", "hangul"),
        ("ㅋㅋㅎㅎ", "hangul"),  # single letters are Hangul too
        ("ﾡﾢ", "hangul"),  # half-width
        ("abc", "latin"),
        ("éßœ", "latin"),
        ("ＡＢＣ", "latin"),  # full-width
        ("漢字", "han"),
        ("𠀀", "han"),  # beyond the basic plane
        ("豈", "han"),  # compatibility ideograph
        ("ひらがな", "kana"),
        ("カタカナ", "kana"),
        ("ｶﾅ", "kana"),
        ("Привет", "other"),
        ("αβγ", "other"),
        ("ไทย", "other"),
    ],
)
def test_letters_belong_to_their_script(text, script):
    assert of(text)[script] == 1


def test_shares_are_of_the_letters_alone():
    assert of("가a 1234 !!!")["hangul"] == 0.5


@pytest.mark.parametrize(("text", "flag"), [("가나a", 1), ("가a", 0), ("1+1", 0), ("", 0)])
def test_mostly_hangul_is_more_than_half_of_the_letters(text, flag):
    assert of(text)["mostly_hangul"] == flag


def test_empty_texts_between_others_count_nothing():
    found = measure(pa.array(["", "a1\n", "", "", "b", ""]))
    assert found["characters"].tolist() == [0, 3, 0, 0, 1, 0]
    assert found["latin"].tolist() == [0, 1, 0, 0, 1, 0]
    assert found["lines"].tolist() == [0, 2, 0, 0, 1, 0]


def test_no_texts_have_no_measures():
    assert all(len(values) == 0 for values in measure(pa.array([], pa.string())).values())


TEXTS = st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=10)


@settings(deadline=None, max_examples=100)
@given(TEXTS)
def test_contained_equals_pythons_in(pairs):
    inner, outer = pa.array([a for a, _ in pairs]), pa.array([b + a[:1] for a, b in pairs])
    expected = [int(a in b + a[:1]) for a, b in pairs]
    assert contained(inner, outer).tolist() == expected


@settings(deadline=None, max_examples=50)
@given(TEXTS, st.data())
def test_dictionaries_measure_like_plain_columns(pairs, data):
    texts = pa.array([a for a, _ in pairs])
    rows = data.draw(st.lists(st.integers(0, len(texts) - 1), min_size=1, max_size=20))
    places = pa.array(rows, pa.int32())
    encoded = pa.DictionaryArray.from_arrays(places, texts)
    names = ["prompt", "chosen", "rejected"]
    dictionaries = pa.RecordBatch.from_arrays([encoded] * 3, names=names)
    plain = pa.RecordBatch.from_arrays([texts.take(places)] * 3, names=names)
    assert profile(dictionaries, "preference").equals(profile(plain, "preference"))


def test_a_prompt_is_in_its_language_if_hangul_is_where_it_belongs():
    rows = pa.RecordBatch.from_pydict(
        {
            "prompt": ["영어", "English", "한국어 x", "12"] * 2,
            "completion": ["a"] * 8,
            "language": ["ko"] * 4 + ["en"] * 4,
        }
    )
    found = profile(rows, "sft").to_pydict()["prompt_in_language"]
    assert found == [1, 0, 1, 0, 0, 1, 0, 1]


def test_measures_of_a_pair():
    rows = pa.RecordBatch.from_arrays(
        [pa.array(["q", "q"]), pa.array(["four", "same"]), pa.array(["12", "same"])],
        names=["prompt", "chosen", "rejected"],
    )
    found = profile(rows, "preference").to_pydict()
    assert found["length_ratio"] == [2.0, 1.0]
    assert found["identical"] == [0, 1]


def test_an_empty_rejected_text_gives_no_infinite_ratio():
    rows = pa.RecordBatch.from_arrays(
        [pa.array(["q"]), pa.array(["four"]), pa.array([""])],
        names=["prompt", "chosen", "rejected"],
    )
    assert np.isfinite(profile(rows, "preference").column(-2)[0].as_py())
