"""Multiple-choice questions to rows: a question's options are its attempts.

```
raw files --read--> raw batches --parse--> questions --shuffle--> shards --pair--> rows
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import apache_beam as beam

from beam_thunder.pipelines.questions import CountRows, DatasetPlan, Job, ReadQuestions, Rows
from beam_thunder.transforms import PairOptions, ShuffleIntoShards


@dataclass(eq=False)
class Processed(beam.PTransform[beam.Pipeline, Rows]):
    """The rows of processed datasets.

    Attributes:
      datasets: by name.
      job: what is the same for all of them.
    """

    datasets: Mapping[str, DatasetPlan]
    job: Job

    def expand(self, root: beam.Pipeline) -> Rows:
        job = self.job
        parsed = root | ReadQuestions(self.datasets, job.batch_rows, job.progress)
        fan_out = {name: each.recipe.entry.fan_out for name, each in self.datasets.items()}
        rows = root | CountRows(self.datasets, fan_out)
        shards = (
            parsed.questions
            # Questions are shuffled, and not what they fan out to: that is four times as much.
            | ShuffleIntoShards(rows, job.rows_per_shard, job.staging, job.progress)
            | PairOptions({name: each.recipe.entry for name, each in self.datasets.items()})
        )
        return Rows(shards, parsed.rejects, parsed.ledgers)
