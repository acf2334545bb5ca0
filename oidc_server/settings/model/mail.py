"""How mail leaves."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, field_validator

from oidc_server.settings import values
from oidc_server.settings.model.group import Group
from oidc_server.settings.values import SmtpServer


def _default_mail_from(data: dict[str, Any]) -> str:
    host = values.issuer_host(data["issuer"])
    if values.is_loopback_host(host):
        host = "localhost"
    is_literal = ":" in host or host.rpartition(".")[2].isdigit()
    return f"no-reply@[{host}]" if is_literal else f"no-reply@{host}"


class MailSettings(Group):
    """How mail leaves; its default sender needs the issuer."""

    smtp_url: SecretStr | None = Field(None, json_schema_extra={"default": "no mail is sent"})
    """`smtp://user:password@host:587` or `smtps://…`; `?starttls=required`, `optional` or `off`."""

    mail_from: Annotated[str, AfterValidator(values.check_address)] = Field(
        default_factory=_default_mail_from,
        json_schema_extra={"default": "`no-reply@` and the issuer's host"},
    )
    """Sender address of mails."""

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            values.parse_smtp_url(value.get_secret_value())
        return value

    @property
    def smtp_server(self) -> SmtpServer | None:
        """`smtp_url`, taken apart."""
        return values.parse_smtp_url(self.smtp_url.get_secret_value()) if self.smtp_url else None
