"""Beam's options: checked, and the local runner named."""

import pytest

from beam_thunder.errors import UserError
from beam_thunder.runners import beam_options
from beam_thunder.runners.options import is_local


@pytest.mark.parametrize("flags", [[], ["--runner=DirectRunner"], ["--runner", "DirectRunner"]])
def test_the_default_runner_is_named_so_that_none_is_downloaded(flags):
    options = beam_options(flags)
    assert options.get_all_options()["runner"] == "FnApiRunner"
    assert is_local(options)


def test_another_runner_is_kept_with_its_options():
    options = beam_options(["--runner=FlinkRunner", "--flink_master=localhost:8081"])
    assert options.get_all_options()["runner"] == "FlinkRunner"
    assert options.get_all_options()["flink_master"] == "localhost:8081"
    assert not is_local(options)


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
