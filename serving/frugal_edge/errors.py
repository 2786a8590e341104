"""Every error that frugal-edge raises on purpose.

EdgeError
├── BundleError          a bundle that cannot be trusted, read or run: file, key, expected, given
│   ├── GoldenError      the model does not give its golden outputs here: case and step
│   └── SignatureError   not signed, signed by nobody who is trusted, or not as it was signed
├── InstallError         an update that is refused, or for which there is no room
├── ConfigError          gateway.yaml or a public key: file, key, expected, given
├── InputError           history, covariates or origin of a forecast: file, line, column, time
├── ForecastError        the model gave no usable forecast
├── StoreError           the database of the gateway cannot be read or written
├── TransportError       a server or broker that cannot be reached or refuses: where and why
└── OutputError          the forecast cannot be written
"""


class EdgeError(Exception):
    """Root of the hierarchy; the command line prints it in one line and exits with 2."""


class BundleError(EdgeError):
    """A bundle is incomplete, altered, of an unknown schema, or cannot run on this machine."""


class GoldenError(BundleError):
    """The model does not reproduce its golden cases on this machine."""


class SignatureError(BundleError):
    """A signature is missing, by a key that is not trusted, or of other content."""


class InstallError(EdgeError):
    """An update is refused, or cannot be carried out here."""


class ConfigError(EdgeError):
    """The configuration of the gateway, or a key that it shall trust, is not what it can be."""


class InputError(EdgeError):
    """What a forecast was asked from does not fit the model."""


class ForecastError(EdgeError):
    """The model ran and gave no usable forecast."""


class StoreError(EdgeError):
    """The database of the gateway cannot be read or written."""


class TransportError(EdgeError):
    """A server or a broker cannot be reached, or refuses."""


class OutputError(EdgeError):
    """The forecast cannot be written."""
