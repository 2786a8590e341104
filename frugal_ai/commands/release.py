"""Bundles on their way to gateways: keys, signatures, archives."""

from pathlib import Path

import click

_bundle = click.argument("bundle", metavar="BUNDLE|RUN_DIR", type=click.Path(path_type=Path))


@click.command()
@click.argument("folder", metavar="KEYS", type=click.Path(path_type=Path))
@click.option("--name", default="release", help="Of both files; by default release.")
def keygen(folder: Path, name: str) -> None:
    """Make a pair of keys in the folder KEYS: one to sign with, one for the gateways."""
    from frugal_ai.release.keys import make_keys

    pair = make_keys(folder, name)
    click.echo(f"key      {pair.id}")
    click.echo(f"private  {pair.private}: signs; keep it secret, offline, with a copy")
    click.echo(f"public   {pair.public}: verifies; give it to the gateways: frugal-edge trust add")


@click.command()
@_bundle
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Private key, PEM.")
def sign(bundle: Path, key: Path) -> None:
    """Sign BUNDLE, a folder or a tar, after its digests and golden cases have been checked."""
    from frugal_edge.trust.keys import key_id

    from frugal_ai.release.keys import read_private_key
    from frugal_ai.release.sign import sign_archive, sign_bundle

    private = read_private_key(key)
    file = bundle
    if bundle.is_file():
        sign_archive(bundle, private)
    else:
        file = sign_bundle(bundle, private)
    click.echo(f"signed   {file} by key {key_id(private.public_key())}")


@click.command()
@_bundle
@click.option("--out", type=click.Path(path_type=Path), help="File; by default ID.tar here.")
@click.option("--unsigned", is_flag=True, help="Pack it without its signature.")
def pack(bundle: Path, out: Path | None, *, unsigned: bool) -> None:
    """Pack BUNDLE and its signature into one tar, the same bytes for the same content."""
    from frugal_ai.release.pack import pack_bundle

    archive = pack_bundle(bundle, out, unsigned=unsigned)
    click.echo(f"archive  {archive.file} ({archive.size} bytes)")
    click.echo(f"sha256   {archive.sha256}")
    click.echo(f"signer   {archive.signer or 'none: gateways refuse it'}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path), help="Private key, PEM.")
@click.option("--rollout", help="Shares of gateways in %, such as default=10,canary=100.")
@click.option("--name", default="stable", help="Of the channel; by default stable.")
def channel(folder: Path, key: Path, rollout: str | None, name: str) -> None:
    """Write and sign channel.json for the archives in FOLDER, which gateways pull from."""
    from frugal_ai.release.channel import publish, read_rollout
    from frugal_ai.release.keys import read_private_key

    done = publish(folder, read_private_key(key), read_rollout(rollout), name)
    click.echo(f"channel  {done.file}, serial {done.serial}")
    for bundle in done.bundles:
        click.echo(f"bundle   {bundle}")
