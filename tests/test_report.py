"""The report: the figures of the manifest, text that stays text, the same bytes each time."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from html import unescape
from html.parser import HTMLParser

import browser
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_thunder.errors import UserError
from beam_thunder.report import Piece, differences, write_report
from beam_thunder.report.measures import Measure, read_statistics, spread
from beam_thunder.report.samples import SAMPLES
from beam_thunder.report.text import plain, shorten, visible
from beam_thunder.schemas import TABLES

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "{{7*7}} {% for x in y %}",
    "</div></dd></details><!-- ]]>",
    "&lt;b&gt; &#0; <svg onload=alert(3)>",
    "javascript:alert(4)",
    "'\"`=<style>*{display:none}</style>",
]
ABOUT = {
    "source": "Tiny",
    "kind": "processed",
    "language": "ko",
    "domain": "science",
    "license": "cc-by-nc-4.0",
}
SFT = [("하늘은 무슨 색인가?", "파란색"), ("2 + 2 = ", "4"), ("What is it?\n", "A: tea")]
PAIRS = [
    ("누가 먹었나?", "고양이가 먹었다", "고양이는 먹었다"),
    ("Pick one.", "A: the red car", "B: the blue car"),
]


class Build:
    """A published folder made by hand, without a pipeline."""

    def __init__(self, folder):
        self.folder = folder
        self.manifest = {
            "beam_thunder": "1.2.3",
            "versions": {"python": "3.11.0"},
            "recipe": {"max_reject_rate": 0.5},
            "datasets": {},
            "files": [],
            "validation": {
                "on_anomaly": "warn",
                "baseline": None,
                "anomalies": [],
                "drift": [],
            },
        }

    def add(self, name, sft=None, preference=None, ledger=None, measured=True, **about):
        """Adds a dataset of (prompt, completion) and (prompt, chosen, rejected)."""
        tables = {"sft": sft, "preference": preference}
        tables = {table: rows for table, rows in tables.items() if rows is not None}
        written = {table: len(rows) for table, rows in tables.items()}
        about = {**ABOUT, "published": {"sft": 3, "preference": 9}, **about}
        self.manifest["datasets"][name] = {
            **about,
            "ledger": {"read": 5, "questions": 3, "written": written, **(ledger or {})},
        }
        for table, rows in tables.items():
            batch = self._rows(table, rows, about)
            self._write(f"{name}/{table}/train-00000-of-00001.parquet", batch)
            if measured:
                self._measure(name, table, batch)
        return self

    def _rows(self, table, rows, about):
        texts = ("prompt", "completion") if table == "sft" else ("prompt", "chosen", "rejected")
        same = {key: about[key] for key in ABOUT}
        rows = [
            {"id": f"{number:04}-0", "question_id": f"{number:04}", **same}
            | dict(zip(texts, row, strict=True))
            for number, row in enumerate(rows)
        ]
        return pa.RecordBatch.from_pylist(rows, schema=TABLES[table])

    def _write(self, path, batch):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_batches([batch]), self.folder / path)
        self.manifest["files"].append({"path": path, "rows": batch.num_rows})

    def _measure(self, name, table, batch):
        from beam_thunder.transforms.profile import profile
        from beam_thunder.transforms.statistics import merge_statistics, partial_statistics

        statistics = merge_statistics([partial_statistics(profile(batch, table), 0)])
        path = self.folder / "validation" / name / f"{table}.statistics.pb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(statistics.SerializeToString(deterministic=True))

    def found(self, key="anomalies", **changes):
        """Adds an anomaly, or a drift."""
        finding = {"dataset": "tiny", "table": "sft", "measure": "completion_blank"}
        finding |= {"found": "2 of 3 rows", "expected": "at most 0", **changes}
        self.manifest["validation"][key].append(finding)
        return self

    def report(self):
        """The page, as it is written."""
        (self.folder / "manifest.json").write_text(json.dumps(self.manifest), encoding="utf-8")
        return write_report(self.folder).read_text(encoding="utf-8")


@pytest.fixture
def build(tmp_path):
    return Build(tmp_path)


class Tree(HTMLParser):
    """A page's elements: their attributes, their text, and whether they are closed in order."""

    VOID = frozenset({"meta", "link", "br", "img"})

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.ids, self.links = [], Counter(), Counter(), []
        self.attributes, self.rows = set(), []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        attrs = dict(attrs)
        self.ids[attrs.get("id")] += 1
        self.links += [attrs["href"]] if "href" in attrs else []
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.rows and self.rows[-1] and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data.strip()


