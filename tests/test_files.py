"""Files that are written whole or not at all."""

import threading
from pathlib import Path

import pytest

from beam_thunder import files


@pytest.mark.parametrize("durable", [True, False])
def test_who_reads_while_two_write_sees_one_or_the_other_whole(tmp_path, durable):
    path, size = str(tmp_path / "folder" / "file"), 200_000
    contents = [bytes([letter]) * size for letter in b"ab"]
    files.write(path, contents[0], durable)
    done = threading.Event()

    def write(content: bytes) -> None:
        while not done.is_set():
            files.write(path, content, durable)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    seen = {files.read(path) for _ in range(50)}
    done.set()
    for thread in threads:
        thread.join()
    assert seen <= set(contents)
    assert [each.name for each in Path(path).parent.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_file_that_was_there(tmp_path):
    path = str(tmp_path / "file")
    files.write(path, b"first")
    with pytest.raises(TypeError):
        files.write(path, 7)
    assert files.read(path) == b"first"
