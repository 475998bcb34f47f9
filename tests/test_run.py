"""What a run that fails says: the user's own error, or why a cluster gave the job up."""

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from beam_thunder.errors import BuildRefused, RawFileError
from beam_thunder.runners.run import run


def fails(message):
    def wire(_):
        raise RuntimeError(message)

    run(PipelineOptions(["--runner=FnApiRunner"]), wire)


def test_what_a_worker_found_wrong_comes_out_of_its_traceback():
    with pytest.raises(RawFileError) as raised:
        fails(
            "Error received from SDK harness for instruction 7: Traceback (most recent call "
            'last):\n  File "read.py", line 1, in process\nbeam_thunder.errors.RawFileError: '
            "a.parquet: not a Parquet file; fetch it again [while running 'Read gsm8k']\n\n"
            "\tat java.util.concurrent.CompletableFuture.get(CompletableFuture.java:1)\n"
        )
    assert str(raised.value) == "a.parquet: not a Parquet file; fetch it again"


def test_a_job_that_a_cluster_gave_up_is_told_with_the_reason():
    with pytest.raises(
        BuildRefused, match=r"gave the job up: java\.lang\.OutOfMemoryError: Ja"
    ):
        fails(
            "Pipeline beam-thunder-1 failed in state FAILED: java.lang.OutOfMemoryError: Java "
            "heap space"
        )


def test_other_failures_keep_their_traceback():
    with pytest.raises(RuntimeError, match="something else"):
        fails("something else")
