"""Every error that frugal-edge raises on purpose.

EdgeError
├── BundleError       a bundle that cannot be trusted, read or run: says file, key, expected, given
│   └── GoldenError   the model does not give its golden outputs here: says case and step
├── InputError        history, covariates or origin of a forecast: says file, line, column, time
├── ForecastError     the model gave no usable forecast
└── OutputError       the forecast cannot be written
"""


class EdgeError(Exception):
    """Root of the hierarchy; the command line prints it in one line and exits with 2."""


class BundleError(EdgeError):
    """A bundle is incomplete, altered, of an unknown schema, or cannot run on this machine."""


class GoldenError(BundleError):
    """The model does not reproduce its golden cases on this machine."""


class InputError(EdgeError):
    """What a forecast was asked from does not fit the model."""


class ForecastError(EdgeError):
    """The model ran and gave no usable forecast."""


class OutputError(EdgeError):
    """The forecast cannot be written."""
