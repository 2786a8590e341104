"""Every error that frugal-ai raises on purpose.

FrugalError
├── PipelineError     a pipeline file or a setting: says file, key, expected, given
├── DataError         what a source delivered: says file, series, timestamp
│   └── FetchError    a service on the network cannot be reached, or refuses
├── RungError         a rung cannot be fitted or exported as asked
├── CostError         a meter, factor or hardware description that cannot be used
├── CompressionError  no smaller model can be made, or none keeps what was asked for
├── ExportError       a model cannot become a bundle
│   └── ParityError   the exported graph disagrees with the model it came from
├── ReleaseError      a key or a bundle that cannot be signed or packed
├── TrackingError     the tracking server cannot be reached or written
│   └── UnknownModelError    it has no such run or model
├── BoardError        a page of the leaderboard that cannot be shown as asked
├── ReviewError       a decision, an account or a key that cannot be used as asked
│   └── StaleEvidenceError   what a decision rests on is no longer what is there
└── OutputError       a file or folder cannot be written
"""


class FrugalError(Exception):
    """Root of the hierarchy; the command line prints it in one line and exits with 2."""


class PipelineError(FrugalError):
    """A pipeline file or a setting in it is not valid."""


class DataError(FrugalError):
    """A source's data cannot be read or break the declared policy."""


class FetchError(DataError):
    """A service that data are fetched from cannot be reached, or does not answer as expected."""


class RungError(FrugalError):
    """A rung cannot be fitted or exported with what it was given."""


class CostError(FrugalError):
    """A meter, factor or hardware description cannot be used."""


class CompressionError(FrugalError):
    """A model cannot be compressed as asked; says what missed by how much."""


class ExportError(FrugalError):
    """A model cannot be turned into a bundle."""


class ParityError(ExportError):
    """The exported graph and the model it came from disagree."""


class ReleaseError(FrugalError):
    """A key cannot be used, or a bundle is not fit to be signed or packed."""


class TrackingError(FrugalError):
    """The tracking store cannot be reached or written."""


class UnknownModelError(TrackingError):
    """The tracking store has no run, model, version or alias of that name."""


class BoardError(FrugalError):
    """A page of the leaderboard cannot be shown as it is asked for."""


class ReviewError(FrugalError):
    """A decision cannot be taken, or an account, a record or a key cannot be used."""


class StaleEvidenceError(ReviewError):
    """A decision was made on other evidence than what is there now."""


class OutputError(FrugalError):
    """A file or folder cannot be written."""
