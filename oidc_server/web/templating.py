"""The Jinja templates of pages and mails, and the table of static files."""

import mimetypes
from collections.abc import Mapping, MutableMapping
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape
from jinja2.bccache import Bucket, BytecodeCache

from oidc_server import languages, resources
from oidc_server.settings import Settings
from oidc_server.web import brand, responses
from oidc_server.web.brand import Brand
from oidc_server.web.paths import Paths
from oidc_server.web.responses import Response

STATIC_PREFIX = "/static/"


def load_static(folder: Path, *, secure: bool) -> tuple[dict[str, str], dict[str, Response]]:
    """Every static file, read once: name → address, and address → finished answer.

    The address holds a digest of the content, so that caches may keep it for ever. A file that ends
    in `.gz` is sent compressed, under its name without that.
    """
    addresses: dict[str, str] = {}
    answers: dict[str, Response] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        compressed = file.suffix == ".gz"
        name = file.relative_to(folder).as_posix().removesuffix(".gz")
        body = file.read_bytes()
        address = address_of(name, body)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        charset = "; charset=utf-8" if kind.startswith("text/") else ""
        addresses[name] = address
        answers[address] = _answer(body, kind + charset, compressed=compressed, secure=secure)
    return addresses, answers


def _answer(body: bytes, kind: str, *, secure: bool, compressed: bool = False) -> Response:
    answer = responses.asset(body, kind, compressed=compressed)
    if secure:
        answer.headers.append(responses.STRICT_TRANSPORT)
    return answer


def load_brand(settings: Settings, *, secure: bool) -> tuple[Brand, dict[str, Response]]:
    """The looks that the operator chose, and the answers for its files: address → answer."""
    answers: dict[str, Response] = {}
    found: dict[str, str] = {}
    for name, (kind, body) in brand.files(settings).items():
        address = address_of(f"brand/{name}", body)
        found[name.partition(".")[0]] = address
        answers[address] = _answer(body, kind, secure=secure)
    chosen = Brand(
        settings.brand_name,
        logo=found.get("logo"),
        style=found.get("brand"),
        help=settings.help_url,
        privacy=settings.privacy_url,
        terms=settings.terms_url,
        colors=brand.colors(settings.brand_color),
    )
    return chosen, answers


def address_of(name: str, body: bytes) -> str:
    """Where a file is served: a name that changes with its content."""
    return f"{STATIC_PREFIX}{sha256(body).hexdigest()[:12]}/{name}"


class Templates:
    """Pages and mails: escaping is on, unknown names are errors, and each is compiled once.

    Every language has an environment of its own. What a template imports without its context is
    then made once for each of them, and not with every page.
    """

    def __init__(
        self, looks: Brand, paths: Paths, static: Mapping[str, str], *, auto_reload: bool = False
    ) -> None:
        """`static` has the addresses of static files; `auto_reload` asks each file for its age."""
        self._globals = {"url_for": paths.path, "static": static.__getitem__, "brand": looks}
        self._auto_reload = auto_reload
        self._compiled = _Compiled()
        self._environments: dict[str, Environment] = {}

    def get(self, name: str, language: str) -> Template:
        """The template of that name, in a supported language."""
        environment = self._environments.get(language)
        if environment is None:
            environment = self._environments[language] = self._environment(language)
        return environment.get_template(name)

    def _environment(self, language: str) -> Environment:
        jinja = _Environment(
            loader=FileSystemLoader(resources.templates_dir()),
            bytecode_cache=self._compiled,
            auto_reload=self._auto_reload,
            autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        languages.install(jinja, language)
        jinja.globals.update(self._globals)
        return jinja


class _Environment(Environment):
    """All its templates share their globals: each import compares them, and chains are slow."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **d} if d else self.globals


class _Compiled(BytecodeCache):
    """The code of templates, which is the same in every language."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.code
