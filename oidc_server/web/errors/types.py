"""The problem types of the API (RFC 9457 §3.1.1): stable names, each with a page about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One type: its name in the address, its status, and words for who meets it."""

    name: str
    status: int
    title: str
    explanation: str
    what_to_do: str

    @property
    def path(self) -> str:
        return f"/problems/{self.name}"


INVALID_REQUEST = ProblemType(
    "invalid-request",
    400,
    "The request cannot be read",
    "It is malformed: JSON that is none, a parameter sent twice, a cursor that is not ours,"
    " a header that is missing.",
    "Mend the request as the detail says. Sending it again unchanged does not help.",
)
INVALID_TOKEN = ProblemType(
    "invalid-token",
    401,
    "An access token is needed",
    "The access token is missing, expired, revoked, or meant for somebody else.",
    "Get a token for this server, refresh it if there was one, and send it in Authorization.",
)
INSUFFICIENT_SCOPE = ProblemType(
    "insufficient-scope",
    403,
    "The access token does not allow this",
    "The token is good, and lacks the scope that this operation needs.",
    "Ask for a token with the scope that the answer names.",
)
NOT_ALLOWED = ProblemType(
    "not-allowed",
    403,
    "You may not do this",
    "The scope is there; what you ask for is open to others only: to services, or to"
    " administrators.",
    "Let somebody do it who may.",
)
NOT_FOUND = ProblemType(
    "not-found",
    404,
    "There is nothing here",
    "The address or an id in the request names nothing, or nothing that you may know of.",
    "Look at the id. What belongs to others looks the same as what does not exist.",
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed",
    405,
    "The address cannot be used that way",
    "The address exists, the method does not.",
    "Use one of the methods in Allow.",
)
TOO_SLOW = ProblemType(
    "too-slow",
    408,
    "The request took too long to arrive",
    "A request, and a body, has to arrive within a time that the operator sets.",
    "Send it again, all at once.",
)
CONFLICT = ProblemType(
    "conflict",
    409,
    "This cannot be done now",
    "The request is in order, and what it is about is in a state that forbids it.",
    "Read the current state, and decide again.",
)
INSUFFICIENT_CREDIT = ProblemType(
    "insufficient-credit",
    409,
    "There is not enough credit",
    "The balance is smaller than the amount. Nothing was taken.",
    "Ask for less, or add credit first. The answer holds the balance.",
)
TOO_LARGE = ProblemType(
    "too-large",
    413,
    "The request is too large",
    "A body may have 64 KiB.",
    "Send less at once.",
)
ADDRESS_TOO_LONG = ProblemType(
    "address-too-long",
    414,
    "The address is too long",
    "A query may have 16 KiB.",
    "Send less at once.",
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    415,
    "The body is of another kind",
    "Bodies are JSON in UTF-8, not compressed.",
    "Send application/json.",
)
MISDIRECTED = ProblemType(
    "misdirected",
    421,
    "This server goes by another name",
    "The Host of the request is not one of ours.",
    "Send it to the issuer's address.",
)
INVALID_FIELDS = ProblemType(
    "invalid-fields",
    422,
    "Some fields cannot be taken",
    "The request is well-formed, and a field is missing, unknown, or has a value that cannot be.",
    "The answer lists each such field in errors, with what is wrong.",
)
IDEMPOTENCY_KEY_REUSED = ProblemType(
    "idempotency-key-reused",
    422,
    "This Idempotency-Key was used for something else",
    "The same caller has sent the key with another body before. Nothing was done.",
    "Use a new key for what is new, and the same body when you try something again.",
)
TOO_MANY_REQUESTS = ProblemType(
    "too-many-requests",
    429,
    "Too many attempts",
    "There were many requests like this in a short time.",
    "Wait as long as Retry-After says.",
)
SERVER_ERROR = ProblemType(
    "server-error",
    500,
    "Something broke on our side",
    "You did nothing wrong. Nothing was changed.",
    "Try again, and send the reference to the people who run this server if it keeps happening.",
)
UNAVAILABLE = ProblemType(
    "unavailable",
    503,
    "We cannot do this right now",
    "A part of this server is away or busy. Whether your change was made is told by the same"
    " request with the same Idempotency-Key.",
    "Wait as long as Retry-After says, and send the same request again.",
)

PROBLEM_TYPES = (
    INVALID_REQUEST,
    INVALID_TOKEN,
    INSUFFICIENT_SCOPE,
    NOT_ALLOWED,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    TOO_SLOW,
    CONFLICT,
    INSUFFICIENT_CREDIT,
    TOO_LARGE,
    ADDRESS_TOO_LONG,
    UNSUPPORTED_MEDIA_TYPE,
    MISDIRECTED,
    INVALID_FIELDS,
    IDEMPOTENCY_KEY_REUSED,
    TOO_MANY_REQUESTS,
    SERVER_ERROR,
    UNAVAILABLE,
)
"""Every type, by status. Names never change: programs compare them."""

_BY_STATUS = {kind.status: kind for kind in reversed(PROBLEM_TYPES)} | {403: NOT_ALLOWED}


def type_of(status: int) -> ProblemType:
    """The type of an error that names none: the general one of its status."""
    return _BY_STATUS[status]
