import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from frugal_edge.bundle import open_bundle
from frugal_edge.digest import sha256_hex, sha256_of_file
from frugal_edge.errors import BundleError
from hypothesis import given
from hypothesis import strategies as st

MakeBundle = Callable[..., Path]


@given(st.binary())
def test_digest_is_that_of_hashlib(data: bytes) -> None:
    assert sha256_hex(data) == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 1 << 18, (1 << 18) + 1, 3 << 18])
def test_digest_of_a_file_is_that_of_its_content(tmp_path: Path, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    path = tmp_path / "file"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    assert sha256_of_file(descriptor) == hashlib.sha256(data).hexdigest()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_bundle_gives_the_bytes_that_were_verified(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    bundle = open_bundle(folder)
    assert bundle.manifest.series_id == "feeder"
    assert set(bundle.content) == {"model.onnx", "golden.json", "fallback.json", "MODEL_CARD.md"}
    assert bundle.content["model.onnx"] == (folder / "model.onnx").read_bytes()


@pytest.mark.parametrize("name", ["model.onnx", "golden.json", "fallback.json", "MODEL_CARD.md"])
def test_an_altered_file_is_refused(make_bundle: MakeBundle, name: str) -> None:
    folder = make_bundle()
    data = bytearray((folder / name).read_bytes())
    data[-1] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name}: altered: expected SHA-256 [0-9a-f]{{64}}, got"):
        open_bundle(folder)


def test_a_truncated_file_is_refused_by_its_size(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "MODEL_CARD.md").write_bytes(b"# A")
    with pytest.raises(BundleError, match=r"MODEL_CARD.md: expected 10 bytes, got 3"):
        open_bundle(folder)


def test_a_missing_file_is_named(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "golden.json").unlink()
    with pytest.raises(BundleError, match=r"bundle: missing: golden.json"):
        open_bundle(folder)


def test_a_file_that_is_not_listed_is_named(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "extra.txt").write_text("hello")
    with pytest.raises(BundleError, match=r"not listed in manifest.json: extra.txt"):
        open_bundle(folder)


def test_a_signature_may_lie_beside_the_listed_files(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "model.sig").write_bytes(b"not read here")
    assert "model.sig" not in open_bundle(folder).content


def test_a_folder_inside_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "more").mkdir()
    with pytest.raises(BundleError, match="more: expected only plain files in a bundle"):
        open_bundle(folder)


def test_a_link_is_refused_even_to_the_right_bytes(make_bundle: MakeBundle, tmp_path: Path) -> None:
    folder = make_bundle()
    shutil.move(folder / "model.onnx", tmp_path / "model.onnx")
    (folder / "model.onnx").symlink_to(tmp_path / "model.onnx")
    with pytest.raises(BundleError, match=r"model.onnx: expected only plain files"):
        open_bundle(folder)


def test_a_named_pipe_is_refused_and_not_waited_for(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "golden.json").unlink()
    os.mkfifo(folder / "golden.json")
    with pytest.raises(BundleError, match=r"golden.json: expected only plain files"):
        open_bundle(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", "a\\b", "..", "C:x", ".", ""])
def test_a_name_that_leads_elsewhere_is_refused(make_bundle: MakeBundle, name: str) -> None:
    def list_it(manifest: dict[str, Any]) -> None:
        manifest["files"][name] = manifest["files"]["model.onnx"]

    with pytest.raises(BundleError, match="files: expected the plain name of another file"):
        open_bundle(make_bundle(edit=list_it))


def test_a_newer_schema_is_refused_with_the_folder(make_bundle: MakeBundle) -> None:
    def raise_version(manifest: dict[str, Any]) -> None:
        manifest["schema_version"] = 4

    with pytest.raises(BundleError, match=r"bundle: manifest.json: schema_version: .*update"):
        open_bundle(make_bundle(edit=raise_version))


def test_a_folder_of_several_series_says_which_to_name(
    make_bundle: MakeBundle, tmp_path: Path
) -> None:
    for series in ("north", "south"):
        make_bundle(folder=tmp_path / "out" / series)
    with pytest.raises(BundleError, match="several series, name one of them: north, south"):
        open_bundle(tmp_path / "out")


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"not a bundle: it holds no manifest.json"):
        open_bundle(tmp_path)
    with pytest.raises(BundleError, match="absent: cannot be read: No such file"):
        open_bundle(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(BundleError, match="file: expected the folder of a bundle, got a file"):
        open_bundle(tmp_path / "file")


def test_a_manifest_of_many_megabytes_is_not_read(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text + " " * (1 << 20))
    with pytest.raises(BundleError, match=r"manifest.json: expected at most 1048576 bytes"):
        open_bundle(folder)


def test_a_manifest_that_is_not_json_is_refused(make_bundle: MakeBundle) -> None:
    folder = make_bundle()
    (folder / "manifest.json").write_text(json.dumps({})[:1])
    with pytest.raises(BundleError, match=r"bundle: manifest.json: not valid JSON"):
        open_bundle(folder)


def test_a_file_that_cannot_be_read_is_named(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    folder = make_bundle()
    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(BundleError, match=r"manifest.json: cannot be read: Permission denied"):
        open_bundle(folder)
