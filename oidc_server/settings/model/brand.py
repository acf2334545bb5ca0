"""What people see of the operator."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from oidc_server.settings import branding, values
from oidc_server.settings.model.group import Group


class BrandSettings(Group):
    """Name, mark, colour and links of the pages."""

    brand_name: Annotated[str, AfterValidator(values.check_name)] = Field(
        "Your ID", min_length=1, max_length=60
    )
    """What the pages and mails call this server."""

    brand_logo: Annotated[Path | None, AfterValidator(branding.check_logo)] = Field(
        None, json_schema_extra={"default": "our own mark"}
    )
    """File of a square PNG or SVG picture, at most 32 KiB, which pages show as our mark."""

    brand_color: Annotated[str | None, AfterValidator(branding.check_color)] = Field(
        None, json_schema_extra={"default": "our own colour"}
    )
    """Colour of buttons and links, such as `#6d1f4f`. Where text in it or on it could not be read
    (WCAG AA), it is darkened or lightened until it can, in light and in dark."""

    help_url: Annotated[str | None, AfterValidator(branding.check_link)] = Field(
        None, json_schema_extra={"default": "no link"}
    )
    """Page where people get help; in the foot of every page."""

    privacy_url: Annotated[str | None, AfterValidator(branding.check_link)] = Field(
        None, json_schema_extra={"default": "no link"}
    )
    """Privacy policy, in the foot of every page."""

    terms_url: Annotated[str | None, AfterValidator(branding.check_link)] = Field(
        None, json_schema_extra={"default": "no link"}
    )
    """Terms of service, in the foot of every page."""
