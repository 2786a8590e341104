"""A folder of archives becomes a channel that a gateway takes its updates from."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec
from frugal_edge.install.channel import PAYLOAD_TYPE, Channel, Gateway, read_channel
from frugal_edge.install.installer import How
from frugal_edge.install.pull import pull
from frugal_edge.trust.keys import PublicKey, TrustStore
from frugal_edge.trust.verify import verify_payload

from frugal_ai.cli import commands
from frugal_ai.errors import ReleaseError
from frugal_ai.release import channel as channels
from frugal_ai.release.channel import publish, read_rollout
from frugal_ai.release.keys import read_private_key
from frugal_ai.release.pack import pack_bundle

MODELS = Path(__file__).parents[2] / "models"
EVERYBODY = {"default": 100.0}


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return read_private_key(MODELS / "demo.pem")


@pytest.fixture(scope="module")
def bundle() -> Path:
    (found,) = (path.parent for path in (MODELS / "load").glob("*/manifest.json"))
    return found


@pytest.fixture
def folder(tmp_path: Path, bundle: Path) -> Path:
    place = tmp_path / "channel"
    place.mkdir()
    pack_bundle(bundle, place / "load.tar")
    return place


def read(folder: Path, key: ec.EllipticCurvePrivateKey) -> Channel:
    file = folder / "channel.json"
    store = TrustStore(file, (PublicKey.of(key.public_key(), file),))
    payload, _ = verify_payload(file.read_bytes(), PAYLOAD_TYPE, store)
    return read_channel(payload)


def test_a_gateway_takes_its_update_from_it(
    folder: Path, key: ec.EllipticCurvePrivateKey, tmp_path: Path, bundle: Path
) -> None:
    done = publish(folder, key, EVERYBODY, "stable")
    assert done.bundles == (bundle.name,)
    state = tmp_path / "state"
    store = TrustStore.read(MODELS / "demo.pub")
    gateway = Gateway("any", "default", {"feeder_load"})
    (step,) = pull(state, str(folder), store, gateway, How(trial=0))
    assert (step.id, step.what) == (bundle.name, "installed")


def test_a_serial_never_goes_back(
    folder: Path, key: ec.EllipticCurvePrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    serials = []
    for now in (2e9, 2e9, 1e9):  # also with a clock that was set back
        monkeypatch.setattr(channels, "_now", lambda now=now: int(now))
        publish(folder, key, EVERYBODY, "stable")
        serials.append(read(folder, key).serial)
    assert serials == [2_000_000_000, 2_000_000_001, 2_000_000_002]


def test_an_altered_channel_says_nothing_of_its_serial(
    folder: Path, key: ec.EllipticCurvePrivateKey
) -> None:
    publish(folder, key, EVERYBODY, "stable")
    envelope = json.loads((folder / "channel.json").read_bytes())
    envelope["payload"] = "AAAA"
    (folder / "channel.json").write_text(json.dumps(envelope))
    publish(folder, key, EVERYBODY, "stable")
    assert read(folder, key).name == "stable"


def test_what_a_gateway_would_refuse_is_not_offered(
    folder: Path, key: ec.EllipticCurvePrivateKey, bundle: Path, tmp_path: Path
) -> None:
    (folder / "load.tar").write_bytes(b"x" * 600)
    with pytest.raises(ReleaseError, match=r"load\.tar: a gateway would refuse it: .*not a plain"):
        publish(folder, key, EVERYBODY, "stable")
    pack_bundle(bundle, folder / "load.tar", unsigned=True)
    with pytest.raises(ReleaseError, match="not signed"):
        publish(folder, key, EVERYBODY, "stable")
    assert not (folder / "channel.json").exists()
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(ReleaseError, match="expected archives"):
        publish(folder, key, EVERYBODY, "stable")


def test_a_rollout_is_read() -> None:
    assert read_rollout(None) == EVERYBODY
    assert read_rollout("default=10, canary=100") == {"default": 10.0, "canary": 100.0}


@pytest.mark.parametrize("text", ["default", "=10", "default=x", "default=101", "a=1,,", "a=nan"])
def test_a_rollout_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ReleaseError, match="--rollout: expected GROUP=0 to 100"):
        read_rollout(text)


def test_the_command_says_what_it_wrote(folder: Path, bundle: Path) -> None:
    options = ["--key", str(MODELS / "demo.pem"), "--rollout", "default=10"]
    done = CliRunner().invoke(commands, ["channel", str(folder), *options])
    assert done.exit_code == 0
    assert f"bundle   {bundle.name}" in done.output