def text_of(page):
    return " ".join(unescape(re.sub(r"<[^>]*>", "", page[page.index("<body") :])).split())


# The page


def test_same_folder_gives_the_same_bytes_whatever_the_users_settings(build, tmp_path):
    page = build.add("tiny", SFT, PAIRS).report()
    shutil.copytree(tmp_path, tmp_path / "copy")
    settings = tmp_path / "matplotlibrc"
    settings.write_text("svg.fonttype: path\nfont.size: 20\naxes.grid: True\n")
    code = "import sys, pathlib; from beam_thunder.report import *; "
    code += "write_report(pathlib.Path(sys.argv[1]))"
    env = {**os.environ, "PYTHONHASHSEED": "7", "MATPLOTLIBRC": str(settings)}
    subprocess.run([sys.executable, "-c", code, tmp_path / "copy"], env=env, check=True)
    assert (tmp_path / "copy/report.html").read_bytes() == page.encode()


def test_overview_has_what_was_built_beside_what_was_published(build):
    build.add(
        "tiny", SFT, PAIRS, {"rejected": {"no_answer": 2}, "dropped": {"identical_pair": 4}}
    )
    row = next(row for row in Tree(build.report()).rows if row[0] == "tiny")
    # SFT is as published, the pairs are not; 2 rows and 4 pairs are in no table.
    expected = "Tiny processed ko 5 3 3 =as published 2 9 ≠not as published 6 0"
    assert " ".join(row[1:]) == expected


def test_table_that_was_not_built_is_no_row_less(build):
    build.add("tiny", SFT, published={"sft": 3, "preference": None})
    row = next(row for row in Tree(build.report()).rows if row[0] == "tiny")
    assert row[8:11] == ["–", "–", ""]


def test_elements_are_closed_ids_are_unique_and_links_lead_somewhere(build):
    build.add("tiny", SFT, PAIRS).add("other.one", SFT, PAIRS).found().found("drift")
    page = Tree(build.report())
    del page.ids[None]
    assert set(page.ids.values()) == {1}
    assert page.links and all(link[1:] in page.ids for link in page.links)


def test_page_brings_everything_and_forbids_the_rest(build):
    page = build.add("tiny", SFT, PAIRS).report()
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    tree = Tree(page)
    assert not {"script", "link", "img", "iframe", "form"} & set(tree.tags)
    assert not {"src", "onload", "onerror", "xlink:href"} & tree.attributes
    assert all(link.startswith("#") for link in tree.links)


def test_pictures_have_the_pages_colours_and_ascii_labels(build):
    page = build.add("tiny", SFT, PAIRS).report()
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 4
    assert all(picture.isascii() for picture in pictures)
    assert not re.findall(r"#[0-9a-f]{6}\b", "".join(pictures))
    assert "Lengths in characters: prompt 5 to 9" not in page  # of SFT: 8 to 12
    assert "Lengths in characters: prompt 8 to 12, median" in page


def test_samples_are_of_different_questions(build):
    rows = [(f"question {number}", "answer") for number in range(50)]
    page = build.add("tiny", rows).report()
    assert page.count("<dt>completion</dt>") == SAMPLES
    assert f"{SAMPLES} sample rows" in page


def test_texts_keep_their_language_and_white_space(build):
    page = build.add("tiny", [("  첫 줄\n\n둘째 줄\t끝 ", "\n답")]).report()
    assert 'lang="ko" dir="auto">  첫 줄\n\n둘째 줄\t끝 </dd>' in page
    assert 'dir="auto">\n답</dd>' in page


def test_licence_is_said_with_what_it_asks(build):
    text = text_of(build.add("tiny", SFT).add("new", SFT, license="odd-1.0").report())
    assert (
        "Licence cc-by-nc-4.0: free to use and share if its authors are named; not for" in text
    )
    assert "Licence odd-1.0: see the licence's text." in text


def test_report_needs_no_tensorflow():
    code = "import sys, beam_thunder.report; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# What the validation found


def test_without_validation_the_report_says_so(build):
    build.add("tiny", SFT, PAIRS, measured=False)
    del build.manifest["validation"]
    page = build.report()
    assert "Not validated." in page
    assert "No anomalies" not in page
    assert "<svg" not in page
    row = next(row for row in Tree(page).rows if row[0] == "tiny")
    assert row[-1] == "–"


