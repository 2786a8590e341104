"""What arrives is unpacked safely, or refused in one line."""

import errno
import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from frugal_edge.errors import InstallError
from frugal_edge.install import disk
from frugal_edge.install.archive import Limits, size, unpack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FILES = {"manifest.json": b"{}", "model.onnx": b"x" * 1000, "golden.json": b""}
SMALL = Limits(10_000)


def member(
    name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, link
    return info, data


def tar_of(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _arrive(source: Path, target: Path, limits: Limits) -> None:
    size(source, limits)
    unpack(source, target, limits)


def refused(tmp_path: Path, content: bytes, limits: Limits = SMALL) -> str:
    """Unpack an archive that must be refused; return the message."""
    source = tmp_path / "in" / "bundle.tar"
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(content)
    with pytest.raises(InstallError) as caught:
        _arrive(source, tmp_path / "out", limits)
    message = str(caught.value)
    assert "\n" not in message
    assert str(source) in message
    assert {p.name for p in tmp_path.iterdir()} <= {"in", "out"}
    assert list((tmp_path / "in").iterdir()) == [source]
    return message


@pytest.mark.parametrize("prefix", ["", "bundle/", "./", "./bundle/"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_way_to_pack_one_folder_is_read(tmp_path: Path, prefix: str, form: int) -> None:
    members = [member(prefix + name, data) for name, data in FILES.items()]
    if prefix:
        members.insert(0, member(prefix.rstrip("/"), kind=tarfile.DIRTYPE))
    for info, _ in members:
        info.mtime = 1.5 if form == tarfile.PAX_FORMAT else 1  # pax writes a header for it
    tar = tmp_path / "bundle.tar"
    tar.write_bytes(tar_of(*members, form=form))
    unpack(tar, tmp_path / "out", SMALL)
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == FILES


def test_what_gnu_tar_packs_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    subprocess.run(["tar", "cf", "bundle.tar", "bundle"], cwd=tmp_path, check=True)  # noqa: S607 - as a user does
    unpack(tmp_path / "bundle.tar", tmp_path / "out", SMALL)
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == FILES


def test_a_folder_is_copied(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    unpack(folder, tmp_path / "out", SMALL)
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == FILES


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "bundle/../../evil", "..", "bundle/..", "a/b/evil", "a//evil",
     ".hidden", "bundle/.hidden", "-option", "new\nline", "é", "a\\b", "./../evil", ""],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    assert "expected a" in refused(tmp_path, tar_of(member(name, b"evil")))
    assert not (tmp_path / "out" / "evil").exists()


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
     tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE, tarfile.GNUTYPE_LONGNAME, b"?"],
)  # fmt: skip
def test_only_plain_files_come_out(tmp_path: Path, kind: bytes) -> None:
    content = tar_of(member("bundle/link", kind=kind, link="/etc/passwd"))
    assert "expected only plain files" in refused(tmp_path, content)


def test_files_of_two_folders_are_refused(tmp_path: Path) -> None:
    content = tar_of(member("one/a", b"1"), member("two/b", b"2"))
    assert "expected all files in one folder" in refused(tmp_path, content)


def test_files_beside_a_folder_are_refused(tmp_path: Path) -> None:
    content = tar_of(member("a", b"1"), member("bundle/b", b"2"))
    assert "expected all files in one folder" in refused(tmp_path, content)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    content = tar_of(member("b/a", b"1"), member("./b/a", b"2"))
    assert "a: is there twice" in refused(tmp_path, content)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    content = tar_of(*(member(f"b/{i}", b"x") for i in range(33)))
    assert "expected at most 32 files" in refused(tmp_path, content, Limits())


def test_an_archive_without_files_is_refused(tmp_path: Path) -> None:
    assert "got none" in refused(tmp_path, tar_of(member("b", kind=tarfile.DIRTYPE)))


def test_too_large_a_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    assert "too large" in refused(tmp_path, tar_of(member("b/a", b"x" * 10_001)))


def test_files_too_large_together_are_refused(tmp_path: Path) -> None:
    content = tar_of(*(member(f"b/{i}", b"x" * 4000) for i in range(3)))
    assert "too large: expected at most 10000 bytes" in refused(tmp_path, content)


def test_an_archive_larger_than_its_bundle_may_be_is_refused(tmp_path: Path) -> None:
    content = tar_of(member("b/a", b"x")) + bytes(600_000)
    assert "too large: expected at most" in refused(tmp_path, content)


@pytest.mark.parametrize("claim", [-1, -(2**40), 2**62, 9_000])
def test_a_size_that_is_not_true_is_refused(tmp_path: Path, claim: int) -> None:
    info, _ = member("b/a")
    info.size = claim
    header = info.tobuf(tarfile.GNU_FORMAT)
    message = refused(tmp_path, header + b"x" * 512)
    assert any(word in message for word in ("negative size", "too large", "cut off"))


def test_a_compressed_archive_is_refused(tmp_path: Path) -> None:
    assert "not a plain tar" in refused(
        tmp_path, gzip.compress(tar_of(member("b/a", os.urandom(999))))
    )


def test_an_archive_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = tar_of(*(member(f"b/{name}", data) for name, data in FILES.items()))
    end = 3 * 512 + 512 + 1024  # headers, and the blocks of the two files that are not empty
    for cut in [0, 1, 511, 512, 600, 1024, end - 513, end - 1, end]:
        (tmp_path / str(cut)).mkdir()
        message = refused(tmp_path / str(cut), whole[:cut])
        assert "cut off" in message, cut


def test_damage_in_a_header_is_told(tmp_path: Path) -> None:
    whole = bytearray(tar_of(member("b/a", b"x" * 100), member("b/c", b"y")))
    whole[1024 + 3] ^= 1  # in the name of the second file
    assert "damaged: byte 1024: bad checksum" in refused(tmp_path, bytes(whole))


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda p: p.symlink_to("/etc/passwd")])
def test_a_folder_with_anything_but_files_is_refused(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    make(folder / "odd")
    with pytest.raises(InstallError, match="plain file"):
        unpack(folder, tmp_path / "out", SMALL)


@pytest.mark.parametrize("path", ["/dev/null", "/nowhere/bundle.tar"])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(InstallError, match=path):
        size(Path(path), SMALL)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_mutation_of_an_archive_does_harm(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("mutated")
    content = bytearray(tar_of(*(member(f"b/{name}", body) for name, body in FILES.items())))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 3 * 1024))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=16))
    (place / "bundle.tar").write_bytes(content)
    with suppress(InstallError):
        unpack(place / "bundle.tar", place / "out", SMALL)
    assert {p.name for p in place.iterdir()} <= {"bundle.tar", "out"}
    for path in place.glob("out/*"):
        assert path.is_file()
        assert path.stat().st_size <= SMALL.total


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=2000))
def test_no_bytes_do_harm(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("bytes")
    (place / "bundle.tar").write_bytes(content)
    with pytest.raises(InstallError):
        unpack(place / "bundle.tar", place / "out", SMALL)


def test_room_is_asked_for_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.check_room(tmp_path, 1, margin=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(free=1000))
    with pytest.raises(InstallError, match=r"no room: expected 1500 bytes free .* got 1000"):
        disk.check_room(tmp_path, 1000, margin=500)


class _Usage:
    def __init__(self, free: int) -> None:
        self.free = free


def test_a_file_that_may_not_grow_is_told(tmp_path: Path) -> None:
    tar = tmp_path / "bundle.tar"
    tar.write_bytes(tar_of(member("b/a", b"x" * 5000)))
    program = (
        "import resource, sys; from pathlib import Path;"
        "from frugal_edge.install.archive import Limits, unpack;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "unpack(Path(sys.argv[1]), Path(sys.argv[2]), Limits())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tar, tmp_path / "out"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert "InstallError" in done.stderr
    assert f"cannot be written: {os.strerror(errno.EFBIG)}" in done.stderr


def test_a_full_disk_is_told(tmp_path: Path, mounted: Callable[[str], Path]) -> None:
    tar = tmp_path / "bundle.tar"
    tar.write_bytes(tar_of(member("b/a", b"x" * 60_000), member("b/c", b"x" * 60_000)))
    full = mounted("size=96k")
    with pytest.raises(InstallError, match="No space left on device"):
        unpack(tar, full / "out", Limits())


def test_a_file_system_that_is_read_only_is_told(
    tmp_path: Path, mounted: Callable[[str], Path]
) -> None:
    tar = tmp_path / "bundle.tar"
    tar.write_bytes(tar_of(member("b/a", b"x")))
    with pytest.raises(InstallError, match="Read-only file system"):
        unpack(tar, mounted("ro") / "out", Limits())
