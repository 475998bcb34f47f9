"""Every row of the published table: where its questions come from, and its counts.

The counts are those that the authors of Llama-Thunder-LLM published for each
of their 18 post-training datasets. Hub file names are patterns as
`fnmatch` reads them, relative to the repository's root.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from beam_thunder.errors import UserError

Kind = Literal["processed", "synthetic"]
Language = Literal["en", "ko"]


@dataclass(frozen=True)
class Entry:
    """One row of the published table.

    Attributes:
      name: the dataset's name, in recipes, folders and tables.
      source: the public dataset it is made from, as the published table calls it.
      kind: `processed` (the dataset's own answers) or `synthetic` (models' answers).
      language: of its prompts.
      domain: as the published table calls it.
      hub: the Hugging Face Hub repository of its raw files, or None.
      files: patterns of its raw files in the Hub repository.
      release: patterns of the same rows in the publisher's own release.
      licence: of the raw rows, as the Hub spells it; `unknown` where none is stated.
      sft: published number of SFT rows.
      preference: published number of preference pairs, None where none were made.
      url: where its publisher keeps it, for what is not on the Hub.
    """

    name: str
    source: str
    kind: Kind
    language: Language
    domain: str
    hub: str | None
    files: tuple[str, ...]
    release: tuple[str, ...]
    licence: str
    sft: int
    preference: int | None
    url: str | None = None

    def patterns(self) -> tuple[str, ...]:
        """Where a raw folder may keep the files, best first: Hub layout, then release."""
        hub = tuple(f"{self.hub}/{file}" for file in self.files) if self.hub else ()
        return hub + self.release

    @property
    def fan_out(self) -> int:
        """Rows of the larger table that one question makes, by the published counts."""
        return max(1, round((self.preference or 0) / self.sft))

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the authors published for it."""
        return ("sft",) if self.preference is None else ("sft", "preference")


_KNOWLEDGE = "general knowledge"
_COMMONSENSE = "commonsense reasoning"
_READING = "reading comprehension"
_MATH = "mathematical reasoning"
_SCIENCE = "science"
_CODING = "coding"
_INSTRUCTION = "instruction following"

# fmt: off
CATALOG: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("mmlu", "MMLU", "processed", "en", _KNOWLEDGE,
              "cais/mmlu", ("all/auxiliary_train-*.parquet",),
              ("mmlu/auxiliary_train/*.csv",), "mit", 99842, 299526),
        Entry("hellaswag", "HellaSwag", "processed", "en", _COMMONSENSE,
              "Rowan/hellaswag", ("data/train-*.parquet",),
              ("hellaswag/hellaswag_train.jsonl",), "mit", 39905, 119715),
        Entry("winogrande", "WinoGrande", "processed", "en", _COMMONSENSE,
              "allenai/winogrande", ("winogrande_xl/train-*.parquet",),
              ("winogrande/train_xl.jsonl",), "cc-by-4.0", 40398, 40398),
        Entry("openbookqa", "OpenBookQA", "processed", "en", _READING,
              "allenai/openbookqa", ("main/train-*.parquet",),
              ("openbookqa/train.jsonl",), "unknown", 4957, 14871),
        Entry("gsm8k", "GSM8K", "processed", "en", _MATH,
              "openai/gsm8k", ("main/train-*.parquet",),
              ("gsm8k/train.jsonl",), "mit", 7473, None),
        Entry("gsm8k-synthetic", "GSM8K", "synthetic", "en", _MATH,
              "openai/gsm8k", ("main/train-*.parquet",),
              ("gsm8k/train.jsonl",), "mit", 12363, 2335),
        Entry("orca-math", "OrcaMath", "synthetic", "en", _MATH,
              "microsoft/orca-math-word-problems-200k", ("data/train-*.parquet",),
              (), "mit", 257922, None),
        Entry("arc-easy", "ARC-Easy", "processed", "en", _SCIENCE,
              "allenai/ai2_arc", ("ARC-Easy/train-*.parquet",),
              ("arc/ARC-Easy-Train.jsonl",), "cc-by-sa-4.0", 2251, 6751),
        Entry("arc-challenge", "ARC-Challenge", "processed", "en", _SCIENCE,
              "allenai/ai2_arc", ("ARC-Challenge/train-*.parquet",),
              ("arc/ARC-Challenge-Train.jsonl",), "cc-by-sa-4.0", 1119, 3357),
        Entry("mbpp", "MBPP", "synthetic", "en", _CODING,
              "google-research-datasets/mbpp", ("full/train-*.parquet",),
              ("mbpp/mbpp.jsonl",), "cc-by-4.0", 1475, None),
        Entry("leetcode", "LeetCodeDataset", "synthetic", "en", _CODING,
              "newfacade/LeetCodeDataset", ("LeetCodeDataset-train.jsonl*",),
              (), "apache-2.0", 2698, None),
        Entry("slimorca", "SlimOrca", "synthetic", "en", _INSTRUCTION,
              "Open-Orca/SlimOrca", ("oo-labeled_correct.gpt4.sharegpt.jsonl",),
              (), "mit", 319526, 18889),
        Entry("kmmlu", "KMMLU", "processed", "ko", _KNOWLEDGE,
              "HAERAE-HUB/KMMLU", ("data/*-train.csv",),
              (), "cc-by-nd-4.0", 208522, 625566),
        Entry("kobest-hellaswag", "KoBEST HellaSwag", "processed", "ko", _COMMONSENSE,
              "skt/kobest_v1", ("hellaswag/train-*.parquet",),
              ("kobest/HellaSwag/train.tsv",), "cc-by-sa-4.0", 2029, 6087),
        Entry("gsm8k-ko", "translated GSM8K", "synthetic", "ko", _MATH,
              "kuotient/gsm8k-ko", ("data/train-*.parquet",),
              (), "unknown", 11238, 1804),
        Entry("orca-math-ko", "translated OrcaMath", "synthetic", "ko", _MATH,
              "kuotient/orca-math-word-problems-193k-korean", ("data/train-*.parquet",),
              (), "unknown", 246123, None),
        Entry("mwp-korean-2021", "mwp-korean-2021", "synthetic", "ko", _MATH,
              None, (), ("mwp-korean-data-2021/public_mwp_data.json",), "mit", 3126, 660,
              "https://raw.githubusercontent.com/jkc-ai/mwp-korean-data-2021/main/"
              "public_mwp_data.json"),
        Entry("koalpaca", "KoAlpaca", "synthetic", "ko", _INSTRUCTION,
              "beomi/KoAlpaca-v1.1a", ("data/train-*.parquet", "*.jsonl"),
              (), "cc-by-nc-4.0", 49832, 3825),
    )
}
# fmt: on


def find(name: str) -> Entry:
    """The published dataset of that name.

    Raises:
      UserError: there is none; the message offers the nearest name.
    """
    if name in CATALOG:
        return CATALOG[name]
    raise UserError(f"no dataset {name!r} in the catalog; {suggestion(name, CATALOG)}")


def suggestion(name: str, known: object) -> str:
    """A cure for a name that is not among the known ones."""
    names = sorted(str(each) for each in known)  # type: ignore[attr-defined]
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