def test_anomalies_stand_first_with_their_rows(build):
    rows = [{"id": "0001-0", "text": "<b>  </b>"}, {"id": "0002-0", "text": "y" * 900}]
    build.add("tiny", SFT).found(rows=rows)
    page = build.report()
    assert "1 anomaly." in text_of(page)
    assert page.index("2 of 3 rows") < page.index('id="dataset-tiny"')
    rows = Tree(page).rows
    assert ["tiny", "sft", "completion_blank", "2 of 3 rows", "at most 0"] in rows
    assert ["0001-0", "<b>  </b>"] in rows
    assert "600 characters left out" in page
    assert 'href="#anomalies-tiny">1</a>' in page


def test_anomalies_that_stop_a_build_say_that_it_is_not_published(build):
    build.add("tiny", SFT).found()
    assert "Refused." not in build.report()
    build.manifest["validation"]["on_anomaly"] = "stop"
    assert "Refused." in build.report()


def test_drift_is_told_from_the_baseline(build):
    build.add("tiny", SFT).found("drift", found="jensen shannon divergence 0.3")
    build.manifest["validation"]["baseline"] = "last-week"
    text = text_of(build.report())
    assert "Drift in 1 measure. Compared with the earlier build last-week." in text
    assert "jensen shannon divergence 0.3" in text


def test_no_drift_is_said_only_where_there_was_a_baseline(build):
    assert "drift" not in build.add("tiny", SFT).report().lower()
    build.manifest["validation"]["baseline"] = "last-week"
    assert "No drift." in build.report()


def test_refused_folder_without_tables_has_counts_reasons_and_rejects(build, tmp_path):
    build.add("tiny", SFT, ledger={"questions": 1, "rejected": {"no_answer": 4}})
    shutil.rmtree(tmp_path / "tiny")
    reject = {
        "file": "a.jsonl",
        "position": 7,
        "reason": "no_answer",
        "detail": "<i>",
        "row": "{}",
    }
    (tmp_path / "rejects").mkdir()
    (tmp_path / "rejects/tiny.jsonl").write_text(json.dumps(reject) + "\n", encoding="utf-8")
    page = build.report()
    text = text_of(page)
    assert "Refused." in text
    assert "tiny: 4 of 5 raw rows were rejected, 80.0%; the recipe allows 50.0%." in text
    assert "−4 no answer" in text
    assert "The rows are not kept in this folder." in text
    assert ["a.jsonl", "7", "no_answer", "<i>", "{}"] in Tree(page).rows


def test_empty_tables_and_empty_texts_are_shown(build):
    build.add("none", [], []).add("blank", [("", ""), ("", "")])
    text = text_of(build.report())
    assert "none: the table sft has no rows" in text
    assert "2 sample rows" in text


def test_folder_that_is_no_build(tmp_path):
    with pytest.raises(UserError, match=r"manifest\.json"):
        write_report(tmp_path)


@pytest.mark.parametrize(
    "path", ["tiny/sft/train-00000-of-00001.parquet", "validation/tiny/sft.statistics.pb"]
)
def test_damaged_file_is_named(build, tmp_path, path):
    build.add("tiny", SFT)
    (tmp_path / path).write_bytes(b"\xff\xff not this")
    with pytest.raises(UserError, match=re.escape(path)):
        build.report()


# Hostile text


def test_hostile_text_stays_text_wherever_it_comes_from(build):
    for number, text in enumerate(HOSTILE):
        about = dict.fromkeys(ABOUT, text)
        build.add(text, [(text, text)], [(text, text + " x", text + " y")],
                  {"rejected": {text: 1}}, measured=not number, **about)  # fmt: skip
        build.found(dataset=text, found=text, rows=[{"id": text, "text": text}])
    page = build.report()
    tree = Tree(page)
    assert not {"script", "img"} & set(tree.tags)
    assert tree.tags["style"] == 1
    assert not {"onerror", "onload"} & tree.attributes
    assert "49" not in text_of(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_invisible_characters_are_written_out(build):
    text = "a\x00b\u202ec\u2066d\x1b[0m\r\n\u200b\ufeffe\x85"
    about = {"source": text, "license": text, "language": text}
    build.add("tiny", [(text, "x")], **about).found(found=text, measure=text)
    page = build.report()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]", page)
    assert '<span class="code">\\u202e</span>' in page


