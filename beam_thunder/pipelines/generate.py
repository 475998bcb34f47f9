"""Attempts of one model: raw files to answers in the folder of attempts.

```
raw files --read, parse--> questions --ask what is missing--> answers, stored as they come
```
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import apache_beam as beam
import orjson
import pyarrow as pa
from apache_beam.pvalue import AsDict, PCollection

from beam_thunder.files import write
from beam_thunder.generation.attempts import Answered
from beam_thunder.pipelines.questions import DatasetPlan, ReadQuestions
from beam_thunder.transforms import Progress
from beam_thunder.transforms.generate import FirstQuestions, Generate, TakeRecorded


@dataclass(frozen=True)
class GeneratePlan:
    """What one model is asked, settled before anything runs.

    Attributes:
      datasets: whose questions it answers, by name.
      answer: what gets its answers.
      result: path for the counts, by dataset.
      limit: questions of each dataset to ask; all of them if None.
      progress: where a local run says how far it is.
    """

    datasets: Mapping[str, DatasetPlan]
    answer: Generate | TakeRecorded
    result: str
    limit: int | None = None
    progress: Progress = field(default_factory=Progress)


def generate(root: beam.Pipeline, plan: GeneratePlan) -> PCollection[str]:
    """Gets a model's answers to the questions of all datasets of the plan.

    Returns:
      The path of the counts: per dataset the questions, the rejected raw rows, and the
      answers of this run, those with an error by its name.
    """
    parsed = root | "Questions" >> ReadQuestions(plan.datasets, progress=plan.progress)
    questions = parsed.questions
    if plan.limit is not None:
        questions |= "Limit" >> FirstQuestions(plan.limit)
    answers = questions | "Answers" >> plan.answer
    counts = (
        [
            questions | "Count questions" >> beam.Map(_counted, "questions"),
            parsed.rejects | "Count rejects" >> beam.Map(_counted, "rejected"),
            answers | "Count answers" >> beam.Map(_outcome),
        ]
        | "All counts" >> beam.Flatten()
        | "Add up" >> beam.CombinePerKey(_sum)
    )
    return (
        root
        | "Once" >> beam.Create([plan.result])
        | "Write the counts" >> beam.Map(_write, AsDict(counts))
    )


def _counted(element: tuple[str, pa.RecordBatch], what: str) -> tuple[str, Counter[str]]:
    dataset, rows = element
    return dataset, Counter({what: rows.num_rows})


def _outcome(answered: Answered) -> tuple[str, Counter[str]]:
    tokens = answered.completion_tokens or 0
    return answered.request.dataset, Counter(
        {answered.error or "answered": 1, "prompt_tokens": answered.prompt_tokens or 0}
        | {"completion_tokens": tokens}
    )


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counters:
        total.update(each)
    return total


def _write(path: str, counts: Mapping[str, Counter[str]]) -> str:
    write(path, orjson.dumps({name: dict(each) for name, each in counts.items()}))
    return path
