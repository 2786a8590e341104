"""``frugal-edge serve --config gateway.yaml``."""

import argparse
import gc

from frugal_edge.commands._config import config_argument, configured

PURPOSE = "run the gateway: forecasts on schedule, HTTP, MQTT, updates"
_LEVELS = ("debug", "info", "warning", "error")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    config_argument(parser)
    parser.add_argument(
        "--log", choices=_LEVELS, default="info", help="least level that is logged (default: info)"
    )


def run(options: argparse.Namespace) -> str:
    """Run until SIGTERM or Ctrl-C; the log goes to stderr, one JSON object a line."""
    config = configured(options)
    from frugal_edge.gateway.logs import only
    from frugal_edge.gateway.serve import serve

    only(options.log)
    gc.freeze()
    gc.enable()  # a command that ends soon does without
    serve(config)
    return ""
