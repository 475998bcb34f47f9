"""One transform per public dataset: raw rows to questions."""

from collections.abc import Callable
from functools import partial

from beam_thunder.transforms.parse import ParseOpenRows, ParseRows
from beam_thunder.transforms.sources.arc import ParseArc, parse_arc
from beam_thunder.transforms.sources.gsm8k import ParseGsm8k, parse_gsm8k
from beam_thunder.transforms.sources.hellaswag import ParseHellaSwag, parse_hellaswag
from beam_thunder.transforms.sources.kmmlu import ParseKmmlu, parse_kmmlu
from beam_thunder.transforms.sources.koalpaca import ParseKoAlpaca, parse_koalpaca
from beam_thunder.transforms.sources.kobest_hellaswag import (
    ParseKobestHellaSwag,
    parse_kobest_hellaswag,
)
from beam_thunder.transforms.sources.leetcode import ParseLeetCode, parse_leetcode
from beam_thunder.transforms.sources.mbpp import ParseMbpp, parse_mbpp
from beam_thunder.transforms.sources.mmlu import ParseMmlu, parse_mmlu
from beam_thunder.transforms.sources.mwp_korean import ParseMwpKorean, parse_mwp_korean
from beam_thunder.transforms.sources.openbookqa import ParseOpenBookQA, parse_openbookqa
from beam_thunder.transforms.sources.slimorca import ParseSlimOrca, parse_slimorca
from beam_thunder.transforms.sources.winogrande import ParseWinoGrande, parse_winogrande
from beam_thunder.transforms.sources.word_problems import (
    ParseGsm8kProblems,
    ParseOrcaMath,
    parse_gsm8k_problems,
    parse_orca_math,
)

__all__ = [
    "ParseArc",
    "ParseGsm8k",
    "ParseGsm8kProblems",
    "ParseHellaSwag",
    "ParseKmmlu",
    "ParseKoAlpaca",
    "ParseKobestHellaSwag",
    "ParseLeetCode",
    "ParseMbpp",
    "ParseMmlu",
    "ParseMwpKorean",
    "ParseOpenBookQA",
    "ParseOrcaMath",
    "ParseSlimOrca",
    "ParseWinoGrande",
    "open_parser",
    "parse_arc",
    "parse_gsm8k",
    "parse_gsm8k_problems",
    "parse_hellaswag",
    "parse_kmmlu",
    "parse_koalpaca",
    "parse_kobest_hellaswag",
    "parse_leetcode",
    "parse_mbpp",
    "parse_mmlu",
    "parse_mwp_korean",
    "parse_openbookqa",
    "parse_orca_math",
    "parse_slimorca",
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


def open_parser(name: str, template: str = "") -> ParseOpenRows:
    """The transform for the catalog's synthetic dataset of that name.

    Args:
      name: of a synthetic dataset of the catalog.
      template: of its prompts; the source's own if empty.

    Raises:
      RecipeError: a template that cannot be applied to its questions.
    """
    parsers: dict[str, Callable[[str, str], ParseOpenRows]] = {
        "gsm8k-synthetic": ParseGsm8kProblems,
        "orca-math": ParseOrcaMath,
        "mbpp": ParseMbpp,
        "leetcode": ParseLeetCode,
        "slimorca": ParseSlimOrca,
        "gsm8k-ko": ParseGsm8kProblems,
        "orca-math-ko": ParseOrcaMath,
        "mwp-korean-2021": ParseMwpKorean,
        "koalpaca": ParseKoAlpaca,
    }
    return parsers[name](name, template)
