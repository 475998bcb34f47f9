import logging
import random
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from hub_server import Answer, Break, HubServer
from rich.console import Console

from beam_thunder.catalog import find
from beam_thunder.errors import UserError
from beam_thunder.fetch import fetch, show

GSM8K, GSM8K_SYNTHETIC = find("gsm8k"), find("gsm8k-synthetic")
REPO, TRAIN = "openai/gsm8k", "main/train-00000-of-00001.parquet"
TOKEN = "hf_onlyForTheseTests"
MIB = 1 << 20
# huggingface_hub writes 10 MiB at a time, so only of more than that can a part be kept.
LONG = random.Random(0).randbytes(12 * MIB)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the user's token nor a proxy takes part, and no request leaves the machine."""
    import huggingface_hub
    from huggingface_hub import constants

    unset = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE")
    for name in (*unset, "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "home" / "token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    huggingface_hub.close_session()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    files = {
        "README.md": b"# GSM8K\n",
        "main/test-00000-of-00001.parquet": b"not asked for",
        TRAIN: b"PAR1 main PAR1",
        "socratic/train-00000-of-00001.parquet": b"not asked for either",
    }
    with HubServer(repos={REPO: files}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Attempts follow each other at once; what they would have waited is noted, in seconds."""
    noted: list[float] = []
    monkeypatch.setattr(time, "sleep", noted.append)
    return noted


def refused(*entries, to: Path, revision: str | None = None) -> str:
    with pytest.raises(UserError) as caught:
        fetch(entries, to, revision=revision)
    return str(caught.value)


def files_in(folder: Path) -> list[str]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in paths)


# What is fetched, and where it lands


def test_a_file_lands_at_repository_and_path(hub: HubServer, tmp_path: Path) -> None:
    (fetched,) = fetch([GSM8K], tmp_path)
    assert fetched.path == tmp_path / REPO / TRAIN
    assert fetched.path.read_bytes() == b"PAR1 main PAR1"
    assert (fetched.size, fetched.licence, fetched.present) == (14, "mit", False)
    assert fetched.origin == f"{hub.url}/datasets/{REPO}"


def test_a_large_file_comes_from_the_storage(hub: HubServer, tmp_path: Path) -> None:
    hub.repos[REPO][TRAIN] = LONG[:5000]
    (fetched,) = fetch([GSM8K], tmp_path)
    assert fetched.path.read_bytes() == LONG[:5000]
    assert [each.host for each in hub.downloads()] == ["127.0.0.1", "localhost"]


def test_only_the_named_files_are_asked_for(hub: HubServer, tmp_path: Path) -> None:
    fetch([GSM8K], tmp_path)
    assert [each.path for each in hub.downloads()] == [hub.file_url(REPO, TRAIN)]
    assert files_in(tmp_path) == [f"{REPO}/{TRAIN}"]


def test_all_files_of_a_pattern_come_in_order(hub: HubServer, tmp_path: Path) -> None:
    names = [f"data/{subject}-train.csv" for subject in ("Law", "Biology", "Math")]
    hub.repos["HAERAE-HUB/KMMLU"] = {name: name.encode() for name in names}
    fetched = fetch([find("kmmlu")], tmp_path)
    folder = tmp_path / "HAERAE-HUB/KMMLU"
    assert [file.path for file in fetched] == [folder / name for name in sorted(names)]


def test_datasets_with_the_same_files_have_them_once(hub: HubServer, tmp_path: Path) -> None:
    (fetched,) = fetch([GSM8K, GSM8K_SYNTHETIC], tmp_path)
    assert fetched.names == ("gsm8k", "gsm8k-synthetic")
    assert len(hub.downloads()) == 1


def test_of_two_patterns_the_first_that_matches_counts(hub: HubServer, tmp_path: Path) -> None:
    # Both hold the same rows, so both together would double them.
    hub.repos["beomi/KoAlpaca-v1.1a"] = {"data/train-0.parquet": b"a", "KoAlpaca.jsonl": b"b"}
    (fetched,) = fetch([find("koalpaca")], tmp_path)
    assert fetched.path.name == "train-0.parquet"


def test_the_second_pattern_counts_where_the_first_fails(
    hub: HubServer, tmp_path: Path
) -> None:
    hub.repos["beomi/KoAlpaca-v1.1a"] = {"README.md": b"a", "KoAlpaca.jsonl": b"b"}
    (fetched,) = fetch([find("koalpaca")], tmp_path)
    assert fetched.path.name == "KoAlpaca.jsonl"


def test_a_revision_is_passed_on(hub: HubServer, tmp_path: Path) -> None:
    fetch([GSM8K], tmp_path, revision="main")
    assert hub.seen[0].path == f"/api/datasets/{REPO}/revision/main"


def test_a_listed_name_cannot_lead_out_of_the_folder(hub: HubServer, tmp_path: Path) -> None:
    # fnmatch's star matches slashes and dots too.
    hub.repos[REPO] = {"main/train-/../../../../out.parquet": b"x"}
    assert "no file of openai/gsm8k matches" in refused(GSM8K, to=tmp_path / "raw")
    assert not (tmp_path / "out.parquet").exists()


# What is there already


@pytest.mark.parametrize("size", [14, 5000])  # a small file and a large one
def test_a_complete_file_is_not_sent_again(hub: HubServer, tmp_path: Path, size: int) -> None:
    hub.repos[REPO][TRAIN] = LONG[:size]
    fetch([GSM8K], tmp_path)
    before = hub.sent
    (fetched,) = fetch([GSM8K], tmp_path)
    assert fetched.present
    assert hub.sent == before == size


def test_a_file_that_came_another_way_counts(hub: HubServer, tmp_path: Path) -> None:
    path = tmp_path / REPO / TRAIN
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 main PAR1")
    (fetched,) = fetch([GSM8K], tmp_path)
    assert fetched.present
    assert hub.sent == 0


def test_a_file_with_other_content_is_replaced(hub: HubServer, tmp_path: Path) -> None:
    path = tmp_path / REPO / TRAIN
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 MAIN PAR1")  # of the same size
    (fetched,) = fetch([GSM8K], tmp_path)
    assert not fetched.present
    assert path.read_bytes() == b"PAR1 main PAR1"


def test_files_of_another_revision_are_refused(hub: HubServer, tmp_path: Path) -> None:
    old = tmp_path / REPO / "main/train-00000-of-00002.parquet"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"the same rows")
    message = refused(GSM8K, to=tmp_path)
    assert "main/train-00000-of-00002.parquet" in message
    assert "remove them, or fetch into another folder" in message


# Interruptions


def interrupt(hub: HubServer, to: Path) -> str:
    """A call that gets 11 of 12 MiB, of which huggingface_hub has written 10."""
    hub.repos[REPO][TRAIN] = LONG
    hub.trouble[hub.file_url(REPO, TRAIN)].extend([Break(11 * MIB), Answer(500)])
    return refused(GSM8K, to=to)


def test_an_interruption_names_file_host_and_cure(
    hub: HubServer, waits: list[float], tmp_path: Path
) -> None:
    message = interrupt(hub, tmp_path)
    assert f"{TRAIN} of {REPO} from 127.0.0.1: answered 500" in message
    assert "run the same command again: it continues where it stopped" in message


def test_an_interruption_leaves_nothing_that_a_build_would_read(
    hub: HubServer, waits: list[float], tmp_path: Path
) -> None:
    interrupt(hub, tmp_path)
    (left,) = files_in(tmp_path)
    assert Path(left).name.startswith(".train-00000-of-00001.parquet.")
    assert list((tmp_path / REPO).glob(GSM8K.files[0])) == []


def test_the_next_call_continues_where_it_stopped(
    hub: HubServer, waits: list[float], tmp_path: Path
) -> None:
    interrupt(hub, tmp_path)
    hub.seen.clear()
    before = hub.sent
    (fetched,) = fetch([GSM8K], tmp_path)
    assert {each.headers.get("range") for each in hub.downloads()} == {f"bytes={10 * MIB}-"}
    assert hub.sent - before == 2 * MIB
    assert fetched.path.read_bytes() == LONG
    assert files_in(tmp_path) == [f"{REPO}/{TRAIN}"]


def test_a_server_that_knows_no_ranges_sends_all_again(
    hub: HubServer, waits: list[float], tmp_path: Path
) -> None:
    interrupt(hub, tmp_path)
    hub.ranges = False
    (fetched,) = fetch([GSM8K], tmp_path)
    assert fetched.path.read_bytes() == LONG


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_broken_connection_is_taken_up_in_the_same_call(
    hub: HubServer, waits: list[float], tmp_path: Path, how: str
) -> None:
    hub.repos[REPO][TRAIN] = LONG
    hub.trouble[hub.file_url(REPO, TRAIN)].append(Break(11 * MIB, how))
    (fetched,) = fetch([GSM8K], tmp_path)
    assert fetched.path.read_bytes() == LONG
    assert waits == [1]


def test_a_connection_that_is_always_reset_ends_in_an_error(
    hub: HubServer, waits: list[float], tmp_path: Path
) -> None:
    hub.repos[REPO][TRAIN] = LONG
    hub.trouble[hub.file_url(REPO, TRAIN)].extend([Break(0, "reset")] * 9)
    assert "ReadError" in refused(GSM8K, to=tmp_path)
    assert len(waits) == 2


def test_a_killed_process_is_continued(hub: HubServer, tmp_path: Path) -> None:
    hub.repos[REPO][TRAIN] = LONG
    hub.trouble[hub.file_url(REPO, TRAIN)].append(Break(11 * MIB, "wait"))
    program = (
        "import sys, pathlib, beam_thunder.catalog as c, beam_thunder.fetch as f;"
        "f.fetch([c.find('gsm8k')], pathlib.Path(sys.argv[1]))"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    try:
        deadline = time.monotonic() + 30
        while sum(path.stat().st_size for path in tmp_path.rglob("*.part")) < 10 * MIB:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    before = hub.sent
    (fetched,) = fetch([GSM8K], tmp_path)
    assert hub.sent - before == 2 * MIB
    assert fetched.path.read_bytes() == LONG


def test_a_part_of_another_revision_is_not_continued(
    hub: HubServer, waits: list[float], tmp_path: Path
) -> None:
    interrupt(hub, tmp_path)
    hub.repos[REPO][TRAIN] = LONG[::-1]
    (fetched,) = fetch([GSM8K], tmp_path)
    assert fetched.path.read_bytes() == LONG[::-1]


def test_other_bytes_than_the_listed_ones_are_removed(hub: HubServer, tmp_path: Path) -> None:
    hub.wrong[TRAIN] = b"PAR1 evil PAR1"
    message = refused(GSM8K, to=tmp_path)
    assert "sent other bytes than the Hub lists" in message
    assert files_in(tmp_path) == []


def test_more_bytes_than_the_listed_ones_do_not_last(hub: HubServer, tmp_path: Path) -> None:
    hub.wrong[TRAIN] = b"PAR1 main PAR1 and more"
    refused(GSM8K, to=tmp_path)
    hub.wrong.clear()
    (fetched,) = fetch([GSM8K], tmp_path)
    assert fetched.path.read_bytes() == b"PAR1 main PAR1"


# The token


def test_the_token_goes_to_the_hub_and_not_to_the_storage(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    hub.repos[REPO][TRAIN] = LONG[:5000]
    fetch([GSM8K], tmp_path)
    given = [(each.host, each.headers.get("authorization")) for each in hub.seen]
    assert given == [
        ("127.0.0.1", f"Bearer {TOKEN}"),  # the list
        ("127.0.0.1", f"Bearer {TOKEN}"),  # the file, which is elsewhere
        ("localhost", None),
    ]


def test_without_a_token_none_is_sent(hub: HubServer, tmp_path: Path) -> None:
    fetch([GSM8K], tmp_path)
    assert all("authorization" not in each.headers for each in hub.seen)


@pytest.mark.parametrize("path", ["list", "file"])
def test_the_token_is_never_shown(
    hub: HubServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    waits: list[float],
    tmp_path: Path,
    path: str,
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    caplog.set_level(logging.DEBUG)
    asked = f"/api/datasets/{REPO}" if path == "list" else hub.file_url(REPO, TRAIN)
    hub.trouble[asked].append(Answer(403, "GatedRepo", "Access is restricted"))
    with pytest.raises(UserError) as caught:
        fetch([GSM8K], tmp_path, console=Console())
    shown = "".join(traceback.format_exception(caught.value))
    assert TOKEN in hub.seen[0].headers["authorization"]
    assert TOKEN not in shown + caplog.text + "".join(capfd.readouterr())


def test_a_token_that_cannot_be_sent_is_not_shown(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}\x07")
    message = refused(GSM8K, to=tmp_path)
    assert "set HF_TOKEN again" in message
    assert TOKEN not in message


# What the Hub may answer


def test_a_missing_repository_is_named_with_its_page(hub: HubServer, tmp_path: Path) -> None:
    message = refused(find("hellaswag"), to=tmp_path)
    assert "Rowan/hellaswag" in message
    assert f"see whether {hub.url}/datasets/Rowan/hellaswag is there" in message
    assert "set HF_TOKEN or run `hf auth login`" in message


@pytest.mark.parametrize("status", [401, 403])  # without a token, and with one
@pytest.mark.parametrize("path", ["list", "file"])
def test_a_gated_repository_says_where_to_accept_its_terms(
    hub: HubServer, tmp_path: Path, path: str, status: int
) -> None:
    asked = f"/api/datasets/{REPO}" if path == "list" else hub.file_url(REPO, TRAIN)
    hub.trouble[asked].append(Answer(status, "GatedRepo", "Access is restricted"))
    message = refused(GSM8K, to=tmp_path)
    assert f"accept its terms at {hub.url}/datasets/{REPO}" in message
    assert "then set HF_TOKEN or run `hf auth login`" in message


def test_a_refused_token_says_how_to_give_another(hub: HubServer, tmp_path: Path) -> None:
    refusal = Answer(401, "", "Invalid credentials in Authorization header")
    hub.trouble[f"/api/datasets/{REPO}"].append(refusal)
    message = refused(GSM8K, to=tmp_path)
    assert "answered 401 Invalid credentials" in message
    assert "`hf auth login`" in message


def test_a_missing_revision_says_where_to_find_one(hub: HubServer, tmp_path: Path) -> None:
    message = refused(GSM8K, to=tmp_path, revision="v9")
    assert "Invalid rev id: v9" in message
    assert f"{hub.url}/datasets/{REPO}/tree/main shows its branches and tags" in message


def test_a_pattern_without_a_match_says_what_is_there(hub: HubServer, tmp_path: Path) -> None:
    del hub.repos[REPO][TRAIN]
    message = refused(GSM8K, to=tmp_path)
    assert "no file of openai/gsm8k matches 'main/train-*.parquet'" in message
    assert "3 files are: README.md, main/test-00000-of-00001.parquet" in message


def test_a_failing_hub_is_named(hub: HubServer, tmp_path: Path) -> None:
    hub.trouble[f"/api/datasets/{REPO}"].append(Answer(500, "", "on fire"))
    message = refused(GSM8K, to=tmp_path)
    assert f"the list of files of {REPO} from 127.0.0.1: answered 500 on fire" in message
    assert "run the same command again" in message


def test_a_hub_that_cannot_be_reached_is_named(
    monkeypatch: pytest.MonkeyPatch, waits: list[float], tmp_path: Path
) -> None:
    with HubServer() as gone:
        monkeypatch.setenv("HF_ENDPOINT", gone.url)
    message = refused(GSM8K, to=tmp_path)
    assert "from 127.0.0.1: ConnectError" in message
    assert "run the same command again" in message


def test_a_storage_that_cannot_be_reached_is_named(
    hub: HubServer, waits: list[float], tmp_path: Path
) -> None:
    hub.repos[REPO][TRAIN] = LONG[:5000]
    hub.trouble[hub.file_url(REPO, TRAIN)].extend([Break(0)] * 6)
    assert f"{TRAIN} of {REPO} from localhost: RemoteProtocolError" in refused(
        GSM8K, to=tmp_path
    )


def test_a_login_page_instead_of_the_hub_is_an_error(hub: HubServer, tmp_path: Path) -> None:
    # As a hotel's network answers, with 200.
    hub.files[f"/api/datasets/{REPO}"] = b"<html>Please pay</html>"
    assert "JSONDecodeError" in refused(GSM8K, to=tmp_path)


def test_a_folder_that_cannot_be_written_is_named(hub: HubServer, tmp_path: Path) -> None:
    (tmp_path / "raw").write_text("a file, not a folder")
    message = refused(GSM8K, to=tmp_path / "raw")
    assert str(tmp_path / "raw") in message
    assert "see that the folder can be written" in message


def test_what_was_fetched_before_an_error_stays(hub: HubServer, tmp_path: Path) -> None:
    refused(GSM8K, find("hellaswag"), to=tmp_path)
    assert files_in(tmp_path) == [f"{REPO}/{TRAIN}"]


# A publisher's own address

MWP = find("mwp-korean-2021")
MWP_FILE = "mwp-korean-data-2021/public_mwp_data.json"


@pytest.fixture
def mwp(hub: HubServer):
    hub.files["/mwp.json"] = b'{"1": {}}' * 1000
    return replace(MWP, url=f"{hub.url}/mwp.json")


def test_a_publishers_file_lands_where_its_release_has_it(
    mwp, hub: HubServer, tmp_path: Path
) -> None:
    (fetched,) = fetch([mwp], tmp_path)
    assert fetched.path == tmp_path / MWP_FILE
    assert fetched.path.read_bytes() == hub.files["/mwp.json"]
    assert (fetched.origin, fetched.size, fetched.present) == (mwp.url, 9000, False)


def test_other_users_may_read_a_publishers_file(mwp, tmp_path: Path) -> None:
    # The workers of a cluster often run as another user.
    (fetched,) = fetch([mwp], tmp_path)
    assert stat.S_IMODE(fetched.path.stat().st_mode) & 0o044 == 0o044


def test_a_publishers_file_is_not_asked_for_again(mwp, hub: HubServer, tmp_path: Path) -> None:
    fetch([mwp], tmp_path)
    hub.seen.clear()
    (fetched,) = fetch([mwp], tmp_path)
    assert fetched.present
    assert hub.seen == []


def test_a_publishers_file_is_tried_again(
    mwp, hub: HubServer, waits: list[float], tmp_path: Path
) -> None:
    hub.trouble["/mwp.json"].extend([Break(100), Answer(503)])
    (fetched,) = fetch([mwp], tmp_path)
    assert fetched.path.read_bytes() == hub.files["/mwp.json"]
    assert len(hub.seen) == 3


def test_an_interrupted_publishers_file_leaves_nothing(
    mwp, hub: HubServer, waits: list[float], tmp_path: Path
) -> None:
    hub.trouble["/mwp.json"].extend([Break(100)] * 3)
    message = refused(mwp, to=tmp_path)
    assert f"cannot fetch {MWP_FILE} from 127.0.0.1" in message
    assert "run the same command again" in message
    assert files_in(tmp_path) == []


def test_a_publishers_file_that_has_moved_is_named(
    mwp, hub: HubServer, waits: list[float], tmp_path: Path
) -> None:
    del hub.files["/mwp.json"]
    assert refused(mwp, to=tmp_path).endswith(f"see whether {mwp.url} is there")


def test_a_publishers_file_has_no_revisions(mwp, hub: HubServer, tmp_path: Path) -> None:
    assert "without --revision" in refused(mwp, to=tmp_path, revision="v1")
    assert hub.seen == []


# What is shown


def shown(fetched) -> str:
    screen = StringIO()
    show(fetched, Console(file=screen, width=160))
    return screen.getvalue()


def test_the_table_shows_licence_and_origin(hub: HubServer, tmp_path: Path) -> None:
    text = shown(fetch([GSM8K, GSM8K_SYNTHETIC], tmp_path))
    for word in ("gsm8k-synthetic", "14 bytes", "mit", f"{hub.url}/datasets/{REPO}"):
        assert word in text


def test_the_table_is_printed_where_a_console_is_given(hub: HubServer, tmp_path: Path) -> None:
    screen = StringIO()
    fetched = fetch([GSM8K], tmp_path, console=Console(file=screen, width=160))
    assert screen.getvalue() == shown(fetched)


def test_the_table_tells_what_was_there_already(hub: HubServer, tmp_path: Path) -> None:
    fetch([GSM8K], tmp_path)
    assert "1, 1 already there" in shown(fetch([GSM8K], tmp_path))


@pytest.mark.parametrize(
    ("licence", "meaning"),
    [
        ("cc-by-nc-4.0", "not for commercial use"),
        ("cc-by-nd-4.0", "do not pass on what is built from it"),
        ("unknown", "no licence is stated"),
    ],
)
def test_a_restrictive_licence_is_explained(
    hub: HubServer, tmp_path: Path, licence: str, meaning: str
) -> None:
    (line,) = [
        line
        for line in shown(fetch([replace(GSM8K, licence=licence)], tmp_path)).splitlines()
        if meaning in line
    ]
    assert line.startswith(f"gsm8k ({licence}): ")


@pytest.mark.parametrize("licence", ["mit", "apache-2.0", "cc-by-sa-4.0"])
def test_other_licences_are_not_explained(hub: HubServer, tmp_path: Path, licence: str) -> None:
    assert "gsm8k (" not in shown(fetch([replace(GSM8K, licence=licence)], tmp_path))


# Importing


def test_importing_it_loads_nothing_that_downloads() -> None:
    heavy = "{'huggingface_hub', 'pooch', 'rich', 'httpx2', 'requests'}"
    program = f"import sys, beam_thunder.fetch; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_hub_may_be_named_after_the_import(
    hub: HubServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with HubServer(repos=hub.repos) as mirror:
        monkeypatch.setenv("HF_ENDPOINT", f"{mirror.url}/")
        fetch([GSM8K], tmp_path)
        assert len(mirror.seen) == 2
    assert hub.seen == []
