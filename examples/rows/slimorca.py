"""SlimOrca: instructions with answers, as turns."""

from __future__ import annotations

from pathlib import Path

from rows.files import Row, write_jsonl

# (system turn, human turn, gpt turn)
SLIMORCA: list[tuple[str | None, str, str]] = [
    (
        "You are an AI assistant. Explain your answer so that a child understands it.",
        "Why does ice float on water?",
        "Ice is lighter than the same amount of water, so the water holds it up.",
    ),
    # No system turn.
    (None, "Name the three states of matter.", "Solid, liquid and gas."),
    # An empty system turn.
    ("", "Answer with yes or no: is a whale a fish?", "No"),
    # Options to choose from.
    (
        "You are an AI assistant. You give short answers.",
        "Which of these is a fruit?\n\nOptions:\n- carrot\n- pear\n- leek\nThe answer is:",
        "pear",
    ),
    # Braces, which are no placeholders.
    (
        "You are an AI assistant.",
        'Write {"name": "Kim", "age": 7} as a sentence, and leave {question} as it is.',
        "Kim is 7 years old. {question}",
    ),
    # White space around, which stays.
    ("You are an AI assistant. ", "\nTranslate to French: Good morning.\n", " Bonjour."),
    # Characters beyond ASCII.
    (None, "What does “naïve” mean? Answer in one word… 🙂", "Innocent"),
    # Demands that can be verified.
    (
        "You are an AI assistant. Follow the instructions exactly.",
        "List two colors as bullets. Do not use the word red.",
        "- blue\n- green",
    ),
    # Several lines.
    (
        "You are an AI assistant.\nYou think step by step.",
        "Premise: All of the boxes are blue.\nHypothesis: Some box is red.\nDoes it follow?",
        "Step 1: every box is blue.\nStep 2: a blue box is not red.\nSo it does not follow.",
    ),
]


def write_slimorca(folder: Path) -> None:
    """Conversations in turns, of which the last one has a weight; released on the Hub only."""
    rows = []
    for system, human, gpt in SLIMORCA:
        turns: list[Row] = [] if system is None else [{"from": "system", "value": system}]
        turns += [{"from": "human", "value": human}, {"from": "gpt", "value": gpt}]
        weights = {"system": None, "human": 0.0, "gpt": 1.0}
        rows.append({"conversations": [t | {"weight": weights[t["from"]]} for t in turns]})
    path = folder / "raw/Open-Orca/SlimOrca/oo-labeled_correct.gpt4.sharegpt.jsonl"
    write_jsonl(path, rows, ensure_ascii=True)
