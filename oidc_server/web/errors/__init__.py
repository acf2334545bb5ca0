"""From an exception to an answer: one table, and one shape per kind of endpoint.

`problem.py` has what is told, `table.py` who tells it, `shapes.py` how it is written; `types.py`
names what the API answers with (RFC 9457).
"""

from oidc_server.web.errors.problem import (
    InvalidFieldsError,
    MethodNotAllowedError,
    NotFoundError,
    Problem,
    ProblemError,
    Shape,
)
from oidc_server.web.errors.shapes import as_oauth, as_page, as_problem, oauth_error
from oidc_server.web.errors.table import answer, problem_of

__all__ = [
    "InvalidFieldsError",
    "MethodNotAllowedError",
    "NotFoundError",
    "Problem",
    "ProblemError",
    "Shape",
    "answer",
    "as_oauth",
    "as_page",
    "as_problem",
    "oauth_error",
    "problem_of",
]
