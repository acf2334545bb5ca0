"""The Jinja environment of pages, and the table of static files."""

import mimetypes
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from oidc_server import languages, resources
from oidc_server.web import responses
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
        address = f"{STATIC_PREFIX}{sha256(body).hexdigest()[:12]}/{name}"
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        charset = "; charset=utf-8" if kind.startswith("text/") else ""
        addresses[name] = address
        answers[address] = responses.asset(body, kind + charset, compressed=compressed)
        if secure:
            answers[address].headers.append(responses.STRICT_TRANSPORT)
    return addresses, answers


def environment(brand_name: str, paths: Paths, static_addresses: Mapping[str, str]) -> Environment:
    """The environment of all pages and mails: escaping on, unknown names are errors."""
    jinja = Environment(
        loader=FileSystemLoader(resources.templates_dir()),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    languages.install(jinja)
    jinja.globals.update(
        url_for=paths.path,
        static=static_addresses.__getitem__,
        brand=SimpleNamespace(name=brand_name),
    )
    return jinja
