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
    """Name of this server on pages and in mails."""

    brand_logo: Annotated[Path | None, AfterValidator(branding.check_logo)] = Field(
        None, json_schema_extra={"default": "our own mark"}
    )
    """File of a square PNG or SVG picture, at most 32 KiB, which pages show as the logo."""

    brand_color: Annotated[str | None, AfterValidator(branding.check_color)] = Field(
        None, json_schema_extra={"default": "our own colour"}
    )
    """Colour of buttons and links, such as `#6d1f4f`. Where its contrast is too low (WCAG AA), it
    is darkened or lightened, separately for light and dark mode."""

    help_url: Annotated[str | None, AfterValidator(branding.check_link)] = Field(
        None, json_schema_extra={"default": "no link"}
    )
    """Help page; linked in the footer of every page."""

    privacy_url: Annotated[str | None, AfterValidator(branding.check_link)] = Field(
        None, json_schema_extra={"default": "no link"}
    )
    """Privacy policy; linked in the footer of every page."""

    terms_url: Annotated[str | None, AfterValidator(branding.check_link)] = Field(
        None, json_schema_extra={"default": "no link"}
    )
    """Terms of service; linked in the footer of every page."""
