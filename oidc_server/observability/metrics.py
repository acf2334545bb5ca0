"""The metrics (Prometheus): each name once, with labels that have few values.

No label is a client, a person or an address: there would be too many. Counting is always on, since
that costs less than checking whether anybody scrapes; `exposition` serves the metrics. With several
workers each counts in files of its own (`PROMETHEUS_MULTIPROC_DIR`, which `serve` sets before they
start), which are added up.
"""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
"""The metrics of this process."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REQUESTS = Counter(
    "oidc_http_requests",
    "Requests answered, by name of the route and class of the status.",
    ("route", "method", "status"),
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "oidc_http_request_duration_seconds",
    "Seconds from the head of a request to the end of its answer.",
    ("route",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
SIGN_INS = Counter(
    "oidc_sign_ins",
    "Attempts to sign in: succeeded, failed, or failed at the second step.",
    ("outcome",),
    registry=REGISTRY,
)
TOKENS = Counter(
    "oidc_tokens_issued",
    "Answers of the token endpoint that held an access token.",
    ("grant_type",),
    registry=REGISTRY,
)
AUDIT_EVENTS = Counter(
    "oidc_audit_events",
    "Events that were written to the audit log.",
    ("event",),
    registry=REGISTRY,
)
LIMITED = Counter(
    "oidc_rate_limited_requests",
    "Requests that were refused because a limit was used up.",
    ("limit",),
    registry=REGISTRY,
)
LIMITER_DEGRADED = Counter(
    "oidc_rate_limiter_degraded",
    "Times that limits fell back to counting in one process, as their store was away.",
    registry=REGISTRY,
)
BREAKER_CHANGES = Counter(
    "oidc_breaker_transitions",
    "Changes of circuit breakers, by kind of external service and new state.",
    ("service", "state"),
    registry=REGISTRY,
)
BREAKERS_OPEN = Gauge(
    "oidc_breakers_open",
    "Circuit breakers that are open or half-open, each counted by every process that has it.",
    ("service",),
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
LANE_INSIDE = Gauge(
    "oidc_lane_inside",
    "Pieces of work that wait or run off the event loop: database, hashing, fetching.",
    ("lane",),
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
LANE_THREADS = Gauge(
    "oidc_lane_threads",
    "Threads of each lane: what is inside beyond them waits.",
    ("lane",),
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
SLOW_STATEMENTS = Counter(
    "oidc_slow_statements",
    "Statements of the database that took longer than OIDC_LOG_SLOW_AFTER.",
    registry=REGISTRY,
)
JOB_RUNS = Counter(
    "oidc_job_runs",
    "Runs of the jobs in the background: done or failed.",
    ("name", "outcome"),
    registry=REGISTRY,
)
LOG_LINES_DROPPED = Counter(
    "oidc_log_lines_dropped",
    "Lines of the log that could not be kept: by the files, or by what ships them.",
    ("sink",),
    registry=REGISTRY,
)


def breaker_changed(service: str, before: str, after: str) -> None:
    """Count a change of a breaker: `closed`, `open` or `half-open`.

    `service` is the kind of external service, such as `mail` or `http`: never a host, since
    clients choose those.
    """
    BREAKER_CHANGES.labels(service, after).inc()
    if (before == "closed") != (after == "closed"):
        BREAKERS_OPEN.labels(service).inc(-1 if after == "closed" else 1)


@cache
def tokens_issued(grant_type: str) -> Counter:
    """The counter for this grant type, which must be a known one."""
    return TOKENS.labels(grant_type)


def limited(limit: str) -> None:
    """Count a request that was refused by the limit of this name."""
    LIMITED.labels(limit).inc()


def request_answered(route: str, method: str, status: int, seconds: float) -> None:
    """Count a response. `route` is the name of a route, never a path."""
    counter, histogram = _of_request(route, method if method in METHODS else "other", status // 100)
    counter.inc()
    histogram.observe(seconds)


@cache
def _of_request(route: str, method: str, kind: int) -> tuple[Counter, Histogram]:
    """Cached: looking labels up costs more than counting."""
    return REQUESTS.labels(route, method, f"{kind}xx"), REQUEST_SECONDS.labels(route)


def lane(name: str, threads: int) -> Gauge:
    """The gauge of work inside a lane with this number of threads."""
    LANE_THREADS.labels(name).set(threads)
    return LANE_INSIDE.labels(name)
