"""The benchmark's job by Hugging Face datasets, in the way its guide shows.

    python benchmarks/contenders/hub_datasets.py FILE OUT RESULT [--shuffle]

`map` per row for the id and the prompt, batched `map` for the pairs, `to_parquet`
with zstd. With --shuffle the raw rows are shuffled first: that is faster than to
sort what was mapped by id, which takes twice as long.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from hashlib import blake2b
from pathlib import Path
from typing import Any

from datasets import Dataset, Features, Sequence, Value, disable_caching, disable_progress_bars

TEXT = Value("string")
DATASET = {
    "source": "MMLU",
    "language": "en",
    "domain": "general knowledge",
    "kind": "processed",
    "license": "mit",
}
SFT = {
    "id": TEXT,
    "question_id": TEXT,
    **dict.fromkeys(DATASET, TEXT),
    "model": TEXT,
    "prompt": TEXT,
    "completion": TEXT,
}
PREFERENCE = {
    "id": TEXT,
    "question_id": TEXT,
    **dict.fromkeys(DATASET, TEXT),
    "prompt": TEXT,
    "chosen": TEXT,
    "rejected": TEXT,
    "chosen_model": TEXT,
    "rejected_model": TEXT,
}


def sft_row(row: dict[str, Any]) -> dict[str, Any]:
    """A raw row to its SFT row, and the options and the answer that the pairs need."""
    question, choices, answer = row["question"], row["choices"], row["answer"]
    content = "\0".join(["MMLU", question, *choices, str(answer)])
    question_id = blake2b(content.encode(), digest_size=16).hexdigest()
    options = [f"{'ABCD'[place]}. {choice}" for place, choice in enumerate(choices)]
    return {
        "id": f"{question_id}-{answer}",
        "question_id": question_id,
        **DATASET,
        "model": None,
        "prompt": "\n".join([question.strip(), *options, "Answer:"]),
        "completion": options[answer],
        "options": options,
        "answer": answer,
    }


def pairs(rows: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """A batch of SFT rows to the pairs of each one's right option with each wrong one."""
    made: dict[str, list[Any]] = {name: [] for name in PREFERENCE}
    columns = (rows[name] for name in ("question_id", "prompt", "options", "answer"))
    for question_id, prompt, options, answer in zip(*columns, strict=True):
        for place, option in enumerate(options):
            if place != answer:
                made["id"].append(f"{question_id}-{answer}-{place}")
                made["question_id"].append(question_id)
                made["prompt"].append(prompt)
                made["chosen"].append(options[answer])
                made["rejected"].append(option)
    count = len(made["id"])
    made |= {name: [value] * count for name, value in DATASET.items()}
    return made | {"chosen_model": [None] * count, "rejected_model": [None] * count}


def job(file: str, out: Path, cache: str, shuffle: bool) -> None:
    """Reads the raw file and writes both tables below `out`."""
    raw = Dataset.from_parquet(file, cache_dir=cache)
    features = Features({**SFT, "options": Sequence(TEXT), "answer": Value("int64")})
    if shuffle:
        raw = raw.shuffle(seed=0)
    rows = raw.map(sft_row, remove_columns=raw.column_names, features=features)
    rows.select_columns(list(SFT)).to_parquet(out / "sft.parquet", compression="zstd")
    made = rows.map(
        pairs, batched=True, remove_columns=rows.column_names, features=Features(PREFERENCE)
    )
    made.to_parquet(out / "preference.parquet", compression="zstd")


def main(file: str, out: str, result: str, *flags: str) -> None:
    disable_caching()  # of what is mapped; what is read is cached in a folder that goes
    disable_progress_bars()
    Path(out).mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=out) as cache:
        start, cpu = time.perf_counter(), time.process_time()
        job(file, Path(out), cache, "--shuffle" in flags)
        took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    Path(result).write_text(json.dumps(took), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
