"""manifest.json read strictly: every key is checked, and one that is not known is refused."""

import re
from collections.abc import Mapping

from frugal_edge.clock import parse_time
from frugal_edge.errors import BundleError
from frugal_edge.manifest import (
    DRIFT,
    FORECAST,
    NAME,
    QUANTILES,
    SIGNATURE,
    Bounds,
    Counts,
    FileEntry,
    GapPolicy,
    Manifest,
    Origins,
    Range,
    Tensor,
)
from frugal_edge.strict_json import MAX_INTEGER, Node, parse

# A new key outside the free sections `metrics`, `costs` and `mlflow`, or a new meaning of an old
# one, raises this number. Whoever raises it lets the reader take the older versions too, and says
# in the changelog which frugal-edge reads what.
# 2: the input `drift`. 3: `counts`, which a bundle of an intensity may have.
SCHEMA_VERSION = 3
REQUIRED_FILES = ("model.onnx", "golden.json", "fallback.json", "MODEL_CARD.md")

_KEY_COLUMNS = ("series_id", "timestamp", "value")
_INPUTS = {
    "history": ("float32", ("B", "N")),
    "origin": ("int64", ("B",)),
    "known": ("float32", ("B", "L+H", "K")),
    "past": ("float32", ("B", "N", "P")),
    DRIFT: ("float32", ("B", "H", "Q")),
}
_OUTPUTS = {
    FORECAST: ("float32", ("B", "H")),
    QUANTILES: ("float32", ("B", "H", "Q")),
}
_COUNTS = {
    "kind": ("average", "marginal"),
    "basis": ("direct", "lifecycle"),
    "scope": ("production", "consumption"),
}
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest.

    Raises
    ------
    BundleError
        If the text is not a manifest of this schema; the message names the key.
    """
    root = Node(parse(data, NAME), NAME)
    _check_schema(root)
    horizon, history_steps = root.integer("horizon", 1), root.integer("history_steps")
    inputs = {tensor.name: tensor for tensor in map(_tensor, root.nodes("inputs"))}
    outputs = {tensor.name: tensor for tensor in map(_tensor, root.nodes("outputs"))}
    levels = _quantiles(root)
    _check_inputs(root, inputs, horizon, history_steps, len(levels))
    _check_outputs(root, outputs, horizon, len(levels))
    onnx, mlflow = root.node("onnx"), root.take("mlflow")
    manifest = Manifest(
        id=root.text("id"),
        sequence=root.integer("sequence"),
        pipeline=root.text("pipeline"),
        kind=root.text("kind"),
        simulated=root.flag("simulated"),
        rung=root.text("rung"),
        series_id=root.text("series_id"),
        unit=root.text("unit"),
        timezone=root.text("timezone"),
        step_s=root.integer("step_s", 1),
        horizon=horizon,
        quantiles=levels,
        inputs=inputs,
        outputs=outputs,
        history_steps=history_steps,
        origins=_origins(root.node("origins")),
        gap_policy=_gap_policy(root.node("gap_policy")),
        bounds=_bounds(root.node("bounds"), inputs),
        metrics=root.node("metrics").as_dict(),
        costs=root.node("costs").as_dict(),
        mlflow=None if mlflow is None else root.node("mlflow").as_dict(),
        git_revision=root.optional_text("git_revision"),
        data_digest=root.text("data_digest"),
        created=_time(root, "created"),
        opset=onnx.integer("opset", 1),
        ml_opset=None if onnx.take("ml_opset") is None else onnx.integer("ml_opset", 1),
        ir_version=onnx.integer("ir_version", 1),
        minimum_onnxruntime=_matching(root, "minimum_onnxruntime", _VERSION, "a version"),
        files=_files(root.node("files")),
        counts=_counts(root.node("counts")) if root.given("counts") else None,
    )
    onnx.close()
    root.close()
    return manifest


def _check_schema(root: Node) -> None:
    version = root.integer("schema_version", 1)
    if version > SCHEMA_VERSION:
        raise BundleError(
            f"{NAME}: schema_version: this frugal-edge reads up to {SCHEMA_VERSION}, got {version};"
            " update frugal-edge to use the bundle"
        )


def _matching(node: Node, key: str, pattern: re.Pattern[str], expected: str) -> str:
    text = node.text(key)
    return text if pattern.fullmatch(text) else node.refuse(key, expected)


def _time(node: Node, key: str) -> int:
    try:
        return parse_time(node.text(key))
    except ValueError as error:
        raise BundleError(f"{NAME}: {node.place(key)}: {error}") from None


def _tensor(node: Node) -> Tensor:
    name = node.text("name")
    tensor = Tensor(
        name=name,
        dtype=node.text("dtype"),
        axes=node.texts("axes"),
        shape=_shape(node),
        columns=node.texts("columns") if name in {"known", "past"} else (),
        lookback=node.integer("lookback") if name == "known" else 0,
    )
    node.close()
    return tensor


def _shape(node: Node) -> tuple[int | None, ...]:
    batch, *rest = node.array("shape") or [0]
    sizes = [s for s in rest if type(s) is int and 0 < s <= MAX_INTEGER]
    if batch is not None or len(sizes) < len(rest):
        node.refuse("shape", "null and then whole numbers")
    return (None, *sizes)


def _check_inputs(
    root: Node, inputs: Mapping[str, Tensor], horizon: int, history_steps: int, levels: int
) -> None:
    if not inputs or len(inputs) < len(root.array("inputs")):
        root.refuse("inputs", "at least one input and no name twice")
    span = horizon + (inputs["known"].lookback if "known" in inputs else 0)
    for index, tensor in enumerate(inputs.values()):
        place = f"{NAME}: inputs[{index}]"
        if tensor.name not in _INPUTS:
            known = ", ".join(_INPUTS)
            raise BundleError(f"{place}: name: expected one of {known}, got {tensor.name!r}")
        width = len(tensor.columns)
        sizes = {
            "B": None, "N": history_steps, "L+H": span, "K": width, "P": width,
            "H": horizon, "Q": levels,
        }  # fmt: skip
        dtype, axes = _INPUTS[tensor.name]
        _check_tensor(place, tensor, dtype, axes, tuple(sizes[axis] for axis in axes))
    _check_columns([column for tensor in inputs.values() for column in tensor.columns])


def _check_outputs(root: Node, outputs: Mapping[str, Tensor], horizon: int, levels: int) -> None:
    expected = {FORECAST, QUANTILES} if levels else {FORECAST}
    if len(outputs) < len(root.array("outputs")) or outputs.keys() != expected:
        names = " and ".join(map(repr, sorted(expected)))
        what = f"{levels} quantile levels" if levels else "no quantile levels"
        root.refuse("outputs", f"outputs named {names}, each once, with {what}")
    sizes = {"B": None, "H": horizon, "Q": levels}
    for name, tensor in outputs.items():
        dtype, axes = _OUTPUTS[name]
        shape = tuple(sizes[axis] for axis in axes)
        _check_tensor(f"{NAME}: outputs: {name}", tensor, dtype, axes, shape)


def _check_tensor(
    place: str,
    tensor: Tensor,
    dtype: str,
    axes: tuple[str, ...],
    shape: tuple[int | None, ...],
) -> None:
    given = (tensor.dtype, tensor.axes, tensor.shape)
    for what, expected, got in zip(
        ("dtype", "axes", "shape"), (dtype, axes, shape), given, strict=True
    ):
        if got != expected:
            raise BundleError(f"{place}: {what}: expected {expected} for {tensor.name}, got {got}")


def _check_columns(columns: list[str]) -> None:
    for column in columns:
        if column in _KEY_COLUMNS or columns.count(column) > 1:
            raise BundleError(f"{NAME}: inputs: {column!r} is the name of another column, too")


def _quantiles(root: Node) -> tuple[float, ...]:
    levels = root.numbers("quantiles")
    steps = zip((0.0, *levels), (*levels, 1.0), strict=True)
    if levels and not all(low < high for low, high in steps):
        root.refuse("quantiles", "rising levels between 0 and 1")
    return levels


def _origins(node: Node) -> Origins:
    origins = Origins(
        valid_from=_time(node, "valid_from"),
        valid_until=_time(node, "valid_until"),
        local_time=node.texts("local_time"),
        every_s=node.integer("every_s", 1),
    )
    if origins.valid_from > origins.valid_until:
        node.refuse("valid_until", "a time not before valid_from")
    if not all(map(_CLOCK.fullmatch, origins.local_time)):
        node.refuse("local_time", "times of the day, HH:MM")
    node.close()
    return origins


def _counts(node: Node) -> Counts:
    counts = Counts(*(node.text(key) for key in _COUNTS))
    for key, among in _COUNTS.items():
        if getattr(counts, key) not in among:
            node.refuse(key, " or ".join(map(repr, among)))
    node.close()
    return counts


def _gap_policy(node: Node) -> GapPolicy:
    policy = GapPolicy(node.integer("max_gap_steps"), node.text("fill"))
    if policy.fill not in {"linear", "previous"}:
        node.refuse("fill", "'linear' or 'previous'")
    node.close()
    return policy


def _bounds(node: Node, inputs: Mapping[str, Tensor]) -> Bounds:
    bounds = Bounds(
        history=None if node.take("history") is None else _range(node, "history"),
        known=_ranges(node.node("known"), inputs.get("known")),
        past=_ranges(node.node("past"), inputs.get("past")),
    )
    node.close()
    return bounds


def _ranges(node: Node, tensor: Tensor | None) -> dict[str, Range]:
    columns = tensor.columns if tensor else ()
    for name in node.names():
        if name not in columns:
            raise BundleError(f"{NAME}: {node.place(name)}: no covariate of this name is read")
    return {name: _range(node, name) for name in node.names()}


def _range(node: Node, key: str) -> Range:
    values = node.numbers(key)
    if len(values) != 2 or values[0] > values[1]:
        node.refuse(key, "the lowest and the highest value")
    return values[0], values[1]


def _files(node: Node) -> dict[str, FileEntry]:
    missing = [name for name in REQUIRED_FILES if name not in node.names()]
    if missing:
        raise BundleError(f"{NAME}: files: {', '.join(missing)} not listed")
    return {name: _file_entry(node, name) for name in node.names()}


def _file_entry(files: Node, name: str) -> FileEntry:
    if not _PLAIN_NAME.fullmatch(name) or name in {NAME, SIGNATURE}:
        raise BundleError(f"{NAME}: files: expected the plain name of another file, got {name!r}")
    node = files.node(name)
    entry = FileEntry(_matching(node, "sha256", _SHA256, "64 hex digits"), node.integer("bytes"))
    node.close()
    return entry
