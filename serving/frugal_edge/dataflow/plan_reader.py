"""The description of flows, read strictly.

::

    title: A feeder with two meters
    copies: 1
    flows:                    # everything, at its native step
      load: {count: 1, step: 15min}
      voltage: {count: 3, step: 1min}
    sent:                     # of these, what is sent; the rest is not
      load: {step: 15min, values_per_message: 4, share: 0.25}
    assumptions:              # those that differ from the defaults
      value_bytes: {value: 12, why: float32 and a time}
    notes: []
"""

from collections.abc import Mapping
from pathlib import Path

from frugal_edge.clock import parse_duration
from frugal_edge.dataflow.assumptions import DEFAULTS, Assumption
from frugal_edge.dataflow.volume import Flow, Plan
from frugal_edge.strict_json import Node
from frugal_edge.strict_yaml import read_yaml

_MOST = 10**9


def read_plan(path: Path) -> Plan:
    """Read a description of flows.

    Raises
    ------
    ConfigError
        If the file cannot be read, or is not as the module describes it.
    """
    root = read_yaml(path)
    everything = _everything(root)
    plan = Plan(
        title=root.text("title"),
        copies=_whole(root, "copies") if root.given("copies") else 1,
        everything=tuple(everything.values()),
        sent=_sent(root, everything),
        assumed=assumptions(root),
        notes=root.texts("notes") if root.given("notes") else (),
    )
    root.close()
    return plan


def assumptions(root: Node) -> dict[str, Assumption]:
    """Read the assumptions that differ from the defaults; return all of them."""
    found = dict(DEFAULTS)
    if not root.given("assumptions"):
        return found
    parent = root.node("assumptions")
    for name in parent.names():
        node = parent.node(name)
        if name not in DEFAULTS:
            parent.refuse(name, f"an assumption of {', '.join(DEFAULTS)}")
        value = node.number("value")
        if value < 0:
            node.refuse("value", "a number from 0")
        found[name] = Assumption(value, node.text("why"))
        node.close()
    return found


def _everything(root: Node) -> dict[str, Flow]:
    parent = root.node("flows")
    if not parent.names():
        root.refuse("flows", "at least one flow")
    found = {}
    for name in parent.names():
        node = parent.node(name)
        found[name] = Flow(name, _whole(node, "count"), _step(node), _batch(node))
        node.close()
    return found


def _sent(root: Node, everything: Mapping[str, Flow]) -> tuple[Flow, ...]:
    parent = root.node("sent")
    found = []
    for name in parent.names():
        node = parent.node(name)
        if name not in everything:
            parent.refuse(name, f"a flow of {', '.join(everything)}")
        native = everything[name]
        step_s = _step(node)
        if step_s < native.step_s:
            node.refuse("step", f"at least the native step, {native.step_s} s")
        found.append(Flow(name, native.count, step_s, _batch(node), _share(node)))
        node.close()
    return tuple(found)


def _whole(node: Node, key: str) -> int:
    value = node.integer(key, 1)
    return value if value <= _MOST else node.refuse(key, f"a whole number up to {_MOST}")


def _step(node: Node) -> int:
    try:
        return parse_duration(node.text("step"))
    except ValueError:
        return node.refuse("step", "a duration such as 30s, 15min, 6h or 1d")


def _batch(node: Node) -> int:
    return _whole(node, "values_per_message") if node.given("values_per_message") else 1


def _share(node: Node) -> float:
    value = node.number("share") if node.given("share") else 1.0
    return value if 0 <= value <= 1 else node.refuse("share", "a number from 0 to 1")
