"""Updates from a channel, on a web server or in a directory, for the series of one gateway."""

import hashlib
import json
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from frugal_edge.errors import EdgeError, InstallError
from frugal_edge.install import channel as channels
from frugal_edge.install import disk, slots, web
from frugal_edge.install.channel import Channel, Gateway, Offer
from frugal_edge.install.installer import How, install
from frugal_edge.install.lock import sole
from frugal_edge.install.slots import Record
from frugal_edge.strict_json import Node, parse
from frugal_edge.trust.keys import TrustStore
from frugal_edge.trust.verify import verify_payload

FOLDER = "pull"
_MAX_CHANNEL = 1 << 20
_MAX_ID = 200
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Step:
    """What a pull did for one series.

    Attributes
    ----------
    series_id, id
        The series, and the bundle offered for it.
    what
        ``installed``, ``kept`` with the reason in `why`, or ``failed`` with the error.
    why
        In one line.
    """

    series_id: str
    id: str
    what: str
    why: str


def gateway_id(state: Path) -> str:
    """Return the identifier that places this gateway in rollouts; made up at the first call.

    Raises
    ------
    InstallError
        If it cannot be read or kept.
    """
    path = state / "gateway.id"
    known = disk.read_bounded(path, _MAX_ID)
    if known is not None and (text := known.decode(errors="replace").strip()):
        return text
    made = uuid.uuid4().hex
    with disk.told(path):
        disk.make_folder(state)
        disk.replace_synced(path, f"{made}\n".encode())
    return made


def pull(
    state: Path, address: str, store: TrustStore, gateway: Gateway, how: How
) -> tuple[Step, ...]:
    """Install what a channel has for the series of a gateway.

    Parameters
    ----------
    state
        State folder of the gateway.
    address
        ``https://`` or ``file://`` address, or path, of a channel file or of the folder that has
        it.
    store
        The keys that are trusted, for the channel and for the bundles.
    gateway
        Who asks.
    how
        How to install; `force` is not heeded.

    Returns
    -------
    tuple[Step, ...]
        What was done, by series.

    Raises
    ------
    TransportError
        If the channel cannot be reached.
    SignatureError
        If the channel is not signed by a key that is trusted.
    InstallError
        If the channel cannot be read or is older than one seen before.
    """
    with sole(state / "pull.lock", f"pull from {address}"):
        folder = state / FOLDER
        with disk.told(folder):
            disk.make_folder(folder)
        origin = _origin(folder, address)
        content = origin.channel()
        payload, key = verify_payload(content, channels.PAYLOAD_TYPE, store, address)
        channel = channels.read_channel(payload)
        _remember_serial(folder, key, channel)
        origin.keep(content)
        _forget_others(folder, channel)
        how = replace(how, force=False, origin=address)
        return tuple(
            _one(state, offer, store, replace(how, expected=offer.id), origin)
            for offer in channels.newest(gateway, channel)
        )


def _one(
    state: Path, offer: Offer, store: TrustStore, how: How, origin: "_Directory | _Server"
) -> Step:
    try:
        if (reason := _keeps(slots.read(state, offer.series_id), offer)) is not None:
            return Step(offer.series_id, offer.id, "kept", reason)
        disk.check_room(state, 2 * offer.size, how.margin)
        outcome = install(state, origin.bring(offer, how), store, how)
        origin.done(offer)
    except EdgeError as error:
        return Step(offer.series_id, offer.id, "failed", str(error))
    left = outcome.trial_left
    return Step(
        offer.series_id, offer.id, "installed", f"{left} cycles on trial" if left else "committed"
    )


def _keeps(record: Record, offer: Offer) -> str | None:
    """Say why what runs is kept; None if it is not."""
    current = record.current
    for one in record.rejected:
        if one.id == offer.id or one.sequence == offer.sequence:
            return f"it was rolled back: {one.why}"
    if current is None:
        return None
    if current.id == offer.id:
        return "it is installed"
    if record.trial_left:
        return f"{current.id} is on trial, {record.trial_left} cycles left"
    if offer.sequence <= current.sequence:
        return f"sequence {offer.sequence} is not above {current.sequence} of {current.id}"
    return None


