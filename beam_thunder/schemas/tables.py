"""Arrow schemas of the tables that flow and that are written.

What is the same for every row of a dataset (source, language, domain, kind,
license) joins the rows where they are paired, behind the shuffle, so it costs
nothing to move.
"""

from __future__ import annotations

import pyarrow as pa

QUESTIONS = pa.schema(
    [
        ("id", pa.string()),  # 32 hex digits, of the source and the row's content
        ("prompt", pa.string()),
        ("options", pa.list_(pa.string())),  # each as a completion of the prompt
        ("answer_key", pa.int32()),  # the correct option, from 0
    ]
)

OPEN_QUESTIONS = pa.schema(
    [
        ("id", pa.string()),  # 32 hex digits, of the source and the row's content
        ("question", pa.string()),  # as the source asks it, before any template
        ("system", pa.string()),  # the system turn; null if there is none
        ("prompt", pa.string()),  # the user turn that a model is given
        ("answer", pa.string()),  # the final answer; null where the source has none apart
        ("reference", pa.string()),  # the source's own answer in full, or its program
        ("before", pa.string()),  # of a programming task: code that goes before the answer
        ("after", pa.string()),  # of a programming task: code that fails if it is wrong
    ]
)
"""Questions that models answer, with what grading needs later."""

_DATASET = [
    ("source", pa.string()),
    ("language", pa.string()),
    ("domain", pa.string()),
    ("kind", pa.string()),
    ("license", pa.string()),
]

SFT = pa.schema(
    [
        ("id", pa.string()),
        ("question_id", pa.string()),
        *_DATASET,
        ("model", pa.string()),  # null: the dataset's own answer
        ("prompt", pa.string()),
        ("completion", pa.string()),
    ]
)

PREFERENCE = pa.schema(
    [
        ("id", pa.string()),
        ("question_id", pa.string()),
        *_DATASET,
        ("prompt", pa.string()),
        ("chosen", pa.string()),
        ("rejected", pa.string()),
        ("chosen_model", pa.string()),
        ("rejected_model", pa.string()),
    ]
)

ATTEMPTS = pa.schema(
    [
        ("id", pa.string()),  # what the answer is stored under
        ("question_id", pa.string()),
        *_DATASET,
        ("model", pa.string()),
        ("revision", pa.string()),
        ("sample", pa.int32()),
        ("params", pa.string()),
        ("prompt", pa.string()),
        ("response", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("completion_tokens", pa.int32()),
        ("verdict", pa.string()),
        ("reason", pa.string()),  # the filter that dropped it, or what the grader found
        ("rule", pa.string()),  # that decided; `filter` where a filter did
        ("grader", pa.string()),  # its name and version
    ]
)

KTO = pa.schema(
    [
        ("id", pa.string()),
        ("question_id", pa.string()),
        *_DATASET,
        ("model", pa.string()),
        ("prompt", pa.string()),
        ("completion", pa.string()),
        ("label", pa.bool_()),
    ]
)

PUBLISHED = pa.schema(  # the shape in which the authors published their synthetic rows
    [
        ("question", pa.string()),
        ("response", pa.string()),
        ("chosen", pa.bool_()),
        ("question_source", pa.string()),
        ("source_dataset", pa.string()),
    ]
)

TABLES = {
    "sft": SFT,
    "preference": PREFERENCE,
    "attempts": ATTEMPTS,
    "kto": KTO,
    "published": PUBLISHED,
}
"""The tables that are written, by name."""

REJECTS = pa.schema(
    [
        ("file", pa.string()),  # below the raw folder
        ("position", pa.int64()),  # from 1: a line of a text file, a row of a Parquet file
        ("reason", pa.string()),
        ("detail", pa.string()),  # which value, and what was expected
        ("row", pa.string()),  # what could be read of it, as JSON, shortened
    ]
)
"""Rows that could not become questions."""
