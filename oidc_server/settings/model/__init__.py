"""Every setting, its default and what it is for, by topic. The README's table is made from this."""

from datetime import timedelta
from typing import NamedTuple

from pydantic.fields import FieldInfo

from oidc_server.settings import values
from oidc_server.settings.model.addresses import AddressSettings
from oidc_server.settings.model.brand import BrandSettings
from oidc_server.settings.model.group import PREFIX
from oidc_server.settings.model.mail import MailSettings
from oidc_server.settings.model.people import PeopleSettings
from oidc_server.settings.model.protection import ProtectionSettings
from oidc_server.settings.model.protocol import ProtocolSettings
from oidc_server.settings.model.records import RecordSettings
from oidc_server.settings.model.sessions import SessionSettings
from oidc_server.settings.model.storage import StorageSettings
from oidc_server.settings.model.tokens import TokenSettings
from oidc_server.settings.model.watching import WatchingSettings

__all__ = ["PREFIX", "SettingDescription", "Settings", "describe"]


class Settings(
    WatchingSettings,
    ProtectionSettings,
    RecordSettings,
    ProtocolSettings,
    TokenSettings,
    SessionSettings,
    PeopleSettings,
    BrandSettings,
    MailSettings,
    StorageSettings,
    AddressSettings,
):
    """Everything an operator may choose. Names are flat; the groups are for readers.

    Pydantic takes the groups from the last to the first: `issuer` comes first, and defaults may
    depend on it.
    """


class SettingDescription(NamedTuple):
    """One row of the README's table."""

    name: str
    default: str
    description: str


def describe() -> list[SettingDescription]:
    """Every setting in the order of the model, with its default as an operator would write it."""
    return [
        SettingDescription(
            name=PREFIX + name.upper(),
            default=_default_text(info),
            description=" ".join((info.description or "").split()),
        )
        for name, info in Settings.model_fields.items()
    ]


def _default_text(info: FieldInfo) -> str:
    extra = info.json_schema_extra
    if isinstance(extra, dict):
        return str(extra["default"])
    match info.default:
        case bool(flag):
            return "`on`" if flag else "`off`"
        case timedelta() as duration:
            return f"`{values.format_duration(duration)}`"
        case ():
            return "none"
        case value:
            return f"`{value}`"
