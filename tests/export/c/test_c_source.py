"""The file that is written: its function refuses what a gateway refuses, and replays golden."""

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frugal_edge.bundle import Bundle, open_bundle
from frugal_edge.errors import InputError
from frugal_edge.golden import read_golden
from frugal_edge.origin import check_origin
from frugal_edge.runtime import Forecaster
from numpy.typing import NDArray

from frugal_ai.cli import main
from frugal_ai.errors import ExportError, OutputError
from frugal_ai.export.c.source import c_source, export_c

BUNDLE = min(Path(__file__).parents[3].glob("models/load/*/manifest.json")).parent
NAME = "frugal_feeder_load"
OK, VALIDITY, GRID, CLOCK, INPUT, OUTPUT = range(6)
DAY = 86400
Array = NDArray[Any]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return open_bundle(BUNDLE)


class Model:
    """The exported function, called as C calls it."""

    def __init__(self, library: ctypes.CDLL, bundle: Bundle, name: str = NAME) -> None:
        self._function = getattr(library, f"{name}_forecast")
        self.manifest = bundle.manifest
        case = read_golden(bundle.content["golden.json"], bundle.manifest).cases[0]
        self.inputs: dict[str, Array] = {k: v[0].copy() for k, v in case.inputs.items()}

    def __call__(self, **changes: Any) -> tuple[int, dict[str, Array]]:
        given: list[Any] = []
        held = []
        for name in ("history", "origin", "known", "past", "drift"):
            if name not in self.manifest.inputs:
                continue
            value = changes.get(name, self.inputs[name])
            if value is None:
                given.append(None)
            elif name == "origin":
                given.append(ctypes.c_int64(int(value)))
            else:
                held.append(np.ascontiguousarray(value, np.float32))
                given.append(held[-1].ctypes.data_as(ctypes.c_void_p))
        outputs = {
            name: np.full([size or 1 for size in tensor.shape[1:]], 7, np.float32)
            for name, tensor in self.manifest.outputs.items()
        }
        given += [one.ctypes.data_as(ctypes.c_void_p) for one in outputs.values()]
        return int(self._function(*given)), outputs


@pytest.fixture(scope="module")
def model(gcc: Any, bundle: Bundle) -> Model:
    return Model(gcc.library(c_source(bundle), "-O2", "-Wshadow", "-Wconversion"), bundle)


def test_it_forecasts_what_the_gateway_does(model: Model, bundle: Bundle) -> None:
    code, got = model()
    assert code == OK
    edge = Forecaster(bundle)
    expected = edge.forecast(
        model.inputs["history"], int(model.inputs["origin"]), model.inputs["known"]
    )
    np.testing.assert_allclose(got["forecast"], expected.point, rtol=0, atol=1e-5)
    np.testing.assert_allclose(got["quantiles"], expected.quantiles, rtol=0, atol=1e-5)


@pytest.mark.parametrize("origin", [
    "valid_from", "valid_until", "before", "after", "off the grid", "another hour", "a second",
])  # fmt: skip
def test_origins_are_refused_as_on_a_gateway(model: Model, origin: str) -> None:
    allowed = model.manifest.origins
    time = {
        "valid_from": allowed.valid_from,
        "valid_until": allowed.valid_until,
        "before": allowed.valid_from - DAY,
        "after": allowed.valid_until + DAY,
        "off the grid": int(model.inputs["origin"]) + 60,
        "another hour": int(model.inputs["origin"]) + 3600,
        "a second": int(model.inputs["origin"]) + 1,
    }[origin]
    assert model(origin=time)[0] == expected_code(model, time)


def expected_code(model: Model, origin: int) -> int:
    try:
        check_origin(model.manifest, origin)
    except InputError as error:
        for said, code in (("holds", VALIDITY), ("whole number of steps", GRID), (" is ", CLOCK)):
            if said in str(error):
                return code
        raise
    return OK


