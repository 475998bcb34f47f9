"""Schemas and statistics: each constraint broken and at its edge, in any order of shards."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_thunder.catalog import find
from beam_thunder.errors import UserError
from beam_thunder.schemas import QUESTIONS
from beam_thunder.transforms.pair import option_attempts, pair
from beam_thunder.transforms.profile import profile
from beam_thunder.transforms.statistics import examples, merge_statistics, partial_statistics
from beam_thunder.transforms.validate import (
    ValidateTables,
    environment,
    find_anomalies,
    find_drift,
    offends,
    parse_schema,
    propose_schema,
)
from beam_thunder.validation import load_schemas

SCHEMAS = {table: parse_schema(text, table) for table, text in load_schemas().items()}
ABOUT = {
    "source": "MMLU",
    "language": "en",
    "domain": "science",
    "kind": "processed",
    "license": "mit",
}
ROWS = 10


def text_measures(name: str, where: str) -> dict:
    hangul = 1.0 if where.endswith("ko") else 0.0
    measures = {
        "characters": 20,
        "lines": 1,
        "digits": 0.1,
        "hangul": hangul,
        "latin": 1 - hangul,
        "han": 0.0,
        "kana": 0.0,
        "other": 0.0,
        "mostly_hangul": int(hangul),
        "replacement": 0,
        "blank": 0,
        "edged": 0,
    }
    return {f"{name}_{measure}": value for measure, value in measures.items()}


def valid(table: str, where: str) -> dict:
    """The measures of a row that is as it should be."""
    kind, language = where.split("-")
    about = {**ABOUT, "kind": kind, "language": language}
    model = None if kind == "processed" else "m"
    prompt = {**text_measures("prompt", where), "prompt_in_language": 1}
    if table == "questions":
        return {**prompt, **about}
    if table == "attempts":
        answer = text_measures("response", where)
        return {**answer, "verdict": "correct", **about, "model": model}
    if table == "published":
        texts = {**text_measures("question", where), **text_measures("response", where)}
        return {**texts, "question_source": "GSM8K", "source_dataset": "openai/gsm8k"}
    if table in ("sft", "kto"):
        answer = text_measures("completion", where)
        contained = {"completion_in_prompt": 0} if table == "sft" else {}
        return {**prompt, **answer, **contained, **about, "model": model}
    return {
        **prompt,
        **text_measures("chosen", where),
        **text_measures("rejected", where),
        "length_ratio": 1.0,
        "identical": 0,
        **about,
        "chosen_model": model,
        "rejected_model": model,
    }


def anomalies(rows: list[dict], table: str, where: str) -> list[str]:
    columns = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        text = any(isinstance(value, str) for value in values) or None in values
        columns[name] = pa.array(values, pa.string()) if text else pa.array(values)
    measures = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
    statistics = merge_statistics([partial_statistics(measures, 0)])
    found = find_anomalies("d", table, statistics, SCHEMAS[table], where)
    return [each.measure for each in found]


ENVIRONMENTS = ["processed-en", "processed-ko", "synthetic-en", "synthetic-ko"]


@pytest.mark.parametrize(("table", "where"), list(itertools.product(SCHEMAS, ENVIRONMENTS)))
def test_rows_as_they_should_be_pass(table, where):
    assert anomalies([valid(table, where)] * ROWS, table, where) == []


def text_cases(name: str) -> list[tuple[str, object, object]]:
    """Measure, a value that is refused, and the last one that is allowed."""
    shares = ("digits", "hangul", "latin", "han", "kana", "other")
    answer = name != "prompt"
    return [
        (f"{name}_characters", 200_001, 200_000),
        (f"{name}_characters", 0, 1),
        (f"{name}_lines", 20_001, 20_000),
        (f"{name}_lines", 0, 1),
        *((f"{name}_{share}", 1.5, 1.0) for share in shares),
        *((f"{name}_{share}", -0.5, 0.0) for share in shares),
        (f"{name}_mostly_hangul", 1, 0),
        (f"{name}_replacement", 1, 0),
        *([(f"{name}_blank", 1, 0)] if answer else []),
        (f"{name}_edged", 2, 1),
    ]


PUBLISHED_CASES = [
    (measure, bad, edge)
    for name in ("question", "response")
    for measure, bad, edge in text_cases(name)
    if not measure.endswith("_mostly_hangul")  # which may be in either language
]
ABOUT_CASES = [
    ("source", "MyData", "KoBEST HellaSwag"),
    ("language", "jp", "ko"),
    ("domain", "poetry", "coding"),
    ("kind", "stolen", "synthetic"),
    ("license", "gpl-3.0", "unknown"),
    ("source", None, "GSM8K"),
]
CASES = [
    *(("questions", *case) for case in text_cases("prompt") + ABOUT_CASES),
    *(("sft", *case) for case in text_cases("prompt") + text_cases("completion")),
    *(("sft", *case) for case in ABOUT_CASES),
    ("sft", "completion_in_prompt", 2, 1),
    ("sft", "model", "gpt", None),
    *(("preference", *case) for case in text_cases("prompt") + text_cases("chosen")),
    *(("preference", *case) for case in text_cases("rejected") + ABOUT_CASES),
    ("preference", "length_ratio", 20_001.0, 20_000.0),
    ("preference", "length_ratio", 0.00004, 0.00005),
    ("preference", "length_ratio", 0.0, 0.00005),
    ("preference", "identical", 1, 0),
    ("preference", "chosen_model", "gpt", None),
    ("preference", "rejected_model", "gpt", None),
    ("attempts", "response_characters", 10_000_001, 0),
    ("attempts", "response_lines", 10_000_001, 0),
    ("attempts", "verdict", "maybe", "ungradable"),
    ("attempts", "verdict", None, "error"),
    *(("attempts", *case) for case in ABOUT_CASES),
    *(("kto", *case) for case in text_cases("prompt") + text_cases("completion")),
    *(("kto", *case) for case in ABOUT_CASES),
    *(("published", *case) for case in PUBLISHED_CASES),
    ("published", "question_source", "MyData", "MMLU"),
    ("published", "question_source", None, "MMLU"),
    ("published", "source_dataset", None, "somewhere"),
]


@pytest.mark.parametrize(("table", "measure", "bad", "edge"), CASES)
def test_one_row_that_breaks_one_constraint_is_refused_for_it(table, measure, bad, edge):
    where = "synthetic-en" if table == "attempts" else "processed-en"
    good = valid(table, where)
    rows = [good] * (ROWS - 1)
    assert anomalies([*rows, {**good, measure: bad}], table, where) == [measure]
    assert anomalies([*rows, {**good, measure: edge}], table, where) == []


@pytest.mark.parametrize("where", ENVIRONMENTS)
@pytest.mark.parametrize("table", ["questions", "sft", "preference", "kto"])
@pytest.mark.parametrize(("own", "expected"), [(4, ["prompt_in_language"]), (5, [])])
def test_half_of_a_datasets_prompts_must_be_in_its_language(table, own, expected, where):
    good = valid(table, where)
    rows = [good] * own + [{**good, "prompt_in_language": 0}] * (ROWS - own)
    assert anomalies(rows, table, where) == expected


@pytest.mark.parametrize("table", ["sft", "preference"])
def test_english_questions_of_models_may_ask_for_korean(table):
    good = valid(table, "synthetic-en")
    hangul = {n: 1 for n in good if n.endswith("_mostly_hangul")}
    rows = [good] * (ROWS - 1) + [{**good, **hangul, "prompt_in_language": 0}]
    assert anomalies(rows, table, "synthetic-en") == []


@pytest.mark.parametrize("measure", ["prompt_blank"])
def test_models_are_never_asked_with_nothing(measure):
    good = valid("sft", "synthetic-en")
    rows = [good] * (ROWS - 1) + [{**good, measure: 1}]
    assert anomalies(rows, "sft", "synthetic-en") == [measure]
    assert (
        anomalies([{**valid("sft", "processed-en"), measure: 1}], "sft", "processed-en") == []
    )


def test_synthetic_rows_name_their_model():
    rows = [{**valid("sft", "synthetic-en"), "model": None}] * ROWS
    assert anomalies(rows, "sft", "synthetic-en") == ["model"]


def test_every_feature_of_the_schemas_is_a_measure_and_the_other_way_round():
    for table, schema in SCHEMAS.items():
        features = {feature.name for feature in schema.feature}
        assert features == set(valid(table, "processed-en"))


def test_an_empty_table_is_an_anomaly():
    # TFDV itself says nothing of it but `data_missing`.
    rows = pa.RecordBatch.from_pylist(
        [], schema=pa.schema([(n, pa.string()) for n in ("prompt", "chosen", "rejected")])
    )
    statistics = merge_statistics([partial_statistics(profile(rows, "preference"), 0)])
    [found] = find_anomalies(
        "d", "preference", statistics, SCHEMAS["preference"], "processed-en"
    )
    assert (found.measure, found.found) == ("rows", "none")


def test_an_anomaly_says_what_was_found_and_what_is_allowed():
    good = valid("preference", "processed-en")
    statistics = statistics_of([{**good, "identical": 1}, good, good])
    [found] = find_anomalies(
        "d", "preference", statistics, SCHEMAS["preference"], "processed-en"
    )
    assert "(1 to 1 in 1 of 3 rows)" in found.found
    assert found.expected == "int_domain { max: 0 }"


def test_a_forbidden_measure_is_told_in_plain_words():
    good = valid("preference", "processed-en")
    statistics = statistics_of([{**good, "prompt_mostly_hangul": 1}, good])
    [found] = find_anomalies(
        "d", "preference", statistics, SCHEMAS["preference"], "processed-en"
    )
    assert found.found == "(1 to 1 in 1 of 2 rows)"
    assert found.expected == "0 in every row of a processed-en dataset"


def statistics_of(rows: list[dict]):
    numbers = {n: [row[n] for row in rows] for n in rows[0] if not n.endswith("_model")}
    measures = pa.RecordBatch.from_arrays(
        [pa.array(v) for v in numbers.values()], names=list(numbers)
    )
    return merge_statistics([partial_statistics(measures, 0)])


# Statistics.


def random_measures(seed: int, rows: int) -> pa.RecordBatch:
    generator = np.random.default_rng(seed)
    return pa.RecordBatch.from_arrays(
        [
            pa.array(generator.integers(0, 5, rows)),
            pa.array(generator.random(rows).astype(np.float32)),
            pa.array(generator.choice(["a", "b"], rows)),
        ],
        names=["n", "share", "kind"],
    )


def test_merging_in_any_order_gives_the_same_bytes():
    def partials():
        return [partial_statistics(random_measures(i, 50 + i), i) for i in range(4)]

    encoded = {
        merge_statistics([parts[i] for i in order]).SerializeToString(deterministic=True)
        for order in itertools.permutations(range(4))
        for parts in [partials()]
    }
    assert len(encoded) == 1


def test_all_rows_are_counted_and_zeros_are_left_out():
    measures = random_measures(1, 200)
    [dataset] = merge_statistics([partial_statistics(measures, 0)]).datasets
    features = {feature.path.step[0]: feature for feature in dataset.features}
    numbers = np.array(measures.column(0))
    common = features["n"].num_stats.common_stats
    assert dataset.num_examples == 200
    assert common.num_non_missing == (numbers != 0).sum()
    assert common.num_missing == (numbers == 0).sum()
    assert features["n"].num_stats.mean == pytest.approx(numbers[numbers != 0].mean())
    assert features["n"].num_stats.max == 4


def test_a_measure_that_is_0_in_one_shard_is_missing_there():
    def shard(number: int, values: list[int]):
        batch = pa.RecordBatch.from_arrays(
            [pa.array(values), pa.array([1] * 3)], names=["a", "b"]
        )
        return partial_statistics(batch, number)

    [dataset] = merge_statistics([shard(0, [0, 0, 0]), shard(1, [7, 0, 7])]).datasets
    [feature] = [each for each in dataset.features if each.path.step[0] == "a"]
    common = feature.num_stats.common_stats
    assert (common.num_non_missing, common.num_missing) == (2, 4)


def test_shards_without_rows_add_nothing():
    full, empty = random_measures(1, 50), random_measures(1, 0)
    alone = merge_statistics([partial_statistics(full, 0)])
    beside = merge_statistics([partial_statistics(full, 0), partial_statistics(empty, 1)])
    assert alone.SerializeToString(deterministic=True) == beside.SerializeToString(
        deterministic=True
    )


def test_examples_are_lists_with_values_first():
    batch = pa.RecordBatch.from_arrays([pa.array([0, 3, 0, 1])], names=["a"])
    assert examples(batch).to_pydict() == {"a": [[1], [3], None, None]}


# From rows to a verdict.

WORD = st.text("abcdefgh ,.'", min_size=1, max_size=30).map(lambda text: "w" + text)
KOREAN = st.text("가나다라마바사 ,.", min_size=1, max_size=30).map(lambda text: "한" + text)


def questions(word):
    return st.lists(
        st.tuples(word, st.lists(word, min_size=2, max_size=5, unique=True)).flatmap(
            lambda pair: st.tuples(
                st.just(pair[0]), st.just(pair[1]), st.integers(0, len(pair[1]) - 1)
            )
        ),
        min_size=1,
        max_size=12,
    )


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(["mmlu", "kmmlu"]).flatmap(
        lambda name: st.tuples(st.just(name), questions(KOREAN if name == "kmmlu" else WORD))
    )
)
def test_a_dataset_of_valid_rows_has_no_anomaly(case):
    name, rows = case
    entry = find(name)
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array([f"{i:032x}" for i in range(len(rows))]),
            pa.array([prompt for prompt, _, _ in rows]),
            pa.array([options for _, options, _ in rows], pa.list_(pa.string())),
            pa.array([key for _, _, key in rows], pa.int32()),
        ],
        schema=QUESTIONS,
    )
    paired = pair(batch, option_attempts(batch), entry)
    where = environment(entry.kind, entry.language)
    for table in ("sft", "preference"):
        statistics = merge_statistics(
            [partial_statistics(profile(getattr(paired, table), table), 0)]
        )
        assert find_anomalies("d", table, statistics, SCHEMAS[table], where) == []


def test_windows_are_validated_each_for_itself():
    import apache_beam as beam
    from apache_beam.testing.util import assert_that, equal_to
    from apache_beam.transforms.window import FixedWindows, TimestampedValue

    def shard(number: int, identical: int):
        return partial_statistics(
            measures([{**valid("preference", "processed-en"), "identical": identical}]), number
        )

    def measures(rows):
        numbers = {n: [row[n] for row in rows] for n in rows[0] if not n.endswith("_model")}
        return pa.RecordBatch.from_arrays(
            [pa.array(v) for v in numbers.values()], names=list(numbers)
        )

    import tempfile

    with tempfile.TemporaryDirectory() as staging, beam.Pipeline("FnApiRunner") as pipeline:
        validated = (
            pipeline
            | beam.Create([(0, 0), (10, 0), (70, 1)])
            | beam.MapTuple(
                lambda time, bad: TimestampedValue(
                    (("d", "preference"), shard(time, bad)), time
                )
            )
            | beam.WindowInto(FixedWindows(60))
            | ValidateTables(load_schemas(), {"d": "processed-en"}, staging)
            | beam.Map(
                lambda table: (table.file.rows, [each.measure for each in table.anomalies])
            )
        )
        assert_that(validated, equal_to([(2, []), (1, ["identical"])]))


# Drift.


def test_what_did_not_move_is_no_drift():
    good = valid("preference", "processed-en")
    statistics = statistics_of([good] * 20)
    assert find_drift("d", "preference", statistics, statistics, SCHEMAS["preference"]) == []


def test_what_moved_is_named_with_its_distance():
    good = valid("preference", "processed-en")
    before = statistics_of([{**good, "prompt_characters": 20 + i} for i in range(50)])
    after = statistics_of([{**good, "prompt_characters": 900 + i} for i in range(50)])
    [moved] = find_drift("d", "preference", after, before, SCHEMAS["preference"])
    assert moved.measure == "prompt_characters"
    assert moved.expected == "at most 0.1"


def test_a_measure_that_was_0_before_moved():
    # TFDV compares values only where both builds have some.
    good = valid("preference", "processed-en")
    before = statistics_of([good] * 20)
    after = statistics_of([{**good, "chosen_han": 0.5}] * 3 + [good] * 17)
    [moved] = find_drift("d", "preference", after, before, SCHEMAS["preference"])
    assert moved.measure == "chosen_han"
    assert moved.found == "in 15.0% of the rows, before in 0.0%"


def test_categories_that_moved_are_named():
    good = valid("preference", "processed-en")
    before = statistics_of([good] * 20)
    after = statistics_of([good] * 10 + [{**good, "source": "KMMLU"}] * 10)
    [moved] = find_drift("d", "preference", after, before, SCHEMAS["preference"])
    assert moved.measure == "source"


# Schemas as files.


def test_a_schema_that_is_none_is_told_with_its_line():
    with pytest.raises(UserError, match=r"my\.pbtxt:2:.*no valid TFDV schema"):
        parse_schema('feature { name: "a" }\nfaeture { }', "my.pbtxt")


def test_a_folder_without_schemas_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"has none of questions\.pbtxt"):
        load_schemas(tmp_path)


def test_a_changed_schema_takes_the_place_of_the_packages_own(tmp_path):
    text = load_schemas()["sft"].replace("max: 200000", "max: 10")
    (tmp_path / "sft.pbtxt").write_text(text)
    loaded = load_schemas(tmp_path)
    assert loaded["sft"] == text
    assert loaded["preference"] == load_schemas()["preference"]


def test_a_proposed_schema_allows_what_it_was_proposed_from():
    statistics = statistics_of([valid("preference", "processed-en")] * 5)
    schema = parse_schema(propose_schema(statistics, "d/preference"), "proposed")
    assert find_anomalies("d", "preference", statistics, schema, "") == []
    longer = statistics_of(
        [{**valid("preference", "processed-en"), "prompt_characters": 21}] * 5
    )
    [found] = find_anomalies("d", "preference", longer, schema, "")
    assert found.measure == "prompt_characters"


@pytest.mark.parametrize(
    ("measure", "values", "expected"),
    [
        ("identical", [0, 1, 0], [False, True, False]),
        ("length_ratio", [1.0, 0.0, 30_000.0], [False, True, True]),
        ("prompt_characters", [5, 0, 200_001], [False, True, True]),
        ("prompt_mostly_hangul", [0, 1, 0], [False, True, False]),
        ("source", ["MMLU", "?", None], [False, True, True]),
        ("chosen_model", [None, "gpt", None], [False, True, False]),
    ],
)
def test_offending_rows_are_those_that_the_schema_does_not_allow(measure, values, expected):
    [feature] = [each for each in SCHEMAS["preference"].feature if each.name == measure]
    assert offends(pa.array(values), feature, "processed-en").to_pylist() == expected
