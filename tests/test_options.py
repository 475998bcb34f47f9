"""Beam's options: checked, and the local runner named."""

import http.server
import json
import os
import threading

import pytest

from beam_thunder.errors import UserError
from beam_thunder.generate import Asking
from beam_thunder.runners.options import beam_options, is_local, workers_elsewhere
from beam_thunder.runners.streaming import stream_options


@pytest.mark.parametrize("flags", [[], ["--runner=DirectRunner"], ["--runner", "DirectRunner"]])
def test_the_default_runner_is_named_so_that_none_is_downloaded(flags):
    options = beam_options(flags)
    assert options.get_all_options()["runner"] == "FnApiRunner"
    assert is_local(options)


def test_another_runner_is_kept_with_its_options():
    options = beam_options(["--runner=PortableRunner", "--job_endpoint=localhost:8073"])
    assert options.get_all_options()["runner"] == "PortableRunner"
    assert options.get_all_options()["job_endpoint"] == "localhost:8073"
    assert not is_local(options)


def test_an_unknown_runner_is_refused_with_the_one_that_was_meant():
    with pytest.raises(UserError, match="did you mean 'FlinkRunner'"):
        beam_options(["--runner", "FlinkRuner"])


def test_options_beside_the_local_runner_are_kept():
    options = beam_options(["--runner", "DirectRunner", "--direct_num_workers", "2"])
    assert options.get_all_options()["direct_num_workers"] == 2


@pytest.mark.parametrize("flag", ["--direct_num_worker", "--onlly", "stray"])
def test_what_beam_would_pass_over_is_an_error(flag):
    with pytest.raises(UserError, match="unknown option"):
        beam_options([flag, "2"])


def test_several_known_options_of_different_runners_pass():
    flags = ["--region=x", "--temp_location=/tmp/x", "--parallelism=4", "--streaming"]
    assert beam_options(flags).get_all_options()["parallelism"] == 4


# Flink, as far as it shows without a cluster


@pytest.fixture
def java(tmp_path, monkeypatch):
    """A path with a `java` on it, which nothing here runs."""
    program = tmp_path / "bin" / "java"
    program.parent.mkdir()
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)


@pytest.fixture
def flink(java):
    """What answers as the REST interface of a Flink 1.19 with two task slots does."""

    class Overview(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"flink-version": "1.19.3", "slots-total": 2}).encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Overview)
    threading.Thread(target=server.serve_forever).start()
    yield f"localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def jar(tmp_path):
    path = tmp_path / "job-server.jar"
    path.write_bytes(b"PK")
    return str(path)


def on_flink(master, *flags):
    where = ["--runner", "FlinkRunner", "--flink_master", master, "--flink_version", "1.19"]
    return beam_options([*where, *flags]).get_all_options()


def test_workers_on_this_machine_are_started_from_this_environment(flink, jar):
    settings = on_flink(flink, "--flink_job_server_jar", jar)
    assert settings["environment_type"] == "PROCESS"
    assert json.loads(settings["environment_config"])["command"].endswith("beam-thunder-worker")


def test_how_workers_are_started_is_the_users_choice(flink, jar):
    settings = on_flink(flink, "--flink_job_server_jar", jar, "--environment_type", "LOOPBACK")
    assert (settings["environment_type"], settings["environment_config"]) == ("LOOPBACK", None)


@pytest.mark.parametrize(
    ("flags", "elsewhere"),
    [
        ((), False),
        (("--environment_type=LOOPBACK",), False),
        (("--environment_type=EXTERNAL", "--environment_config=localhost:50000"), True),
        (("--environment_type=DOCKER", "--environment_config=image"), True),
    ],
)
def test_of_workers_in_containers_this_machine_says_nothing(flink, jar, flags, elsewhere):
    """So neither their sandbox nor their interpreter with vLLM is looked for on it."""
    where = ["--runner=FlinkRunner", f"--flink_master={flink}", "--flink_version=1.19"]
    options = beam_options([*where, f"--flink_job_server_jar={jar}", *flags])
    assert workers_elsewhere(options) is elsewhere
    assert Asking().on(options).elsewhere is elsewhere


def test_workers_last_from_step_to_step_unless_the_user_says_for_how_long(flink, jar):
    given = ["--flink_job_server_jar", jar]
    assert on_flink(flink, *given)["environment_cache_millis"] == "10000"
    given += ["--environment_cache_millis", "5"]
    assert on_flink(flink, *given)["environment_cache_millis"] == "5"


