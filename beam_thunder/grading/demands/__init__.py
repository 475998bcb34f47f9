"""Demands of a prompt that a program can verify; one function for each kind.

Each takes a `Task` and gives a `Check` for every demand that clearly applies: none
where it is not made, or where it is not clear whether the answer keeps it.
"""

from beam_thunder.grading.demands.closed import option_choice, yes_or_no
from beam_thunder.grading.demands.counts import (
    bullet_count,
    character_count,
    item_count,
    line_count,
    paragraph_count,
    sentence_count,
    word_count,
)
from beam_thunder.grading.demands.formats import (
    bullet_list,
    code_only,
    csv_format,
    json_format,
    markdown_table,
    numbered_list,
    title_in_brackets,
)
from beam_thunder.grading.demands.keywords import (
    keyword_frequency,
    keywords_avoided,
    keywords_used,
    letters_avoided,
    no_commas,
)
from beam_thunder.grading.demands.task import Check, Demand, Task
from beam_thunder.grading.demands.wording import (
    answer_language,
    ending,
    letter_case,
    opening,
    translation_target,
)

DEMANDS: tuple[Demand, ...] = (
    option_choice,
    yes_or_no,
    word_count,
    sentence_count,
    paragraph_count,
    line_count,
    character_count,
    bullet_count,
    item_count,
    keywords_used,
    keyword_frequency,
    keywords_avoided,
    letters_avoided,
    no_commas,
    json_format,
    csv_format,
    numbered_list,
    bullet_list,
    markdown_table,
    title_in_brackets,
    code_only,
    answer_language,
    translation_target,
    letter_case,
    opening,
    ending,
)
"""Every kind of demand, in the order in which they are checked."""

__all__ = ["DEMANDS", "Check", "Demand", "Task"]
