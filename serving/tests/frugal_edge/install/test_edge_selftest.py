"""Whatever a model does in its self-test, it ends in one line, and in time."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frugal_edge.errors import InstallError
from frugal_edge.install.selftest import Bounds, Replayed, self_test
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

MakeBundle = Callable[..., Path]
HORIZON = 48
CASES = 3  # golden ones of a small bundle


def graph(*nodes: NodeProto, **constants: NDArray[Any]) -> bytes:
    """Return a model whose forecast the nodes make, with the inputs of a small bundle."""
    model = helper.make_model(
        helper.make_graph(
            list(nodes),
            "odd",
            [
                helper.make_tensor_value_info("history", TensorProto.FLOAT, ["B", 96]),
                helper.make_tensor_value_info("origin", TensorProto.INT64, ["B"]),
            ],
            [helper.make_tensor_value_info("forecast", TensorProto.FLOAT, ["B", HORIZON])],
            [numpy_helper.from_array(v, name) for name, v in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    return bytes(model.SerializeToString())


@pytest.fixture
def endless() -> bytes:
    """Give a model that counts to 2^50."""
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Identity", ["value"], ["next"]),
        ],
        "body",
        [
            info("i", TensorProto.INT64, []),
            info("go", TensorProto.BOOL, []),
            info("value", TensorProto.FLOAT, ["B", HORIZON]),
        ],
        [
            info("go_on", TensorProto.BOOL, []),
            info("next", TensorProto.FLOAT, ["B", HORIZON]),
        ],
    )
    return graph(
        helper.make_node("Slice", ["history", "start", "end", "axis"], ["tail"]),
        helper.make_node("Loop", ["count", "true", "tail"], ["forecast"], body=body),
        start=np.array([-HORIZON], np.int64),
        end=np.array([2**31], np.int64),
        axis=np.array([1], np.int64),
        count=np.array(2**50, np.int64),
        true=np.array(True),
    )


@pytest.fixture
def greedy() -> bytes:
    """Give a model that asks for two gigabytes."""
    return graph(
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Slice", ["history", "start", "end", "axis"], ["tail"]),
        helper.make_node("Shape", ["origin"], ["batch"]),  # so that nothing is folded on loading
        helper.make_node("Mul", ["batch", "many"], ["shape"]),
        helper.make_node("Add", ["tail", "sum"], ["forecast"]),
        start=np.array([-HORIZON], np.int64),
        end=np.array([2**31], np.int64),
        axis=np.array([1], np.int64),
        many=np.array([2**29], np.int64),
    )


def test_a_good_bundle_passes(make_bundle: MakeBundle) -> None:
    assert self_test(make_bundle(), Bounds()) == Replayed(CASES, 0.0)


def test_a_folder_may_be_named_from_where_one_stands(
    make_bundle: MakeBundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_bundle()
    monkeypatch.chdir(folder.parent)
    assert self_test(Path(folder.name), Bounds()).cases == CASES


def test_code_where_one_stands_is_not_run(
    make_bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_bundle()
    (tmp_path / "numpy.py").write_text("raise SystemExit('evil')")
    monkeypatch.chdir(tmp_path)
    assert self_test(folder, Bounds()).cases == CASES


def test_a_model_that_does_not_end_uses_up_its_processor_time(
    make_bundle: MakeBundle, endless: bytes
) -> None:
    with pytest.raises(InstallError, match="self-test: needs more than 1 s of processor time"):
        self_test(make_bundle(model=endless), Bounds(cpu_s=1))


def test_a_model_that_does_not_end_is_ended(make_bundle: MakeBundle, endless: bytes) -> None:
    start = time.monotonic()
    with pytest.raises(InstallError, match="self-test: not over after 2 s"):
        self_test(make_bundle(model=endless), Bounds(wall_s=2))
    assert time.monotonic() - start < 60  # and not without end, on a busy machine, too


def test_a_model_that_wants_too_much_memory_is_refused(
    make_bundle: MakeBundle, greedy: bytes
) -> None:
    with pytest.raises(InstallError, match="self-test: needs more than 384 MB of memory"):
        self_test(make_bundle(model=greedy), Bounds())


def test_no_room_for_the_libraries_is_told(make_bundle: MakeBundle) -> None:
    with pytest.raises(InstallError, match="self-test: needs more than 40 MB of memory"):
        self_test(make_bundle(), Bounds(memory_mb=40))


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed: SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "crashed: SIGKILL"),
        ("import os; os.abort()", "crashed: SIGABRT"),
        ("import os; os._exit(7)", "nothing said"),
        ("raise ValueError('odd')", "ValueError: odd"),
        ("open(__file__ + '.leak', 'wb', 0).write(b'x')", "File too large"),
        ("import os; os.write(1, b'[]'); os._exit(0)", "expected an object"),
    ],
)
def test_a_crash_of_the_runtime_is_told(
    make_bundle: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, said: str
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "onnxruntime.py").write_text(does)
    paths = [str(tmp_path / "lib"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    with pytest.raises(InstallError, match=f"self-test: .*{said}"):
        self_test(make_bundle(), Bounds())