def test_every_origin_of_two_years_across_clock_changes(model: Model) -> None:
    first = model.manifest.origins.valid_from
    origins = range(first, first + 730 * DAY, 1800)
    codes = np.array([model(origin=origin)[0] for origin in origins])
    expected = np.array([expected_code(model, origin) for origin in origins[::7]])
    np.testing.assert_array_equal(codes[::7], expected)
    assert (codes == OK).sum() in (729, 730)


@pytest.mark.parametrize("name", ["history", "known"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_inputs_that_are_not_finite(model: Model, name: str, value: float) -> None:
    for place in (*range(9), -1):
        spoiled = model.inputs[name].copy()
        spoiled.flat[place] = value
        code, got = model(**{name: spoiled})
        assert code == INPUT
        assert (got["forecast"] == 7).all(), "nothing is written"


def test_the_largest_finite_numbers_give_no_forecast_that_could_be_used(model: Model) -> None:
    huge = np.full_like(model.inputs["history"], np.finfo(np.float32).max)
    code, got = model(history=huge)
    assert code == OUTPUT or np.isfinite(got["forecast"]).all()
    assert model(history=huge * np.float32(-1))[0] in (OK, OUTPUT)


def test_golden_cases_replay(gcc: Any, tmp_path: Path) -> None:
    program = gcc.program_of(export_c(BUNDLE, tmp_path), "-O2", "-DFRUGAL_GOLDEN")
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("2 golden cases, largest difference ")


def test_a_golden_case_that_differs_is_found(gcc: Any, tmp_path: Path) -> None:
    source = export_c(BUNDLE, tmp_path)
    text = source.read_text()
    head, tail = text.split("golden_forecast[96] = {\n    ", 1)
    source.write_text(f"{head}golden_forecast[96] = {{\n    1e3f + {tail}")
    program = gcc.program_of(source, "-O2", "-DFRUGAL_GOLDEN")
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("case 0, forecast: not within ")


@pytest.mark.parametrize(
    "flags",
    [
        ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
        ("-O2", "-m32"),
        ("-O3", "-march=native"),
        ("-O2", "-ffast-math", "-Wno-error"),
        ("-Os", "-Wshadow", "-Wdouble-promotion"),
    ],
    ids=" ".join,
)
def test_other_compilations_replay_golden_too(
    gcc: Any, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    if not gcc.links(*flags):
        pytest.skip(f"gcc makes no programs with {' '.join(flags)} on this machine")
    program = gcc.program_of(export_c(BUNDLE, tmp_path), *flags, "-DFRUGAL_GOLDEN")
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "compiler", ["arm-none-eabi-gcc", "arm-linux-gnueabihf-gcc", "aarch64-linux-gnu-gcc"]
)
def test_compilers_for_arm_take_it(gcc: Any, tmp_path: Path, compiler: str) -> None:
    program = shutil.which(compiler)
    if program is None:
        pytest.skip(f"no {compiler} on this machine")
    cross = replace(gcc, program=program)
    cross.run("-O2", "-c", export_c(BUNDLE, tmp_path), "-o", tmp_path / "model.o")


def test_two_models_in_one_program(gcc: Any, tmp_path: Path, bundle: Bundle) -> None:
    for name in ("north", "south"):
        export_c(BUNDLE, tmp_path, name)
    (tmp_path / "both.c").write_text(
        "#define FRUGAL_DECLARE_ONLY\n"
        '#include "north.c"\n#include "south.c"\n#include <stdio.h>\n'
        "int main(void)\n{\n"
        f"    static float x[NORTH_HISTORY_STEPS], k[{np.prod(known_shape(bundle))}];\n"
        "    static float y[NORTH_HORIZON], q[NORTH_HORIZON * NORTH_LEVELS];\n"
        f"    int64_t t = NORTH_VALID_FROM - 1;\n    {call(bundle, 'north')}\n"
        f"    t = SOUTH_VALID_UNTIL + 1;\n    {call(bundle, 'south')}\n"
        '    puts(NORTH_MODEL);\n    return 0;\n}\n'
    )  # fmt: skip
    program = tmp_path / "both"
    sources = [tmp_path / f"{name}.c" for name in ("both", "north", "south")]
    gcc.run("-O2", *sources, "-o", program, "-lm")
    done = subprocess.run([program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == bundle.manifest.id


def known_shape(bundle: Bundle) -> tuple[int, ...]:
    return tuple(size or 1 for size in bundle.manifest.inputs["known"].shape)


def call(bundle: Bundle, name: str) -> str:
    words = {"history": "x", "origin": "t", "known": "k", "drift": "0"}
    inputs = [words[one] for one in words if one in bundle.manifest.inputs]
    wanted = f"{name.upper()}_VALIDITY"
    return f"if ({name}_forecast({', '.join(inputs)}, y, q) != {wanted}) return 1;"


def test_no_heap_no_locale_and_one_name_to_the_outside(
    gcc: Any, tmp_path: Path, bundle: Bundle
) -> None:
    source = export_c(BUNDLE, tmp_path)
    gcc.run("-O2", "-c", source, "-o", tmp_path / "model.o")
    nm = shutil.which("nm")
    assert nm is not None, "gcc comes with nm"
    said = subprocess.run(
        [nm, tmp_path / "model.o"], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    symbols = {line.split()[-1]: line.split()[-2] for line in said if line}
    assert [name for name, kind in symbols.items() if kind in "TDBC"] == [f"{NAME}_forecast"]
    libm = {"sin", "cos", "sincos", "exp", "powf", "tanhf", "_GLOBAL_OFFSET_TABLE_"}
    assert {name for name, kind in symbols.items() if kind == "U"} <= libm


def test_the_same_bundle_gives_the_same_file(tmp_path: Path) -> None:
    first, second = (export_c(BUNDLE, tmp_path / name).read_bytes() for name in "ab")
    assert first == second


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["frugal-ai", "export", "c", str(BUNDLE), "--out", str(tmp_path)]
    monkeypatch.setattr("sys.argv", command)
    main()
    path = tmp_path / f"{NAME}.c"
    assert capsys.readouterr().out.strip() == str(path)
    assert "FRUGAL_FEEDER_LOAD_HORIZON 48" in path.read_text()


def test_what_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="not a bundle"):
        export_c(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_altered_bundle(tmp_path: Path) -> None:
    for path in BUNDLE.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    content = bytearray((tmp_path / "model.onnx").read_bytes())
    content[-1] ^= 1
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ExportError, match=r"model.onnx: altered: expected SHA-256"):
        export_c(tmp_path, tmp_path / "out")


@pytest.mark.parametrize("name", ["2north", "north-west", "", "é", "a" * 32])
def test_names_that_are_none(bundle: Bundle, name: str, tmp_path: Path) -> None:
    if name:
        with pytest.raises(ExportError, match="name: expected up to 31 letters"):
            export_c(BUNDLE, tmp_path, name)
        assert not list(tmp_path.iterdir())
    else:
        assert f"{NAME}_forecast(" in c_source(bundle, name)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file: cannot be written"):
        export_c(BUNDLE, tmp_path / "file")


def test_a_graph_that_is_not_the_manifest_s(bundle: Bundle) -> None:
    manifest = replace(bundle.manifest, inputs={})
    with pytest.raises(
        ExportError, match=r"model.onnx: inputs: expected \{\} as the manifest says"
    ):
        c_source(replace(bundle, manifest=manifest))


def test_words_of_a_manifest_cannot_leave_their_comment(
    gcc: Any, bundle: Bundle, graph_of: Callable[..., bytes]
) -> None:
    manifest = replace(bundle.manifest, unit='MW*/ "x" ??/', series_id="a*/\n#error b\\")
    library = gcc.library(c_source(replace(bundle, manifest=manifest), NAME), "-O1")
    assert Model(library, bundle)()[0] == OK
