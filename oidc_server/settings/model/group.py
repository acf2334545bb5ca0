"""What all groups of settings share."""

from datetime import timedelta

from pydantic import ValidationInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "OIDC_"


def lower(value: object) -> object:
    """A word as it is written in the program, however the operator wrote it."""
    return value.lower() if isinstance(value, str) else value


def not_below_idle(value: timedelta, info: ValidationInfo) -> timedelta:
    """Check `…_absolute_lifetime` against `…_idle_lifetime`, which comes before it."""
    idle_name = (info.field_name or "").replace("absolute", "idle")
    if value < info.data.get(idle_name, timedelta()):
        raise ValueError(f"choose at least {PREFIX}{idle_name.upper()}")
    return value


class Group(BaseSettings):
    """Some settings of one topic. Their docstrings are their descriptions."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="forbid",
        frozen=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values come from `load()` only, which also tells of unknown names."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)
