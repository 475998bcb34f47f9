"""Container files agree with the project. No image can be built without a container engine."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from beam_thunder.cli import parser
from beam_thunder.generation.interpreter import CONTAINER_PYTHON
from beam_thunder.runners.dataflow import template
from beam_thunder.runners.flink.cluster import FLINK_VERSION, FlinkCluster

ROOT = Path(__file__).parent.parent
RUNNERS = ROOT / "beam_thunder" / "runners"
DOCKERFILE = (RUNNERS / "Dockerfile").read_text()
METADATA = json.loads((RUNNERS / "dataflow" / "metadata.json").read_text())


def test_the_image_has_the_beam_of_the_pins():
    [version] = re.findall(r"^ARG BEAM_VERSION=(.+)$", DOCKERFILE, re.MULTILINE)
    pins = (ROOT / "requirements.txt").read_text()
    assert re.search(rf"^apache-beam==({re.escape(version)}) ; .*< '3.12'", pins, re.MULTILINE)
    assert "beam_python3.11_sdk" in DOCKERFILE


def test_the_image_is_made_by_the_targets_of_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    for target, variables in re.findall(r"make (venv|vllm) ((?:\w+=\S+ ?)+)", DOCKERFILE):
        assert f"\n{target}:" in makefile
        for name in re.findall(r"(\w+)=", variables):
            assert re.search(rf"^{name} \?=|\$\({name}\)", makefile, re.MULTILINE), name
    assert f"VLLM={Path(CONTAINER_PYTHON).parents[1]}" in DOCKERFILE


def test_the_launcher_starts_a_file_that_is_there():
    [file] = re.findall(r"FLEX_TEMPLATE_PYTHON_PY_FILE=/opt/beam-thunder/(\S+)", DOCKERFILE)
    assert (ROOT / file).samefile(template.__file__)


def test_what_is_installed_is_not_sent_to_the_engine():
    ignored = (ROOT / ".dockerignore").read_text().split()
    for name in (".venv*", ".vllm", ".flink", ".prism", ".gcs", ".debian13", "out"):
        assert name in ignored
    for name in ("Makefile", "README.md", "requirements.txt", "setup.py", "beam_thunder"):
        assert name not in ignored


def yaml(name: str) -> dict:
    return YAML(typ="safe").load((RUNNERS / "flink" / name).read_text())


def properties(name: str) -> dict[str, str]:
    if name == "compose.yaml":
        lines = yaml(name)["x-flink"]["environment"]["FLINK_PROPERTIES"].splitlines()
        return dict(line.split(": ", 1) for line in lines)
    return yaml(name)["spec"]["flinkConfiguration"]


@pytest.mark.parametrize("name", ["compose.yaml", "kubernetes.yaml"])
def test_clusters_are_set_as_the_one_that_the_tests_run(name, tmp_path):
    cluster = FlinkCluster(tmp_path, tmp_path)
    cluster._configure()
    tested = YAML(typ="safe").load((tmp_path / "conf" / "config.yaml").read_text())
    found = properties(name)
    for setting in found:
        if setting.startswith(("taskmanager.network", "taskmanager.memory", "restart")):
            assert str(found[setting]) == str(tested[setting]), setting
    assert {each for each in tested if each.startswith("restart")} <= set(found)
    assert found["heartbeat.timeout"] == str(tested["heartbeat.timeout"])
    memory = tested["taskmanager.memory.process.size"]
    if name == "kubernetes.yaml":  # there it is the pod's
        assert yaml(name)["spec"]["taskManager"]["resource"]["memory"] == memory
    else:
        assert found["taskmanager.memory.process.size"] == memory


def test_clusters_run_the_version_of_the_job_server():
    spec = yaml("kubernetes.yaml")["spec"]
    images = [spec["image"], yaml("compose.yaml")["x-flink"]["image"]]
    assert all(image.startswith(f"flink:{FLINK_VERSION}.") for image in images)
    assert spec["flinkVersion"] == f"v{FLINK_VERSION.replace('.', '_')}"


def test_every_task_manager_has_a_pool_of_workers():
    services = yaml("compose.yaml")["services"]
    managers = [name for name in services if name.startswith("taskmanager")]
    pools = [each for name, each in services.items() if name.startswith("worker")]
    assert [each["network_mode"] for each in pools] == [f"service:{name}" for name in managers]
    pod = yaml("kubernetes.yaml")["spec"]["taskManager"]["podTemplate"]["spec"]
    assert [each.get("args") for each in pod["containers"]] == [None, ["--worker_pool"]]


EXAMPLES = {
    "recipe": "gs://bucket/recipe.yaml",
    "watch": "projects/mine/subscriptions/files",
    "out": "gs://bucket/out",
    "window": "5m",
    "attempts": "gs://bucket/attempts",
}


def test_the_templates_parameters_are_options_of_stream():
    flags = []
    for parameter in METADATA["parameters"]:
        example = EXAMPLES[parameter["name"]]
        assert all(re.match(regex, example) for regex in parameter["regexes"])
        if parameter["name"] != "recipe":
            flags.append(f"--{parameter['name']}={example}")
    args, rest = parser().parse_known_args(["stream", "recipe.yaml", *flags])
    assert rest == []
    assert (args.watch, args.out) == (EXAMPLES["watch"], EXAMPLES["out"])


@pytest.mark.parametrize(
    ("name", "value"),
    [("recipe", "recipe.yaml"), ("watch", "/folder/*"), ("out", "out"), ("window", "soon")],
)
def test_the_template_refuses_what_workers_in_a_cloud_do_not_reach(name, value):
    [found] = [each for each in METADATA["parameters"] if each["name"] == name]
    assert not all(re.match(regex, value) for regex in found["regexes"])


def test_the_template_takes_a_recipe_of_the_image(tmp_path, capsys):
    call = ["--recipe", str(tmp_path / "none.yaml"), "--watch=gs://b/*", "--out=gs://b/out"]
    assert template.main(call) == 2
    assert "none.yaml" in capsys.readouterr().err
