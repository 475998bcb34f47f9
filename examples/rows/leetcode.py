"""LeetCodeDataset: programming tasks with a checker."""

from __future__ import annotations

import gzip
from pathlib import Path

from rows.files import write_jsonl

LEETCODE_HELPERS = (
    "import collections\nimport math\n\nfrom typing import *\nfrom functools import *\n\n"
    "inf = float('inf')\n\n"
    "class ListNode:\n    def __init__(self, val=0, next=None):\n        self.val = val\n"
    "        self.next = next\n\n"
    "def list_node(values: list):\n    head = None\n    for val in reversed(values):\n"
    "        head = ListNode(val, head)\n    return head\n"
)

# (task_id, problem, name and parameters of the method, its body, calls and results)
LEETCODE: list[tuple[str, str, str, str, list[tuple[str, str]]]] = [
    (
        "sum-of-neighbours",
        (
            "You are given a list of integers nums. Return the sums of all neighbours.\n"
            "\xa0\nExample 1:\n\nInput: nums = [1,2,3]\nOutput: [3,5]"
        ),
        "sumOfNeighbours(self, nums: List[int]) -> List[int]",
        "return [a + b for a, b in zip(nums, nums[1:])]",
        [("nums = [1, 2, 3]", "[3, 5]"), ("nums = [4]", "[]"), ("nums = []", "[]")],
    ),
    # Braces in the problem.
    (
        "balanced-brackets",
        "A string s consists of '{' and '}'. Return true if every {question} of it is closed.",
        "isBalanced(self, s: str) -> bool",
        (
            "depth = 0\n        for c in s:\n            depth += 1 if c == '{' else -1\n"
            "            if depth < 0:\n                return False\n        return depth == 0"
        ),
        [("s = '{}'", "True"), ("s = '}{'", "False"), ("s = '{{}'", "False")],
    ),
    # A helper class.
    (
        "length-of-linked-list",
        "Given the head of a linked list, return how many nodes it has.",
        "lengthOfList(self, head: Optional[ListNode]) -> int",
        (
            "count = 0\n        while head:\n            count, head = count + 1, head.next\n"
            "        return count"
        ),
        [("head = list_node([5, 6, 7])", "3"), ("head = list_node([])", "0")],
    ),
    # An import of the helpers.
    (
        "most-frequent-letter",
        "Return the letter that is most frequent in word; of several, the first by alphabet.",
        "mostFrequent(self, word: str) -> str",
        "return min(collections.Counter(word).items(), key=lambda kv: (-kv[1], kv[0]))[0]",
        [("word = 'banana'", "'a'"), ("word = 'abab'", "'a'")],
    ),
    # Two parameters.
    (
        "steps-to-target",
        "In one step you may add 1 to start or double it. Return the fewest steps to target.",
        "stepsToTarget(self, start: int, target: int) -> int",
        (
            "steps = 0\n        while target > start:\n"
            "            if target % 2 == 0 and target // 2 >= start:\n"
            "                target //= 2\n            else:\n                target -= 1\n"
            "            steps += 1\n        return steps"
        ),
        [("start = 1, target = 8", "3"), ("start = 5, target = 5", "0")],
    ),
    # Floating point.
    (
        "half-of-the-sum",
        "Return half of the sum of the integers of nums.",
        "halfSum(self, nums: List[int]) -> float",
        "return sum(nums) / 2",
        [("nums = [1, 2]", "1.5"), ("nums = []", "0.0")],
    ),
    # Characters beyond ASCII.
    (
        "count-arrows",
        "Return how many arrows → there are in text.",
        "countArrows(self, text: str) -> int",
        "return text.count('→')",
        [("text = 'a → b → c'", "2"), ("text = ''", "0")],
    ),
    # The imported name for what is infinite.
    (
        "smallest-positive",
        "Return the smallest positive integer of nums, or -1 if there is none.",
        "smallestPositive(self, nums: List[int]) -> int",
        (
            "best = min((n for n in nums if n > 0), default=inf)\n"
            "        return -1 if best == inf else best"
        ),
        [("nums = [3, -1, 2]", "2"), ("nums = [-4]", "-1")],
    ),
]


def write_leetcode(folder: Path) -> None:
    """Lines of JSON, compressed; released on the Hub only."""
    rows = []
    for number, (task_id, problem, signature, body, cases) in enumerate(LEETCODE, start=9001):
        starter = f"class Solution:\n    def {signature}:\n        "
        checks = [f"    assert candidate({call}) == {result}\n" for call, result in cases]
        rows.append(
            {
                "task_id": task_id,
                "question_id": number,
                "difficulty": "Easy",
                "tags": ["Example"],
                "problem_description": problem,
                "starter_code": starter,
                "estimated_date": "2020-01-01",
                "prompt": LEETCODE_HELPERS,
                "completion": starter + body + "\n",
                "entry_point": f"Solution().{signature.partition('(')[0]}",
                "test": "def check(candidate):\n" + "".join(checks),
                "input_output": [{"input": call, "output": out} for call, out in cases],
                "query": f"### Question:\n{problem}\n",
                "response": f"```python\n{starter}{body}\n```",
            }
        )
    name = "raw/newfacade/LeetCodeDataset/LeetCodeDataset-train.jsonl"
    write_jsonl(folder / name, rows)
    plain = folder / name
    # Neither time nor name, so that the same rows are the same bytes.
    plain.with_name(plain.name + ".gz").write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    plain.unlink()
