"""What a mail tells of the request that caused it."""

from oidc_server.web.context import Context


def mail_facts(ctx: Context) -> dict[str, str]:
    """The browser and the address, so that the owner can tell whether it was them."""
    facts = {"browser": ctx.origin.user_agent[:120], "address": ctx.origin.address}
    return {name: value for name, value in facts.items() if value}
