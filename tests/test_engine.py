from __future__ import annotations

import os
import threading
import time

import pytest

from beam_thunder.errors import UserError
from beam_thunder.generation.attempts import Asked, Request, prompt_digest, request_key
from beam_thunder.generation.engine import KEY_VARIABLE, Engine, Window
from beam_thunder.generation.store import done, folder_of
from tests.openai_server import answer, serving
from tests.stored import stored

ASKED = Asked("tiny", temperature=0.5, max_tokens=64, seed=3)


def request(number: int, sample: int = 0) -> Request:
    prompt, question_id = f"What is {number}?", f"{number:032x}"
    digest = prompt_digest(None, prompt)
    key = request_key(question_id, digest, ASKED, sample)
    return Request("gsm8k-synthetic", key, question_id, sample, None, prompt, digest)


@pytest.fixture
def ask(tmp_path):
    """Asks a server for answers, and gives what was answered and stored, by prompt."""

    def ask(server, requests, **window):
        window = Window(**{"concurrency": 8, "timeout": 5.0, "retries": 1, **window})
        engine = Engine(ASKED, [server.url], str(tmp_path), "tiny", window)
        try:
            answered = [*engine.ask(requests), *engine.drain()]
        finally:
            engine.close()
        rows = stored(folder_of(str(tmp_path), "gsm8k-synthetic", "tiny"))
        assert {each.request.key: each.row(ASKED) for each in answered} == rows
        return {each.request.prompt: rows[each.request.key] for each in answered}

    return ask


def only(what: str, prompt: str = "What is 1?"):
    """A plan that does `what` to one prompt, every time, and answers all others."""
    return lambda asked, times: what if asked["messages"][-1]["content"] == prompt else "answer"


def test_every_request_is_answered_and_stored(ask):
    with serving() as server:
        rows = ask(server, [request(n, n % 2) for n in range(100)])
    assert len(rows) == 100
    for n in range(100):
        asked = {"messages": request(n).messages, "seed": 3 + n % 2, "temperature": 0.5}
        row = rows[f"What is {n}?"]
        assert (row["response"], row["finish_reason"]) == (answer(asked), "stop")
        assert (row["prompt_tokens"], row["completion_tokens"], row["error"]) == (7, 5, None)
        assert (row["sample"], row["max_tokens"], row["model"]) == (n % 2, 64, "tiny")
    assert set(server.asked.values()) == {1}


@pytest.mark.parametrize(
    ("what", "error", "times"),
    [
        ("400", "bad_request", 1),
        ("context", "context_length", 1),
        ("empty", "empty", 1),
        ("429", "rate_limited", 3),
        ("500", "server_error", 3),
        ("drop", "connection", 3),
        ("lie", "bad_response", 1),
        ("choiceless", "bad_response", 1),
    ],
)
def test_a_bad_request_fails_alone(ask, what, error, times):
    with serving(plan=only(what)) as server:
        rows = ask(server, [request(n) for n in range(30)], retries=2)
    assert {row["error"] for prompt, row in rows.items() if prompt != "What is 1?"} == {None}
    row = rows["What is 1?"]
    assert row["error"] == error
    assert not row["response"].strip()
    assert server.asked["What is 1?", 3] == times


def test_a_request_that_takes_too_long_is_given_up(ask):
    with serving(plan=only("stall")) as server:
        rows = ask(server, [request(n) for n in range(5)], timeout=0.5, retries=0)
        assert rows["What is 1?"]["error"] == "timeout"
        assert [row["error"] for row in rows.values()].count(None) == 4


@pytest.mark.parametrize("what", ["429", "500", "drop"])
def test_what_fails_for_a_moment_is_asked_again(ask, what):
    with serving(plan=lambda asked, times: what if times == 1 else "answer") as server:
        rows = ask(server, [request(n) for n in range(10)], retries=3)
    assert {row["error"] for row in rows.values()} == {None}
    assert set(server.asked.values()) == {2}


def test_an_answer_that_was_cut_off_says_so(ask):
    with serving(plan=only("truncated")) as server:
        rows = ask(server, [request(n) for n in range(3)])
    assert [rows[f"What is {n}?"]["finish_reason"] for n in range(3)] == [
        "stop",
        "length",
        "stop",
    ]


