import hashlib
import io
import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from frugal_edge.bundle import open_bundle
from frugal_edge.manifest import FileEntry
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import verify_folder

from frugal_ai.errors import OutputError, ReleaseError
from frugal_ai.release.keys import KeyPair, read_private_key
from frugal_ai.release.pack import pack_bundle, tar_of
from frugal_ai.release.sign import sign_bundle


@pytest.fixture
def signed(bundle: Path, keys: KeyPair) -> Path:
    sign_bundle(bundle, read_private_key(keys.private))
    return bundle


def test_a_packed_bundle_comes_out_as_it_was_signed(
    signed: Path, keys: KeyPair, tmp_path: Path
) -> None:
    archive = pack_bundle(signed, tmp_path / "a.tar")
    content = archive.file.read_bytes()
    assert archive.size == len(content)
    assert archive.sha256 == hashlib.sha256(content).hexdigest()
    assert archive.signer == keys.id
    with tarfile.open(archive.file, "r:") as tar:  # plain, not compressed
        members = tar.getmembers()
        tar.extractall(tmp_path / "out", filter="data")
    (folder,) = (tmp_path / "out").iterdir()
    assert [m.name for m in members] == sorted(f"{folder.name}/{p.name}" for p in signed.iterdir())
    for member in members:
        assert member.isreg()
        found = (member.mode, member.mtime, member.uid, member.gid, member.uname, member.gname)
        assert found == (0o644, 0, 0, 0, "", "")
    assert verify_folder(folder, TrustStore.read(keys.public)).key_id == keys.id


def test_the_same_content_gives_the_same_bytes(signed: Path, tmp_path: Path) -> None:
    first = pack_bundle(signed, tmp_path / "a.tar")
    other = tmp_path / "elsewhere"
    other.mkdir()
    for path in sorted(signed.iterdir(), reverse=True):
        shutil.copy(path, other)
        (other / path.name).chmod(0o600)
        os.utime(other / path.name, (1, 1))
    assert pack_bundle(other, tmp_path / "b.tar").sha256 == first.sha256


def test_an_archive_lies_where_one_works_under_the_name_of_the_bundle(
    signed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    archive = pack_bundle(signed, None)
    with tarfile.open(archive.file) as tar:
        assert archive.file == Path(f"{tar.getnames()[0].partition('/')[0]}.tar")


def test_an_unsigned_bundle_is_packed_only_if_asked_for(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ReleaseError, match=r"not signed: expected model.sig by frugal-ai sign, or "
    ):
        pack_bundle(bundle, tmp_path / "a.tar")
    assert not (tmp_path / "a.tar").exists()
    archive = pack_bundle(bundle, tmp_path / "a.tar", unsigned=True)
    assert archive.signer is None
    with tarfile.open(archive.file) as tar:
        assert not [name for name in tar.getnames() if name.endswith("model.sig")]


def test_a_signature_of_another_bundle_is_refused(signed: Path, tmp_path: Path) -> None:
    manifest = signed / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    with pytest.raises(ReleaseError, match=r"altered since it was signed: .*; sign it anew"):
        pack_bundle(signed, tmp_path / "a.tar")


def test_a_place_that_cannot_be_written_is_said(signed: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        pack_bundle(signed, tmp_path / "absent" / "a.tar")


def test_unsigned_leaves_out_a_signature_that_is_there(signed: Path, tmp_path: Path) -> None:
    archive = pack_bundle(signed, tmp_path / "a.tar", unsigned=True)
    content = io.BytesIO(archive.file.read_bytes())
    with tarfile.open(fileobj=content) as tar:
        assert len(tar.getnames()) == len(list(signed.iterdir())) - 1


def test_a_name_that_a_plain_tar_has_no_room_for_is_refused(bundle: Path) -> None:
    opened = open_bundle(bundle)
    name = "x" * 101
    manifest = replace(opened.manifest, files={name: FileEntry("0" * 64, 1)})
    with pytest.raises(ReleaseError, match="x: cannot be packed: name is too long"):
        tar_of(replace(opened, manifest=manifest, content={name: b"x"}), signed=False)
