"""``frugal-edge dataflow --flows FILE`` or ``--config FILE``."""

import argparse
from pathlib import Path

PURPOSE = "report bytes sent against sending everything at the native step"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--flows", metavar="FILE", type=Path, help="flows of an estimate, YAML")
    what.add_argument(
        "--config", metavar="FILE", type=Path, help="gateway.yaml: what that gateway has counted"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(options: argparse.Namespace) -> str:
    """Add up the flows of a file, or report what a gateway counted."""
    if options.flows is not None:
        from frugal_edge.dataflow import page
        from frugal_edge.dataflow.plan_reader import read_plan

        plan = read_plan(options.flows)
        return page.as_json(plan) if options.json else page.as_text(plan)
    from frugal_edge.dataflow import counted
    from frugal_edge.gateway.config_reader import read_config

    found = counted.count(read_config(options.config))
    return counted.as_json(found) if options.json else counted.as_text(found)