def test_the_window_is_full_and_never_waits_for_the_slowest(tmp_path):
    slow = threading.Event()

    def plan(asked, times):
        slow.wait(60 if asked["messages"][-1]["content"] == "What is 0?" else 0.05)
        return "answer"

    with serving(plan=plan) as server:
        engine = Engine(ASKED, [server.url], str(tmp_path), "tiny", Window(concurrency=10))
        for start in range(0, 200, 20):  # batches; the first has the slow one
            engine.ask([request(n) for n in range(start, start + 20)])
        assert ("What is 0?", 3) not in server.answered
        assert sum(server.answered.values()) >= 170
        slow.set()
        engine.drain()
        engine.close()
    assert server.most_open == 10


def test_answers_are_durable_while_others_are_awaited(tmp_path):
    with serving(plan=only("stall")) as server:
        window = Window(concurrency=4, flush_seconds=0.2, timeout=60)
        engine = Engine(ASKED, [server.url], str(tmp_path), "tiny", window)
        engine.ask([request(n) for n in range(4)])
        folder = folder_of(str(tmp_path), "gsm8k-synthetic", "tiny")
        deadline = time.monotonic() + 10
        while len(done(folder)) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(done(folder)) == 3
        engine.close()
        assert len(done(folder)) == 3


def test_several_servers_share_the_requests_evenly(tmp_path):
    with serving(latency=0.01) as one, serving(latency=0.01) as two:
        window = Window(concurrency=8)
        engine = Engine(ASKED, [one.url, two.url], str(tmp_path), "tiny", window)
        engine.ask([request(n) for n in range(200)])
        engine.drain()
        engine.close()
    shares = sum(one.asked.values()), sum(two.asked.values())
    assert sum(shares) == 200
    assert min(shares) > 60


def test_nobody_answering_ends_the_run(tmp_path):
    with serving() as server:
        url = server.url
    window = Window(concurrency=4, retries=0)
    engine = Engine(ASKED, [url], str(tmp_path), "tiny", window)
    with pytest.raises(UserError, match=r"has not answered \d+ requests in a row"):
        engine.ask([request(n) for n in range(100)])
        engine.drain()
    engine.close()


@pytest.mark.parametrize(
    ("what", "message"), [("401", KEY_VARIABLE), ("404", "does not serve 'tiny' any more")]
)
def test_what_no_request_can_cure_ends_the_run(tmp_path, what, message):
    with serving(plan=lambda asked, times: what) as server:
        engine = Engine(ASKED, [server.url], str(tmp_path), "tiny", Window(concurrency=4))
        with pytest.raises(UserError, match=message):
            engine.ask([request(n) for n in range(100)])
            engine.drain()
        engine.close()


def test_it_works_until_the_last_of_its_users_has_closed_it(tmp_path):
    """A runner ends an idle step after a minute, while another thread's is at work."""
    with serving() as server:
        engine = Engine(ASKED, [server.url], str(tmp_path), "tiny", Window(concurrency=4))
        engine.open()
        engine.open()
        engine.ask([request(1)])
        engine.close()
        engine.ask([request(2)])
        assert len(engine.drain()) == 2
        engine.close()
        assert not engine._thread.is_alive()


def test_it_can_be_opened_again(tmp_path):
    with serving() as server:
        engine = Engine(ASKED, [server.url], str(tmp_path), "tiny", Window(concurrency=4))
        for number in range(2):
            engine.open()
            assert [each.request.key for each in engine.answer([request(number)])] == [
                request(number).key
            ]
            engine.close()


def test_the_key_comes_from_the_environment(ask, monkeypatch):
    monkeypatch.setitem(os.environ, KEY_VARIABLE, "secret-key")
    with serving() as server:
        ask(server, [request(1)])
    assert server.keys == {"Bearer secret-key"}


def test_the_folder_that_cannot_be_written_ends_the_run(tmp_path):
    out = tmp_path / "file"
    out.write_text("no folder")
    with serving() as server:
        engine = Engine(ASKED, [server.url], str(out), "tiny", Window(concurrency=4))
        with pytest.raises(NotADirectoryError):
            engine.ask([request(n) for n in range(10)])
            engine.drain()
        with pytest.raises(NotADirectoryError):
            engine.close()
