"""What commands say when they cannot do their work."""

from collections.abc import Iterator
from contextlib import contextmanager

from oidc_server.cli.alone import TakenError
from oidc_server.cli.output import fail
from oidc_server.database import ConflictError, DatabaseUnavailableError
from oidc_server.domain.base import DomainError
from oidc_server.schema import SchemaError
from oidc_server.security.encryption import UnsealError
from oidc_server.settings import SettingsError
from oidc_server.transfer import TransferError
from oidc_server.transfer.portable import ImportProblemsError

_FOREIGN_SECRET = (
    "The signing keys in this database are encrypted with another secret. Put that one into"
    " OIDC_SECRET_KEY, after the new one if there is a new one, or back into secret.key in the"
    " data folder, where SQLite keeps its own."
)


_TELLING = (
    SettingsError,
    TakenError,
    DomainError,
    SchemaError,
    TransferError,
    ImportProblemsError,
)
"""What says itself what is wrong, and what to do."""


@contextmanager
def telling_in_words(*, as_json: bool = False) -> Iterator[None]:
    """End with status 1 and a sentence for what a person can mend."""
    try:
        yield
    except _TELLING as error:
        fail(str(error), as_json=as_json)
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        fail(f"{where}{error.strerror or error}", as_json=as_json)
    except DatabaseUnavailableError as error:
        fail(f"The database cannot be used right now: {_reason(error)}", as_json=as_json)
    except ConflictError:
        fail("Somebody else changed the same thing; run the command again.", as_json=as_json)
    except UnsealError:
        fail(_FOREIGN_SECRET, as_json=as_json)


def _reason(error: DatabaseUnavailableError) -> str:
    """What the driver said, in its first line, after the file: never a password."""
    said = getattr(error.__cause__, "orig", None) or error
    return ": ".join([*getattr(error, "__notes__", ()), str(said).partition("\n")[0]])