def test_options_of_the_job_server_pass(flink, jar):
    on_flink(flink, "--flink_job_server_jar", jar, "--checkpointing_interval", "3000")


def test_streams_take_checkpoints_at_which_nothing_is_left_behind(flink, jar):
    where = ["--runner", "FlinkRunner", "--flink_master", flink, "--flink_version", "1.19"]
    flags = [*where, "--flink_job_server_jar", jar]
    settings = stream_options(flags).get_all_options(retain_unknown_options=True)
    assert settings["checkpointing_interval"] == "10000"
    assert settings["finish_bundle_before_checkpointing"] is True
    assert "shutdown_sources_after_idle_ms" not in settings
    given = stream_options([*flags, "--checkpointing_interval=3000"], ends=True)
    settings = given.get_all_options(retain_unknown_options=True)
    assert settings["checkpointing_interval"] == "3000"
    assert settings["shutdown_sources_after_idle_ms"] == "5000"


def test_where_java_is_missing_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="apt-get install default-jre-headless"):
        on_flink("[auto]")


def test_a_master_that_does_not_answer_is_named(java):
    with pytest.raises(UserError, match="localhost:1: no Flink answers there"):
        on_flink("localhost:1")


def test_another_version_is_refused(flink, jar):
    with pytest.raises(UserError, match=r"Flink 1\.19\.3, and --flink_version is 1\.20"):
        on_flink(flink, "--flink_job_server_jar", jar, "--flink_version", "1.20")


def test_more_parallelism_than_slots_is_refused(flink, jar):
    with pytest.raises(UserError, match=r"--parallelism 3: .* has 2 task slots"):
        on_flink(flink, "--flink_job_server_jar", jar, "--parallelism", "3")


def test_a_job_server_that_is_not_there_is_refused(flink):
    with pytest.raises(UserError, match=r"no-such\.jar: no such file"):
        on_flink(flink, "--flink_job_server_jar", "/no-such.jar")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('{"command": "/no/such/worker"}', "no program '/no/such/worker'"),
        ("/bin/true", "expected {"),
        ("{}", "expected {"),
    ],
)
def test_a_worker_that_cannot_be_started_is_refused(flink, jar, config, message):
    with pytest.raises(UserError, match=message):
        on_flink(
            flink,
            *("--flink_job_server_jar", jar),
            *("--environment_type", "PROCESS", "--environment_config", config),
        )


def test_a_container_without_this_package_is_refused(flink, jar):
    with pytest.raises(UserError, match="lacks this package"):
        on_flink(flink, "--flink_job_server_jar", jar, "--environment_type", "DOCKER")


# Prism


def test_prism_is_looked_for_where_make_puts_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    built = tmp_path / ".prism" / "prism"
    built.parent.mkdir()
    built.touch()
    settings = beam_options(["--runner", "PrismRunner"]).get_all_options()
    assert settings["prism_location"] == str(built)


def test_where_prism_is_missing_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="make prism"):
        beam_options(["--runner", "PrismRunner"])
    with pytest.raises(UserError, match="/no/prism: no such file"):
        beam_options(["--runner", "PrismRunner", "--prism_location", "/no/prism"])


# Dataflow


CLOUD = {
    "--project": "p",
    "--region": "r",
    "--temp_location": "gs://b/tmp",
    "--sdk_container_image": "image:1",
}


def in_the_cloud(**changes):
    flags = {**CLOUD, **{f"--{name}": value for name, value in changes.items()}}
    given = [each for flag, value in flags.items() if value for each in (flag, value)]
    return beam_options(["--runner", "DataflowRunner", *given])


def test_dataflow_takes_what_it_needs():
    options = in_the_cloud()
    assert options.get_all_options()["region"] == "r"
    assert workers_elsewhere(options)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"project": ""}, "needs --project"),
        ({"region": ""}, "needs --region"),
        ({"temp_location": ""}, "needs --temp_location"),
        ({"temp_location": "/tmp"}, "--temp_location /tmp: expected a folder in a bucket"),
        ({"sdk_container_image": ""}, "lacks this package"),
    ],
)
def test_what_dataflow_would_find_out_later_is_found_out_now(changes, message):
    with pytest.raises(UserError, match=message):
        in_the_cloud(**changes)