def _origin(folder: Path, address: str) -> "_Directory | _Server":
    parts = urlsplit(address)
    if parts.scheme in ("http", "https"):
        url = address if address.endswith(".json") else f"{address.rstrip('/')}/{channels.NAME}"
        return _Server(folder, url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        path = Path(unquote(parts.path))
    elif "://" in address:
        raise InstallError(f"{address}: expected https://, file:/// or a path")
    else:
        path = Path(address)
    return _Directory(path / channels.NAME if path.is_dir() else path)


class _Directory:
    """A channel in a directory of this machine: a USB stick, a mount."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def channel(self) -> bytes:
        content = disk.read_bounded(self._file, _MAX_CHANNEL)
        if content is None:
            raise InstallError(f"{self._file}: cannot be read: there is no such file")
        return content

    def keep(self, content: bytes) -> None:
        """Keep nothing: it is here."""

    def bring(self, offer: Offer, how: How) -> Path:
        path = self._file.parent / offer.url
        _check_bytes(path, offer, how)
        return path

    def done(self, offer: Offer) -> None:
        """Leave the bundle where it is."""


class _Server:
    """A channel on a web server; an unchanged one is read from what was kept."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self._kept, self._tag = folder / "channel.json", folder / "channel.etag"
        self._etag: str | None = None

    def channel(self) -> bytes:
        kept = disk.read_bounded(self._kept, _MAX_CHANNEL)
        etag = None if kept is None else self._known_etag()
        answer = web.get(self._url, etag, _MAX_CHANNEL)
        self._etag = answer.etag
        if answer.content is not None:
            return answer.content
        if kept is None:
            raise InstallError(f"{self._url}: the server says unchanged, but nothing was kept")
        return kept

    def keep(self, content: bytes) -> None:
        with disk.told(self._kept):
            self._tag.unlink(missing_ok=True)
            disk.replace_synced(self._kept, content)
            if self._etag is not None:
                tag = json.dumps({"url": self._url, "etag": self._etag})
                disk.replace_synced(self._tag, tag.encode())

    def bring(self, offer: Offer, how: How) -> Path:
        part = self._folder / f"{offer.sha256}.part"
        if offer.size > how.limits.total:
            raise InstallError(f"{offer.id}: too large: expected at most {how.limits.total} bytes,"
                               f" the channel says {offer.size}")  # fmt: skip
        web.download(urljoin(self._url, offer.url), part, offer.size)
        try:
            _check_bytes(part, offer, how)
        except InstallError:
            with disk.told(part):
                part.unlink()  # so that the next pull does not resume it
            raise
        return part

    def done(self, offer: Offer) -> None:
        part = self._folder / f"{offer.sha256}.part"
        for path in (part, part.with_name(f"{part.name}.etag")):
            with disk.told(path):
                path.unlink(missing_ok=True)

    def _known_etag(self) -> str | None:
        data = disk.read_bounded(self._tag, _MAX_CHANNEL)
        if data is None:
            return None
        node = Node(parse(data, str(self._tag), InstallError), str(self._tag), error=InstallError)
        return node.text("etag") if node.text("url") == self._url else None


def _check_bytes(path: Path, offer: Offer, how: How) -> None:
    with disk.told(path, "cannot be read"):
        size = path.stat().st_size
        if size != offer.size or size > how.limits.total:
            raise InstallError(f"{path}: expected {offer.size} bytes, got {size}")
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    if digest.hexdigest() != offer.sha256:
        raise InstallError(
            f"{path}: expected SHA-256 {offer.sha256} as the channel says, got {digest.hexdigest()}"
        )


def _remember_serial(folder: Path, key: str, channel: Channel) -> None:
    """Refuse a channel older than one seen before, by the same key."""
    path = folder / "serials.json"
    data = disk.read_bounded(path, _MAX_CHANNEL)
    serials: dict[str, int] = {}
    if data is not None:
        node = Node(parse(data, str(path), InstallError), str(path), error=InstallError)
        serials = {name: node.integer(name) for name in node.names()}
    name = f"{key}/{channel.name}"
    known = serials.get(name, 0)
    if channel.serial < known:
        raise InstallError(
            f"channel {channel.name}: older than one seen before: expected a serial from {known},"
            f" got {channel.serial}"
        )
    if channel.serial > known:
        with disk.told(path):
            disk.replace_synced(path, json.dumps(serials | {name: channel.serial}).encode())


def _forget_others(folder: Path, channel: Channel) -> None:
    """Remove downloads that a channel does not offer any more."""
    offered = {f"{offer.sha256}.part" for offer in channel.offers}
    with disk.told(folder):
        for path in folder.glob("*.part*"):
            if path.name.removesuffix(".etag") not in offered:
                path.unlink(missing_ok=True)
