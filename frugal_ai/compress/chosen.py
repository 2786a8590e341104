"""The chosen rung of a run, made smaller."""

import numpy as np

from frugal_ai.backtest.compare import draw_resamples
from frugal_ai.compress.compressor import Compressed, Step, compress
from frugal_ai.compress.examine import Examiner
from frugal_ai.compress.original import Original
from frugal_ai.cost.ledger import Ledger
from frugal_ai.cost.meter import Meter
from frugal_ai.judge import Climbed, seasonal_naive
from frugal_ai.pipeline import Pipeline
from frugal_ai.prepare import Prepared, task
from frugal_ai.selection.compression import Compression


def original_of(climbed: Climbed, pipeline: Pipeline, prepared: Prepared) -> Original:
    """Return a climbed rung as what is to be compressed."""
    models = climbed.evaluation.models
    return Original(
        rung=climbed.rung,
        task=task(pipeline, prepared).seen_by(climbed.rung),
        graphs=tuple(model.graph for model in models),
        exported=climbed.exported,
        models=models,
    )


def compress_original(
    original: Original,
    pipeline: Pipeline,
    prepared: Prepared,
    rule: Compression,
    meter: Meter,
    ledger: Ledger,
    step: Step,
) -> Compressed:
    """Make a chosen model smaller, as far as its skill on the test origins allows.

    Raises
    ------
    CompressionError
        If nothing passes the gates and the rule is strict.
    """
    origins = prepared.split.test
    actual = np.stack([series.targets(origins) for series in prepared.series])
    examiner = Examiner(
        task=original.task,
        baseline=seasonal_naive(prepared, origins, actual).forecast,
        draws=draw_resamples(origins, pipeline.selection.resamples, pipeline.seed),
        level=pipeline.selection.level,
        meter=meter,
        context=ledger.context,
    )
    return compress(
        original,
        pipeline.kind,
        examiner,
        rule,
        meter,
        ledger,
        step,
        frugal=pipeline.climb == "frugal",
    )