def test_lone_surrogate_in_a_manifest_is_written_out(build):
    assert "\\ud800" in build.add("tiny", SFT).found(found="\ud800").report()


@given(st.text())
def test_visible_text_is_escaped_and_the_rest_as_it_was(text):
    assert Tree(f"<p>{visible(text)}</p>").tags.keys() <= {"p", "span"}
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize("text", ["한국어", "👩‍👩‍👧 ❤️", "नमस्ते", "\ttab\nline", "café \ufffd"])
def test_what_can_be_seen_is_left_alone(text):
    assert plain(text) == text == str(visible(text))


def test_shortened_text_keeps_its_start_and_end():
    text = "start" + "x" * 5000 + "end"
    assert shorten(text, 100).startswith("start")
    assert shorten(text, 100).endswith("end")
    assert "4,908 characters left out" in shorten(text, 100)
    assert shorten("short", 100) == "short"


# Differences


def marked(left, right):
    """Both texts, with brackets around what differs."""
    return [
        "".join(f"[{piece.text}]" if piece.differs else piece.text for piece in pieces)
        for pieces in differences(left, right)
    ]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("the red car", "the blue car", ["the [red] car", "the [blue] car"]),
        ("in spring", "in spring, maybe", ["in spring", "in spring[, maybe]"]),
        # Words, not letters: "cat" and "cart" are no typing errors of one another.
        ("a cat sat", "a cart sat", ["a [cat] sat", "a [cart] sat"]),
        # A number is a word: 25 ends with 5, and is not 5.
        ("about 5 km", "about 25 km", ["about [5] km", "about [25] km"]),
        # What stands between two marks and is no word is marked with them.
        ("A: one", "B: two", ["[A: one]", "[B: two]"]),
        ("same", "same", ["same", "same"]),
    ],
)
def test_english_differs_by_words(left, right, expected):
    assert marked(left, right) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        # The particle differs, and the noun does not.
        ("고양이가 잔다", "고양이는 잔다", ["고양이[가] 잔다", "고양이[는] 잔다"]),
        ("서울은 크다", "부산은 크다", ["[서울]은 크다", "[부산]은 크다"]),
        ("물을 마신다", "물을 안 마신다", ["물을 마신다", "물을 [안 ]마신다"]),
        ("정답은 12이다", "정답은 15이다", ["정답은 1[2]이다", "정답은 1[5]이다"]),
    ],
)
def test_korean_differs_within_words(left, right, expected):
    assert marked(left, right) == expected


def test_long_texts_without_anything_in_common_are_not_marked():
    left = " ".join(f"left{number}" for number in range(60))
    right = " ".join(f"right{number}" for number in range(60))
    assert differences(left, right) is None
    assert differences(left, left + " end") is not None


def test_rows_tell_where_chosen_and_rejected_differ(build):
    page = build.add("tiny", None, PAIRS).report()
    assert '고양이<mark class="chosen">가</mark> 먹었다' in page
    assert 'the <mark class="rejected">blue</mark> car' in page


@given(st.text(max_size=60), st.text(max_size=60))
def test_pieces_joined_are_the_texts(left, right):
    found = differences(left, right)
    assert found is not None  # they are short
    assert tuple("".join(piece.text for piece in pieces) for pieces in found) == (left, right)
    assert all(piece.text for pieces in found for piece in pieces)


def test_piece_is_a_value():
    assert differences("", "x") == ((), (Piece("x", True),))


# Figures


def test_mean_median_and_least_count_the_zeros_that_statistics_leave_out(build, tmp_path):
    rows = [("abcd", "x"), ("ab12", "x"), ("1234", "x")]  # digits 0, 0.5 and 1
    build.add("tiny", rows).report()
    statistics = read_statistics(tmp_path / "validation/tiny/sft.statistics.pb")
    digits = statistics.measures["prompt_digits"]
    assert (digits.rows, digits.filled) == (3, 2)
    assert digits.mean == pytest.approx(0.5)
    assert (digits.low, digits.high) == (0, 1)
    assert "completion_hangul" not in statistics.measures
    assert statistics.share("completion_hangul") == 0
    assert statistics.columns == ("prompt", "completion")


def test_median_is_0_where_most_rows_are(build, tmp_path):
    build.add("tiny", [("abc", "x")] * 9 + [("123", "x")]).report()
    statistics = read_statistics(tmp_path / "validation/tiny/sft.statistics.pb")
    assert statistics.measures["prompt_digits"].median == 0
    assert statistics.measures["prompt_characters"].median == 3


