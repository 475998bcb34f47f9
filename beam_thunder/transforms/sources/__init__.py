"""One transform per public dataset: raw rows to questions."""

from collections.abc import Callable
from functools import partial

from beam_thunder.transforms.parse import ParseRows
from beam_thunder.transforms.sources.arc import ParseArc, parse_arc
from beam_thunder.transforms.sources.gsm8k import ParseGsm8k, parse_gsm8k
from beam_thunder.transforms.sources.hellaswag import ParseHellaSwag, parse_hellaswag
from beam_thunder.transforms.sources.kmmlu import ParseKmmlu, parse_kmmlu
from beam_thunder.transforms.sources.kobest_hellaswag import (
    ParseKobestHellaSwag,
    parse_kobest_hellaswag,
)
from beam_thunder.transforms.sources.mmlu import ParseMmlu, parse_mmlu
from beam_thunder.transforms.sources.openbookqa import ParseOpenBookQA, parse_openbookqa
from beam_thunder.transforms.sources.winogrande import ParseWinoGrande, parse_winogrande

__all__ = [
    "ParseArc",
    "ParseGsm8k",
    "ParseHellaSwag",
    "ParseKmmlu",
    "ParseKobestHellaSwag",
    "ParseMmlu",
    "ParseOpenBookQA",
    "ParseWinoGrande",
    "parse_arc",
    "parse_gsm8k",
    "parse_hellaswag",
    "parse_kmmlu",
    "parse_kobest_hellaswag",
    "parse_mmlu",
    "parse_openbookqa",
    "parse_winogrande",
    "parser",
]


def parser(name: str, few_shot: str = "") -> ParseRows:
    """The transform for the catalog's dataset of that name.

    Args:
      name: of a processed dataset of the catalog.
      few_shot: for GSM8K, text before each question.
    """
    parsers: dict[str, Callable[[], ParseRows]] = {
        "mmlu": ParseMmlu,
        "hellaswag": ParseHellaSwag,
        "winogrande": ParseWinoGrande,
        "openbookqa": ParseOpenBookQA,
        "gsm8k": partial(ParseGsm8k, few_shot),
        "arc-easy": partial(ParseArc, "ARC-Easy"),
        "arc-challenge": partial(ParseArc, "ARC-Challenge"),
        "kmmlu": ParseKmmlu,
        "kobest-hellaswag": ParseKobestHellaSwag,
    }
    return parsers[name]()
