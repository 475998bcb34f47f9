"""What is asked of a model, and what is kept of its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

import pyarrow as pa

STORED = pa.schema(
    [
        ("key", pa.string()),  # of the request, see `request_key`
        ("question_id", pa.string()),
        ("model", pa.string()),  # its repository on the Hub, or the name of recorded answers
        ("revision", pa.string()),
        ("sample", pa.int32()),  # from 0
        ("params", pa.string()),  # sampling parameters, as JSON
        ("prompt_digest", pa.string()),  # of the turns it was asked with, see `prompt_digest`
        ("response", pa.string()),
        ("finish_reason", pa.string()),  # `stop`, `length`; null where there is no response
        ("error", pa.string()),  # why there is no response; null where there is one
        ("detail", pa.string()),  # what the server said of it
        ("prompt_tokens", pa.int32()),  # null where the server did not say
        ("completion_tokens", pa.int32()),
        ("max_tokens", pa.int32()),
    ]
)
"""Attempts as models make them, before filters and grading."""

TRANSIENT = ("timeout", "rate_limited", "server_error", "connection", "bad_response")
"""Errors of the moment: the next run asks again. Others are the request's own."""

_DIGEST_BYTES = 16


@dataclass(frozen=True)
class Request:
    """One answer that is asked of a model.

    Attributes:
      dataset: whose question it is.
      key: what the answer is stored under.
      question_id: of the question.
      sample: which answer to this question, from 0.
      system: the system turn, or None.
      prompt: the user turn.
      digest: of both turns.
    """

    dataset: str
    key: str
    question_id: str
    sample: int
    system: str | None
    prompt: str
    digest: str

    @property
    def messages(self) -> list[dict[str, str]]:
        """The turns, as the OpenAI protocol has them."""
        system = [] if self.system is None else [{"role": "system", "content": self.system}]
        return [*system, {"role": "user", "content": self.prompt}]


@dataclass(frozen=True)
class Asked:
    """What is the same for every request to a model.

    Attributes:
      model: what the server knows it as, its repository on the Hub.
      revision: of the repository.
      temperature: see `recipe.Sampling`, like the others.
      top_p: see there.
      max_tokens: see there.
      seed: see there.
    """

    model: str
    revision: str = ""
    temperature: float = 0.7
    top_p: float = 0.95
    max_tokens: int = 2048
    seed: int = 0

    @cached_property
    def params(self) -> str:
        """The sampling parameters that an answer depends on, as JSON."""
        chosen = {name: getattr(self, name) for name in ("temperature", "top_p", "seed")}
        return json.dumps(chosen, sort_keys=True)


@dataclass(frozen=True)
class Answered:
    """What a request came to: a response, or an error.

    Attributes:
      request: what was asked.
      response: the text; empty where there is an error.
      finish_reason: why it ends: `stop`, or `length` at the token limit.
      error: why there is no response.
      detail: what the server said of the error.
      prompt_tokens: as the server counted them.
      completion_tokens: as the server counted them.
    """

    request: Request
    response: str = ""
    finish_reason: str | None = None
    error: str | None = None
    detail: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def row(self, asked: Asked) -> dict[str, Any]:
        """As a row of `STORED`."""
        return {
            "key": self.request.key,
            "question_id": self.request.question_id,
            "model": asked.model,
            "revision": asked.revision,
            "sample": self.request.sample,
            "params": asked.params,
            "prompt_digest": self.request.digest,
            "response": self.response,
            "finish_reason": self.finish_reason,
            "error": self.error,
            "detail": self.detail,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "max_tokens": asked.max_tokens,
        }


def prompt_digest(system: str | None, prompt: str) -> str:
    """A digest of what a model is told, 32 hex digits."""
    return _digest([system, prompt])


def request_key(question_id: str, digest: str, asked: Asked, sample: int) -> str:
    """What an answer is stored under, 32 hex digits.

    It depends on the question, on what the model is told, on the model and its revision,
    on the sampling parameters and on the sample's number. It does not depend on
    `max_tokens`: an answer that ended by itself would not be another one.
    """
    return _digest([question_id, digest, asked.model, asked.revision, asked.params, sample])


def _digest(parts: list[Any]) -> str:
    # JSON keeps apart what joined texts would not.
    text = json.dumps(parts, ensure_ascii=False)
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def best(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Which of two rows of `STORED` with the same key counts; the same in any order.

    A response counts before an error, one that ended by itself before one that was cut
    off, and among those that were cut off the longer limit.
    """

    def rank(row: Mapping[str, Any]) -> tuple[Any, ...]:
        stopped = row["finish_reason"] != "length"
        return (row["error"] is None, stopped, row["max_tokens"] or 0, json.dumps(dict(row)))

    return max(one, other, key=rank)
