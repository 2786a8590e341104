"""Signed bundles of any sequence and content, and the state of a gateway that trusts their key."""

import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.trust.keys import TrustStore, pem

Key = ec.EllipticCurvePrivateKey


def _make_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _pack(folder: Path) -> Path:
    tar = folder.with_suffix(".tar")
    with tarfile.open(tar, "w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(folder.iterdir()):
            archive.add(path, f"{folder.name}/{path.name}")
    return tar


@pytest.fixture(scope="session")
def make_key() -> Callable[[], Key]:
    """Make a key to sign with."""
    return _make_key


@pytest.fixture(scope="session")
def key(signing_keys: tuple[Key, ...]) -> Key:
    """Give the key that `state` trusts."""
    return signing_keys[0]


@pytest.fixture(scope="session")
def pack() -> Callable[[Path], Path]:
    """Pack a folder into a tar beside it."""
    return _pack


@pytest.fixture
def state(tmp_path: Path, key: Key) -> Path:
    """Give the state folder of a gateway that trusts `key`."""
    folder = tmp_path / "state"
    (folder / "trust").mkdir(parents=True)
    (folder / "trust" / "release.pub").write_bytes(pem(key.public_key()))
    return folder


@pytest.fixture
def store(state: Path) -> TrustStore:
    """Give the keys that `state` trusts."""
    return TrustStore.read(state / "trust")


@pytest.fixture
def release(
    make_bundle: Callable[..., Path],
    sign_folder: Callable[[Path, Key], None],
    tmp_path: Path,
    key: Key,
) -> Callable[..., Path]:
    """Write a signed bundle named ``bundle-SEQUENCE``."""

    def make(
        sequence: int,
        *,
        series: str = "feeder",
        by: Key = key,
        name: str | None = None,
        **more: Any,
    ) -> Path:
        identity = name or f"bundle-{sequence}"
        folder = make_bundle(folder=tmp_path / "releases" / identity, **more)
        path = folder / "manifest.json"
        manifest = json.loads(path.read_text())
        manifest |= {"id": identity, "sequence": sequence, "series_id": series}
        path.write_text(json.dumps(manifest))
        sign_folder(folder, by)
        return folder

    return make


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small file system, where that is allowed."""
    places: list[Path] = []

    def mount(options: str) -> Path:
        place = tmp_path / f"mount{len(places)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        places.append(place)
        return place

    yield mount
    for place in places:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S607 - as above
