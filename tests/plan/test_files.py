from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from whoworks.plan.files import write_whole


def test_files_are_written_and_nothing_is_left_beside_them(tmp_path: Path):
    write_whole({tmp_path / "a": "\u00e9\n", tmp_path / "b": "b\n"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"\xc3\xa9\n", "b": b"b\n"}


def test_a_link_is_followed(tmp_path: Path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_whole({tmp_path / "link": "x"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "x"


def test_where_one_file_cannot_be_written_none_is_and_it_is_named(tmp_path: Path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(FileNotFoundError) as refused:
        write_whole({tmp_path / "a": "new", tmp_path / "gone" / "b": "new"})
    assert refused.value.filename == str(tmp_path / "gone" / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


FULL = """
import resource, sys
from pathlib import Path
from whoworks.plan.files import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_whole({Path("small"): "x", Path("large"): "x" * 2000})
except OSError as error:
    print(error.filename)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit there on the size of files")
def test_a_full_disk_leaves_no_half_file(tmp_path: Path):
    said = subprocess.run([sys.executable, "-c", FULL], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said == "large\n"
    assert list(tmp_path.iterdir()) == []


def test_texts_that_are_no_unicode_touch_nothing(tmp_path: Path):
    with pytest.raises(UnicodeEncodeError):
        write_whole({tmp_path / "a": "fine", tmp_path / "b": "\udce9"})
    assert list(tmp_path.iterdir()) == []
