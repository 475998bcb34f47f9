"""Measures `beam-thunder generate` beside the bare OpenAI client.

Both ask the same vLLM server for the same answers to the same GSM8K-like questions, with
as many requests open at a time; what differs is Beam, the window, and keeping every answer.
The server runs on this machine, on the CPU where there is no GPU, with a small model of
random weights: so it is busy all the time, and what the client costs is what it loses.

    python benchmarks/generate.py --rounds 3
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import openai
from rich.console import Console

from beam_thunder.generate import Asking, Selection, generate
from beam_thunder.generation.interpreter import find_interpreter
from beam_thunder.generation.server import VllmServer
from beam_thunder.generation.store import folder_of, parts, read_part

ROOT = Path(__file__).parent.parent
SERVER = {
    "max-model-len": 1024,
    "dtype": "float32",
    "enforce-eager": True,
    # vLLM 0.32 on a CPU dies of a prompt that it takes in parts, where requests have seeds.
    "no-enable-chunked-prefill": True,
}
TEMPLATE = "Question {question}"
RECIPE = """
sampling: {{temperature: 0.7, top_p: 0.95, max_tokens: {tokens}, seed: 0}}
models:
  tiny: {{hub: {model}}}
datasets:
  gsm8k-synthetic: {{template: "{template}"}}
"""


def main() -> None:
    """Prints a table of tokens per second, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=1500)
    parser.add_argument("--tokens", type=int, default=64, help="an answer's limit (64)")
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url", help="a running server, which serves --model")
    parser.add_argument("--model", help="its model; a small one of random weights without")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        questions = make_questions(Path(work), args.questions)
        if args.url:
            compare(args, args.url, args.model, questions, Path(work))
            return
        python = find_interpreter(None)
        model = args.model or make_model(python, Path(work, "tiny"))
        with VllmServer(python, model, SERVER) as server:
            compare(args, server.url, model, questions, Path(work))


def make_questions(work: Path, number: int) -> list[str]:
    """Questions of different lengths, in the publisher's layout below `work/raw`."""
    names = ("Mina", "Tom", "Jisu", "Anna", "Minho")
    questions = [
        f"{names[n % 5]} has {n} apples"
        + " and gives one away" * (n % 7)
        + ". How many are left?"
        for n in range(number)
    ]
    folder = work / "raw" / "gsm8k"
    folder.mkdir(parents=True)
    rows = [json.dumps({"question": each, "answer": "#### 1"}) for each in questions]
    (folder / "train.jsonl").write_text("\n".join(rows))
    return questions


def make_model(python: str, folder: Path) -> str:
    """A model of random weights."""
    subprocess.run([python, ROOT / "tests" / "tiny_model.py", folder], check=True)
    return str(folder)


def compare(
    args: argparse.Namespace, url: str, model: str, questions: list[str], work: Path
) -> None:
    """Measures both in turns."""
    recipe = work / "recipe.yaml"
    recipe.write_text(RECIPE.format(tokens=args.tokens, model=model, template=TEMPLATE))
    prompts = [TEMPLATE.format(question=each) for each in questions]
    asyncio.run(bare(url, model, prompts[:256], args))  # the server's first answers are slow
    measured: dict[str, list[float]] = {"bare client": [], "generate": []}
    for number in range(args.rounds):
        for name in measured if number % 2 else reversed(measured):
            if name == "generate":
                seconds, tokens = ours(recipe, url, work, args)
            else:
                seconds, tokens = asyncio.run(bare(url, model, prompts, args))
            measured[name].append(tokens / seconds)
            print(f"round {number + 1}, {name}: {tokens} tokens in {seconds:.1f} s", flush=True)
    medians = {name: statistics.median(each) for name, each in measured.items()}
    for name, median in medians.items():
        print(f"{name}: {median:,.0f} tokens/s")
    ratio = medians["generate"] / medians["bare client"]
    print(
        f"generate has {ratio:.2f} of the bare client's tokens per second (target: 0.95), with "
        f"{len(questions)} questions, {args.concurrency} at a time, medians of {args.rounds}"
    )


def ours(recipe: Path, url: str, work: Path, args: argparse.Namespace) -> tuple[float, int]:
    """Seconds and tokens of the command, from an empty folder; its imports apart."""
    out = work / "attempts"
    shutil.rmtree(out, ignore_errors=True)
    asking = Asking([url], concurrency=args.concurrency)
    start = time.perf_counter()
    generate(recipe, str(work / "raw"), str(out), Selection(), asking, (), Console(quiet=True))
    seconds = time.perf_counter() - start
    paths = parts(folder_of(str(out), "gsm8k-synthetic", "tiny"))
    columns = [read_part(path).column("completion_tokens").to_pylist() for path in paths]
    return seconds, sum(map(sum, columns))


async def bare(
    url: str, model: str, prompts: list[str], args: argparse.Namespace
) -> tuple[float, int]:
    """Seconds and tokens of as many tasks as there are places, that share the prompts."""
    waiting = iter(prompts)
    tokens = 0

    async def work(client: openai.AsyncOpenAI) -> None:
        nonlocal tokens
        for prompt in waiting:
            completion = await client.chat.completions.create(
                model=model,
                messages=[{"role": "user", "content": prompt}],
                temperature=0.7,
                top_p=0.95,
                max_tokens=args.tokens,
                seed=0,
            )
            tokens += completion.usage.completion_tokens if completion.usage else 0

    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as client:
        start = time.perf_counter()
        await asyncio.gather(*(work(client) for _ in range(args.concurrency)))
        return time.perf_counter() - start, tokens


if __name__ == "__main__":
    main()
