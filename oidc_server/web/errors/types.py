"""The problem types of the API (RFC 9457 §3.1.1): stable names, each with a page about it."""

from dataclasses import dataclass

from oidc_server.languages import Words


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One type: its name in the address, its status, and words for who meets it.

    Answers of the API have them in English; their pages are in the reader's language.
    """

    name: str
    status: int
    title: Words
    explanation: Words
    what_to_do: Words

    @property
    def path(self) -> str:
        return f"/problems/{self.name}"


INVALID_REQUEST = ProblemType(
    "invalid-request",
    400,
    Words("The request cannot be read"),
    Words(
        "It is malformed: JSON that is none, a parameter sent twice, a cursor that is not ours,"
        " a header that is missing."
    ),
    Words("Mend the request as the detail says. Sending it again unchanged does not help."),
)
INVALID_TOKEN = ProblemType(
    "invalid-token",
    401,
    Words("An access token is needed"),
    Words("The access token is missing, expired, revoked, or meant for somebody else."),
    Words(
        "Get a token for this server, refresh it if there was one, and send it in Authorization."
    ),
)
INSUFFICIENT_SCOPE = ProblemType(
    "insufficient-scope",
    403,
    Words("The access token does not allow this"),
    Words("The token is good, and lacks the scope that this operation needs."),
    Words("Ask for a token with the scope that the answer names."),
)
NOT_ALLOWED = ProblemType(
    "not-allowed",
    403,
    Words("You may not do this"),
    Words(
        "The scope is there; what you ask for is open to others only: to services, or to"
        " administrators."
    ),
    Words("Let somebody do it who may."),
)
NOT_FOUND = ProblemType(
    "not-found",
    404,
    Words("There is nothing here"),
    Words("The address or an id in the request names nothing, or nothing that you may know of."),
    Words("Look at the id. What belongs to others looks the same as what does not exist."),
)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed",
    405,
    Words("The address cannot be used that way"),
    Words("The address exists, the method does not."),
    Words("Use one of the methods in Allow."),
)
TOO_SLOW = ProblemType(
    "too-slow",
    408,
    Words("The request took too long to arrive"),
    Words("A request, and a body, has to arrive within a time that the operator sets."),
    Words("Send it again, all at once."),
)
CONFLICT = ProblemType(
    "conflict",
    409,
    Words("This cannot be done now"),
    Words("The request is in order, and what it is about is in a state that forbids it."),
    Words("Read the current state, and decide again."),
)
INSUFFICIENT_CREDIT = ProblemType(
    "insufficient-credit",
    409,
    Words("There is not enough credit"),
    Words("The balance is smaller than the amount. Nothing was taken."),
    Words("Ask for less, or add credit first. The answer holds the balance."),
)
TOO_LARGE = ProblemType(
    "too-large",
    413,
    Words("The request is too large"),
    Words("A body may have 64 KiB."),
    Words("Send less at once."),
)
ADDRESS_TOO_LONG = ProblemType(
    "address-too-long",
    414,
    Words("The address is too long"),
    Words("A query may have 16 KiB."),
    Words("Send less at once."),
)
UNSUPPORTED_MEDIA_TYPE = ProblemType(
    "unsupported-media-type",
    415,
    Words("The body is of another kind"),
    Words("Bodies are JSON in UTF-8, not compressed."),
    Words("Send application/json."),
)
MISDIRECTED = ProblemType(
    "misdirected",
    421,
    Words("This server goes by another name"),
    Words("The Host of the request is not one of ours."),
    Words("Send it to the issuer's address."),
)
INVALID_FIELDS = ProblemType(
    "invalid-fields",
    422,
    Words("Some fields cannot be taken"),
    Words(
        "The request is well-formed, and a field is missing, unknown,"
        " or has a value that cannot be."
    ),
    Words("The answer lists each such field in errors, with what is wrong."),
)
IDEMPOTENCY_KEY_REUSED = ProblemType(
    "idempotency-key-reused",
    422,
    Words("This Idempotency-Key was used for something else"),
    Words("The same caller has sent the key with another body before. Nothing was done."),
    Words("Use a new key for what is new, and the same body when you try something again."),
)
TOO_MANY_REQUESTS = ProblemType(
    "too-many-requests",
    429,
    Words("Too many attempts"),
    Words("There were many requests like this in a short time."),
    Words("Wait as long as Retry-After says."),
)
SERVER_ERROR = ProblemType(
    "server-error",
    500,
    Words("Something broke on our side"),
    Words("You did nothing wrong. Nothing was changed."),
    Words(
        "Try again, and send the reference to the people who run this server if it keeps happening."
    ),
)
UNAVAILABLE = ProblemType(
    "unavailable",
    503,
    Words("We cannot do this right now"),
    Words(
        "A part of this server is away or busy. Whether your change was made is told by the same"
        " request with the same Idempotency-Key."
    ),
    Words("Wait as long as Retry-After says, and send the same request again."),
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
