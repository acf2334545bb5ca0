"""An OAuth 2 and OpenID Connect authorization server.

The map, from the wire down; imports point down only, and features do not know each other
(`[tool.importlinter]` in pyproject.toml holds it):

* `cli` starts things, `serving` is the process that answers. `app` chooses every part, `routes`
  lists every address, `transfer` moves whole databases, `schema` migrates.
* Features, one package per door, in walking order: `discovery`, `authorization`, `authentication`,
  `token`, `device`, `userinfo`, `client_registration`, `logout`, `language_choice`, `account`,
  `account_api`, `admin_api`, `credits`, `api_docs`, `problems`, `forward_auth`, `setup`, `health`,
  `dev`, and `jobs`, the only loops.
* `api` is what every operation of the API does alike.
* `people` is what people do alike by every door: prove who they are, keep what is theirs.
* `web` turns a plain handler into an endpoint: one transaction, one way to answer an error.
* `oauth2` is what protocol endpoints share; Authlib comes in there and nowhere else.
* `domain` is state: one aggregate per file, its table on top and its rules below. No HTTP.
* Below it: `outbound`, `observability`, `security`, `languages`, `database`, `clock`, `settings`,
  `resources`, `processors`, `lean_imports`.

The walk of a sign-in: `authorization/endpoint.py` validates a request (`request/`) and decides
(`next_step.py`); `authentication/login.py` and `authorization/consent.py` each do one thing and
come back to it; `authorization/response.py` answers with a code; `token/endpoint.py` redeems it;
`userinfo/endpoint.py` tells who it was.
"""

__version__ = "0.1.0"
