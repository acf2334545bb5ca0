"""What others watch the server with: metrics, traces, errors, health."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from oidc_server.settings import listening
from oidc_server.settings.listening import Endpoint
from oidc_server.settings.model.group import Group
from oidc_server.settings.values import Duration, between


class WatchingSettings(Group):
    """Everything here is off until it is set."""

    metrics_address: Annotated[str | None, AfterValidator(listening.check_endpoint)] = Field(
        None, json_schema_extra={"default": "nothing is shown"}
    )
    """Address and port, such as `127.0.0.1:9464`, where Prometheus finds `/metrics`. There is no
    authentication: everybody who reaches it can read it."""

    otlp_endpoint: Annotated[str | None, AfterValidator(listening.check_otlp)] = Field(
        None, json_schema_extra={"default": "no traces"}
    )
    """Collector that gets traces over OTLP/HTTP, such as `http://localhost:4318`; needs
    `opentelemetry-sdk` and `opentelemetry-exporter-otlp-proto-http`."""

    trace_ratio: float = Field(1.0, ge=0, le=1)
    """Share of requests that are traced, unless the caller has decided (`traceparent`)."""

    sentry_dsn: SecretStr | None = Field(None, json_schema_extra={"default": "nobody is told"})
    """Sentry project that errors are reported to; needs `sentry-sdk`."""

    drain_time: Annotated[Duration, between("0s", "10m")] = timedelta(0)
    """After SIGTERM, how long `/health/ready` answers 503 before the server stops accepting
    requests, so that load balancers notice."""

    @property
    def metrics_endpoint(self) -> Endpoint | None:
        """`metrics_address`, taken apart."""
        return (
            None if self.metrics_address is None else listening.parse_endpoint(self.metrics_address)
        )
