"""The job graphs that Dataflow would get: translated, staged and written, but not run.

No cloud is needed: a template is written instead of a job submitted, and what Beam stages
goes to the emulator.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions
from apache_beam.portability.api import beam_runner_api_pb2 as messages

from beam_thunder import files
from beam_thunder.build import Gate
from beam_thunder.errors import UserError
from beam_thunder.generate import Asking, handler
from beam_thunder.pipelines import Job, Validation
from beam_thunder.pipelines import build as wire_build
from beam_thunder.pipelines import plan as plan_build
from beam_thunder.pipelines.generate import GeneratePlan
from beam_thunder.pipelines.generate import generate as wire_generate
from beam_thunder.pipelines.questions import find_datasets
from beam_thunder.pipelines.stream import stream
from beam_thunder.recipe import Recipe, load_recipe
from beam_thunder.runners.folders import check_folders
from beam_thunder.runners.options import beam_options
from beam_thunder.stream import Watching
from beam_thunder.stream import plan as plan_stream
from beam_thunder.transforms.generate import Generate
from beam_thunder.validation import load_schemas
from tests.gcs_emulator import bucket, emulator

__all__ = ["bucket", "emulator"]
ROOT = Path(__file__).parent.parent
RAW = ROOT / "examples/raw"
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
IMAGE = "asia-docker.pkg.dev/my-project/thunder/worker:1"
GPU = "type:nvidia-l4;count:1;install-nvidia-driver"
_HINT = "beam:resources:accelerator:v1"


def flags(folder: str, *more: str) -> list[str]:
    return [
        *("--runner=DataflowRunner", "--project=my-project", "--region=asia-northeast3"),
        *(f"--temp_location={folder}/tmp", f"--staging_location={folder}/staging"),
        *(f"--sdk_container_image={IMAGE}", "--no_auth", *more),
    ]


def translated(
    wire: Callable[[beam.Pipeline], object], folder: str, tmp_path: Path, *more: str
) -> messages.Pipeline:
    """The pipeline that the service would be sent, as it is staged for its workers."""
    template = tmp_path / "template.json"
    options = beam_options(flags(folder, *more))
    options.view_as(GoogleCloudOptions).template_location = str(template)
    pipeline = beam.Pipeline(options=options)
    wire(pipeline)
    pipeline.run()
    job = json.loads(template.read_text())
    for pool in job["environment"]["workerPools"]:
        assert {each["containerImage"] for each in pool["sdkHarnessContainerImages"]} == {IMAGE}
    [staged] = [path for path in files.below(folder) if path.endswith("/pipeline.pb")]
    return messages.Pipeline.FromString(files.read(staged))


def steps(pipeline: messages.Pipeline) -> dict[str, str]:
    """The accelerator of each step that runs code of this package, by its name."""
    environments = pipeline.components.environments
    hints = {
        name: each.resource_hints[_HINT].decode() if _HINT in each.resource_hints else ""
        for name, each in environments.items()
    }
    for each in environments.values():
        docker = messages.DockerPayload.FromString(each.payload)
        assert (each.urn, docker.container_image) == ("beam:env:docker:v1", IMAGE)
    return {
        each.unique_name: hints[each.environment_id]
        for each in pipeline.components.transforms.values()
        if each.environment_id and not each.subtransforms
    }


def with_accelerators(recipe: Path) -> Recipe:
    """A recipe whose models run on GPUs."""
    found = load_recipe(recipe)
    models = {
        name: model.model_copy(update={"accelerator": GPU})
        for name, model in found.models.items()
    }
    return found.model_copy(update={"models": models})


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_builds(bucket, tmp_path, path):
    recipe = with_accelerators(path)
    if any(model.engine == "vllm" for model in recipe.models.values()):
        recipe = recipe.only(list(recipe.of_kind("processed")))  # there are no answers here
    job = Job(recipe.rows_per_shard, f"{bucket}/out/.staging")
    validation = Validation(load_schemas(None), {})
    what = plan_build(recipe, path.parent, str(RAW), job, validation)
    found = steps(translated(lambda root: wire_build(root, what), bucket, tmp_path))
    assert len(found) > 20
    assert set(found.values()) == {""}


MODELS = [
    (path, name)
    for path in RECIPES
    for name, model in load_recipe(path).models.items()
    if model.engine == "vllm"
]


@pytest.mark.parametrize(
    ("path", "name"), MODELS, ids=lambda value: getattr(value, "stem", value)
)
def test_only_asking_a_model_needs_its_accelerator(bucket, tmp_path, path, name):
    recipe = with_accelerators(path)
    datasets = {
        d: e for d, e in recipe.of_kind("synthetic").items() if name in recipe.models_of(d)
    }
    asked = handler(recipe, name, f"{bucket}/attempts", Asking(elsewhere=True))
    answer = Generate(asked, {dataset: recipe.samples_of(dataset) for dataset in datasets})
    found = find_datasets(datasets, path.parent, str(RAW))
    plan = GeneratePlan(found, answer, f"{bucket}/attempts/result.json")
    pipeline = translated(lambda root: wire_generate(root, plan), bucket, tmp_path)
    hints = steps(pipeline)
    asking = {step for step, hint in hints.items() if hint == GPU}
    assert asking == {step for step in hints if step.startswith("Answers/Ask/")}
    assert asking
    assert set(hints.values()) == {"", GPU}


def test_a_stream(bucket, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f"models:\n  tiny: {{hub: tiny, accelerator: '{GPU}'}}\n"
        "datasets:\n  mmlu:\n  gsm8k-synthetic:\n"
    )
    watching = Watching("projects/my-project/subscriptions/files")
    asking = Asking(elsewhere=True)
    what = plan_stream(load_recipe(recipe), tmp_path, watching, f"{bucket}/out", Gate(), asking)
    pipeline = translated(lambda root: stream(root, what), bucket, tmp_path, "--streaming")
    hints = steps(pipeline)
    asking_steps = {step for step, hint in hints.items() if hint == GPU}
    assert asking_steps == {step for step in hints if "/Ask tiny/" in step}
    assert asking_steps
    named = [each.unique_name for each in pipeline.components.transforms.values()]
    assert any("Read notifications" in name for name in named)


def test_the_package_is_staged_where_the_container_lacks_it(bucket, tmp_path):
    recipe = load_recipe(ROOT / "recipes/quickstart.yaml").only(["mmlu"])
    what = plan_build(recipe, ROOT / "recipes", str(RAW), Job(20, f"{bucket}/out/.staging"))
    setup = f"--setup_file={ROOT / 'setup.py'}"
    pipeline = translated(lambda root: wire_build(root, what), bucket, tmp_path, setup)
    [environment] = pipeline.components.environments.values()
    staged = [
        messages.ArtifactStagingToRolePayload.FromString(each.role_payload).staged_name
        for each in environment.dependencies
    ]
    assert "workflow.tar.gz" in staged
    assert [path for path in files.below(bucket) if path.endswith("/workflow.tar.gz")]


# What would only be found out in the cloud


def test_folders_of_this_machine_are_refused(bucket):
    options = beam_options(flags(bucket))
    with pytest.raises(UserError, match=r"--raw raw is on this machine.*gs://BUCKET"):
        check_folders(options, {"--out": f"{bucket}/out", "--raw": "raw"})


def test_a_build_can_be_no_template(bucket):
    with pytest.raises(UserError, match="only a stream can be a template"):
        beam_options(flags(bucket, "--template_location=gs://bucket/template"))


def test_the_interpreter_is_that_of_the_containers(bucket):
    options = beam_options(flags(bucket))
    recipe, asking = load_recipe(ROOT / "recipes/thunder.yaml"), Asking().on(options)
    asked = handler(recipe, "qwen-32b", f"{bucket}/attempts", asking)
    assert asked.python == "/opt/vllm/bin/python"
