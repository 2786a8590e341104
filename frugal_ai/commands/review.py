"""Decisions on models: promote, pull, history, and the accounts of those who decide."""

import sys
from pathlib import Path
from typing import Any

import click

from frugal_ai.errors import ReviewError

_STAGES = ("champion", "candidate", "retired", "rejected")
_uri = click.option(
    "--tracking-uri", metavar="URI", help="MLflow store; by default runs/mlflow.db, or RUN_DIR's."
)
_record = click.option(
    "--decisions", "record", metavar="FILE", type=click.Path(path_type=Path),
    help="Record of decisions; by default decisions.jsonl beside the store.",
)  # fmt: skip


@click.command()
@click.argument("model", metavar="MODEL")
@click.option("--stage", required=True, type=click.Choice(_STAGES), help="What it becomes.")
@click.option("--by", required=True, metavar="NAME", help="Who decides.")
@click.option("--why", required=True, metavar="TEXT", help="The reason, kept with the decision.")
@click.option("--evidence", metavar="DIGEST", help="Refuse if there is other evidence by now.")
@click.option("--override-gates", "override", is_flag=True, help="Though gates failed; for ever.")
@_uri
@_record
def promote(
    model: str, tracking_uri: str | None, record: Path | None, *, by: str, **given: Any
) -> None:
    """Decide what becomes of MODEL: a run's id or folder, ALIAS/NAME or NAME/VERSION."""
    from frugal_ai.review.decisions import Decisions
    from frugal_ai.review.evidence import SHOWN
    from frugal_ai.review.promotion import decide
    from frugal_ai.review.situation import Proposal
    from frugal_ai.review.text import person

    uri = _store(model, tracking_uri)
    record = record or _record_of(uri)
    proposal = Proposal(_run_id(model, uri), by=person(by), **given)
    decision = decide(uri, Decisions(record), proposal)
    click.echo(f"run      {decision.run_id}")
    for name, version in decision.models.items():
        former = decision.replaces.get(name)
        retired = f", in place of {name}/{former}, now retired" if former else ""
        click.echo(f"model    {name}/{version}: {decision.stage}{retired}")
    for failed in decision.failed_gates:
        click.echo(f"override {failed}")
    click.echo(f"evidence {decision.evidence[:SHOWN]}")
    click.echo(f"decision {decision.number} in {record}")
    if decision.stage == "champion":
        for name in decision.models:
            click.echo(f"next     frugal-ai pull champion/{name} --out {name}.tar")


@click.command()
@click.argument("model", metavar="ALIAS/NAME|NAME/VERSION")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Tar to write.")
@click.option("--key", type=click.Path(path_type=Path), help="Private key, PEM, to sign with.")
@_uri
def pull(model: str, tracking_uri: str | None, out: Path, key: Path | None) -> None:
    """Write the bundle of a registered model, decisions in its card, as a tar for gateways."""
    from tempfile import TemporaryDirectory

    from frugal_ai.release.keys import read_private_key
    from frugal_ai.release.pack import pack_bundle
    from frugal_ai.release.sign import sign_bundle
    from frugal_ai.review.promotion import sentence
    from frugal_ai.review.pull import pull as pulled

    private = None if key is None else read_private_key(key)
    with TemporaryDirectory(prefix="frugal-ai-") as place:
        bundle, version, decisions = pulled(_default(tracking_uri), model, Path(place))
        if private is not None:
            sign_bundle(bundle.folder, private)
        archive = pack_bundle(bundle.folder, out, unsigned=private is None)
    click.echo(f"model    {version.shown}, bundle {bundle.manifest.id}")
    for decision in decisions:
        click.echo(f"decision {decision.number}: {sentence(decision)}")
    if not decisions:
        click.echo("decision none: nobody has approved this model")
    click.echo(f"archive  {archive.file} ({archive.size} bytes)")
    click.echo(f"sha256   {archive.sha256}")
    if archive.signer is None:
        click.echo(f"signer   none: gateways refuse it; frugal-ai sign {out} --key PRIVATE.pem")
    else:
        click.echo(f"signer   {archive.signer}")


@click.command()
@click.argument("model", metavar="[MODEL]", required=False)
@_uri
@_record
@click.option("--json", "as_json", is_flag=True, help="Print the record's own lines.")
def decisions(
    model: str | None, tracking_uri: str | None, record: Path | None, *, as_json: bool
) -> None:
    """Show what was decided, oldest first: on MODEL, as promote names it, or on all."""
    from frugal_ai.review.decisions import Decisions
    from frugal_ai.review.promotion import sentence

    uri = _default(tracking_uri) if model is None else _store(model, tracking_uri)
    kept = Decisions(record or _record_of(uri))
    found = kept.all() if model is None else kept.history(_run_id(model, uri))
    for one in found:
        click.echo(one.model_dump_json() if as_json else f"{one.number} {sentence(one)}")
    if not found and not as_json:
        click.echo(f"no decision in {kept.path}")


@click.group()
def account() -> None:
    """Accounts of those who sign in to the board."""


@account.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(("reader", "reviewer")))
@click.option(
    "--accounts", "file", required=True, type=click.Path(path_type=Path), metavar="FILE",
    help="File of accounts, made if it is not there, readable by its owner alone.",
)  # fmt: skip
@click.option("--proxy", is_flag=True, help="Without a password: a reverse proxy says who it is.")
def add(name: str, role: str, file: Path, *, proxy: bool) -> None:
    """Add NAME; its password is asked for, or read from standard input."""
    from frugal_ai.review.accounts import add_account

    password = None if proxy else _password()
    add_account(file, name, role, password)
    how = "known from the proxy's header" if proxy else "signs in with a password"
    click.echo(f"account  {name}, {role}, {how}, in {file}")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    line = sys.stdin.readline()
    return line.removesuffix("\n")


def _store(model: str, uri: str | None) -> str:
    """Return the store: that which was named, or that of a run's folder, or the usual one."""
    if uri is None and _is_run(model):
        from frugal_ai.report import RunReport

        logged = RunReport.read(Path(model)).mlflow
        if logged is None or not logged.logged:
            raise ReviewError(f"{model}: is not in MLflow yet: frugal-ai log {model}")
        return logged.uri
    return _default(uri)


def _default(uri: str | None) -> str:
    from frugal_ai.tracking import default_uri

    return uri or default_uri(Path("runs"))


def _run_id(model: str, uri: str) -> str:
    if _is_run(model):
        from frugal_ai.report import RunReport

        return RunReport.read(Path(model)).run_id
    if "/" not in model:
        return model
    from frugal_ai.tracking.registry import open_registry

    with open_registry(uri, writing=False) as registry:
        return registry.run_id_of(registry.named(model))


def _is_run(model: str) -> bool:
    return (Path(model) / "run.json").is_file()


def _record_of(uri: str) -> Path:
    """Return where decisions on a store are kept: beside a database in a file."""
    from frugal_ai.review.decisions import NAME
    from frugal_ai.tracking.uri import folder_of

    folder = folder_of(uri)
    if folder is None:
        raise ReviewError(
            "--decisions: expected the file that keeps the decisions on a tracking server, one for "
            "all who decide, got none"
        )
    return folder / NAME
