"""From an exception to a response: one table, and one shape for each kind of endpoint.

`problem.py` has errors before they have a shape, `table.py` maps exceptions to them, `shapes.py`
writes them; `types.py` has the problem types of the API (RFC 9457).
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
