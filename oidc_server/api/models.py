"""JSON of the API: from a request to validated models."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from oidc_server.domain.base import parse_id
from oidc_server.web.context import Context
from oidc_server.web.errors import InvalidFieldsError
from oidc_server.web.incoming import BadRequestError

_MOST_FIELDS = 20
_LONGEST_NAME = 80


def printable(text: str) -> str:
    """For fields of models: a line of text, without control characters."""
    if not text.isprintable():
        raise ValueError("It may not hold control characters.")
    return text


def _user_id(text: str) -> str:
    found = parse_id(text)
    if found is None:
        raise ValueError("It is not the id of a user.")
    return found


UserId = Annotated[str, Field(max_length=100), AfterValidator(_user_id)]
"""For fields of models: the id of a user, who need not exist."""


class Body(BaseModel):
    """What is sent: each member of the right type already, and none that we do not know."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Query(BaseModel):
    """What stands in the query: text, from which numbers and the like are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _digits(given: object) -> object:
    """Of the many spellings that pydantic takes for a number, one."""
    if isinstance(given, str) and not (given.isascii() and given.isdigit()):
        raise ValueError("It may hold digits only.")
    return given


Count = Annotated[int, BeforeValidator(_digits)]
"""For fields of a query: a whole number, spelled in one way."""


def _truth(given: object) -> object:
    """The same for true and false."""
    if isinstance(given, str) and given not in ("true", "false"):
        raise ValueError("It is true or false.")
    return given


Truth = Annotated[bool, BeforeValidator(_truth)]
"""For fields of a query: `true` or `false`."""


class Answer(BaseModel):
    """What is answered."""

    model_config = ConfigDict(frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def read_body(ctx: Context, model: type[Model]) -> Model:
    """The JSON object in the body; raises `BadRequestError`, `InvalidFieldsError`.

    A number with a fraction arrives as `Decimal`; one with an exponent as float, so that nothing
    exact accepts it.
    """
    found = ctx.incoming.exact_json
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise _invalid(error) from None


def sent_members(ctx: Context) -> dict[str, Any]:
    """The members of the body as they were sent; none if it is no JSON object.

    For what runs ahead of the handler: `read_body` will refuse such a body.
    """
    try:
        return ctx.incoming.exact_json
    except BadRequestError:
        return {}


def read_query(ctx: Context, model: type[Model]) -> Model:
    """The parameters in the query, each once; raises `BadRequestError`, `InvalidFieldsError`."""
    found = ctx.query.single()
    try:
        return model.model_validate_strings(found)
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> InvalidFieldsError:
    told = error.errors(include_url=False, include_context=False, include_input=False)
    return InvalidFieldsError(
        *(
            (
                [str(part)[:_LONGEST_NAME] for part in fault["loc"]],
                fault["msg"].removeprefix("Value error, "),
            )
            for fault in told[:_MOST_FIELDS]
        )
    )