def test_spread_follows_the_lengths(build, tmp_path):
    lengths = np.random.default_rng(0).lognormal(4, 0.7, 3000).astype(int) + 1
    build.add("tiny", [("p", "x" * length) for length in lengths]).report()
    statistics = read_statistics(tmp_path / "validation/tiny/sft.statistics.pb")
    edges = np.geomspace(0.5, lengths.max() + 0.5, 13)
    found = spread(statistics.measures["completion_characters"], edges)
    expected = np.histogram(lengths, edges)[0] / len(lengths)
    assert sum(found) == pytest.approx(1, abs=0.01)
    assert np.abs(np.array(found) - expected).max() < 0.08


def test_rows_of_one_length_are_one_bar():
    measure = Measure("prompt_characters", 10, 10, 5, 5, 5, 5, ((5.0, 0.0), (5.0, 1.0)))
    assert spread(measure, np.array([3.5, 4.5, 5.5, 6.5])) == [0, 1, 0]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("prompt_hangul", 0.1234, "12.3%"),
        ("prompt_characters", 1234.0, "1,234"),
        ("prompt_characters", 1234.56, "1,234.6"),
        ("length_ratio", 1.049, "1.05"),
    ],
)
def test_values_are_written_in_their_units(name, value, text):
    assert Measure(name, 1, 1, 0, 0, 0, 0).write(value) == text


# In a browser


@pytest.mark.browser
@browser.NEEDED
def test_browser_shows_the_manifests_figures(build):
    build.add("tiny", SFT, PAIRS).add("more", SFT * 400, PAIRS * 30).found().report()
    with browser.opened(build.folder / "report.html") as page:
        for name, dataset in build.manifest["datasets"].items():
            cells = page.texts(f'tr[data-dataset="{name}"] td.number')
            written, published = dataset["ledger"]["written"], dataset["published"]
            assert [int(cell.replace(",", "")) for cell in cells] == [
                dataset["ledger"]["read"],
                *(
                    count
                    for table in ("sft", "preference")
                    for count in (written[table], published[table])
                ),
                0,
                int(name == "tiny"),
            ]
        assert page.texts("#total-rows") == ["1,265"]
        assert page.run("document.querySelectorAll('svg').length") == 8
        ready = page.run("performance.getEntriesByType('navigation')[0].loadEventEnd")
        print(f"opened in {ready:.0f} ms")


@pytest.mark.browser
@browser.NEEDED
def test_browser_asks_for_nothing_and_has_nothing_to_say(build):
    for text in HOSTILE:
        build.add(text, [(text, text)], [(text, text + " x", text + " y")], measured=False)
    build.add("tiny", SFT, PAIRS).found(found=HOSTILE[1]).report()
    with browser.opened(build.folder / "report.html") as page:
        page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
        shown = page.texts("dd.text")
        assert all(text in shown for text in HOSTILE)
        assert page.run("document.querySelectorAll('script, img, iframe').length") == 0
        assert page.requests == [(build.folder / "report.html").as_uri()]
        assert page.messages == []


@pytest.mark.browser
@browser.NEEDED
@pytest.mark.parametrize("width", [1400, 380])
def test_browser_shows_the_page_without_scrolling_sideways(build, width):
    build.add("tiny", [("x" * 500, "가" * 500)], PAIRS).found(found="y" * 400).report()
    with browser.opened(build.folder / "report.html") as page:
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        page.call("Emulation.setDeviceMetricsOverride", **size)
        page.run("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert page.run("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
@browser.NEEDED
def test_browser_has_a_dark_page_where_that_is_preferred(build):
    build.add("tiny", SFT).report()
    background = "getComputedStyle(document.body).backgroundColor"
    with browser.opened(build.folder / "report.html") as page:
        light = page.run(background)
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        page.call("Emulation.setEmulatedMedia", features=dark)
        assert page.run(background) != light


@pytest.mark.browser
@browser.NEEDED
def test_rows_open_by_keyboard(build):
    build.add("tiny", SFT).report()
    with browser.opened(build.folder / "report.html") as page:
        page.run("document.querySelector('summary').focus()")
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        page.call("Input.dispatchKeyEvent", type="keyDown", **key)
        page.call("Input.dispatchKeyEvent", type="keyUp", **key)
        assert page.run("document.querySelector('details').open")
