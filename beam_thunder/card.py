"""The dataset card, `README.md` of a published folder.

Its YAML header is what `datasets.load_dataset(FOLDER, NAME)` and the Hugging
Face Hub read: one configuration per dataset and table.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

_SIZES = [(10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M")]
_RESTRICTED = {
    "cc-by-nc-4.0": "not for commercial use",
    "cc-by-nd-4.0": "no derivatives may be shared",
    "unknown": "its publisher states no licence",
}


def configurations(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The name of each configuration (`mmlu-sft`) with the pattern of its files."""
    folders = sorted({file["path"].rpartition("/")[0] for file in manifest["files"]})
    return {
        folder.replace("/", "-"): f"{folder}/*.parquet"
        for folder in folders
        if folder.split("/")[0] not in ("rejects", "validation")
    }


def card(manifest: Mapping[str, Any]) -> str:
    """The card of a build, from its manifest."""
    return f"---\n{_header(manifest)}---\n\n{_text(manifest)}"


def _header(manifest: Mapping[str, Any]) -> str:
    datasets = manifest["datasets"].values()
    rows = sum(sum(each["ledger"]["written"].values()) for each in datasets)
    header = {
        "license": sorted({each["license"] for each in datasets}),
        "language": sorted({each["language"] for each in datasets}),
        "task_categories": ["text-generation"],
        "tags": ["sft", "dpo", "preference"],
        "size_categories": [next((name for top, name in _SIZES if rows < top), "1M<n<10M")],
        "configs": [
            {"config_name": name, "data_files": [{"split": "train", "path": path}]}
            for name, path in configurations(manifest).items()
        ],
    }
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(header, stream)
    return stream.getvalue()


def _text(manifest: Mapping[str, Any]) -> str:
    lines = [
        "# Post-training datasets",
        "",
        f"Built by beam-thunder {manifest['beam_thunder']} in the formats of the "
        "Llama-Thunder-LLM post-training datasets.",
        "",
        "| dataset | source | kind | language | domain | licence | SFT | preference |",
        "| --- | --- | --- | --- | --- | --- | ---: | ---: |",
    ]
    for name, each in manifest["datasets"].items():
        written = each["ledger"]["written"]
        counts = [str(written.get(table, "-")) for table in ("sft", "preference")]
        about = [each[key] for key in ("source", "kind", "language", "domain", "license")]
        lines.append(f"| {' | '.join([name, *about, *counts])} |")
    first = next(iter(configurations(manifest)), "")
    lines += [
        "",
        "```python",
        "from datasets import load_dataset",
        "",
        f'rows = load_dataset("PATH/TO/THIS/FOLDER", "{first}", split="train")',
        "```",
        "",
        "SFT rows have `prompt` and `completion`, preference rows `prompt`, `chosen` and "
        "`rejected`. Rows are shuffled by the hash of their question. `manifest.json` has the "
        "checksum of every file and what became of every raw row.",
    ]
    anomalies = manifest.get("validation", {}).get("anomalies", [])
    if anomalies:
        found = [f"- {a['dataset']}/{a['table']}: `{a['measure']}`" for a in anomalies]
        lines += ["", "Published although the validation found anomalies (`report.html`):", ""]
        lines += found
    restricted = [
        f"- {name}: {each['license']} ({_RESTRICTED[each['license']]})"
        for name, each in manifest["datasets"].items()
        if each["license"] in _RESTRICTED
    ]
    if restricted:
        lines += ["", "Before you use or share these, mind their licences:", "", *restricted]
    return "\n".join(lines) + "\n"
