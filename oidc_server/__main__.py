"""`python -m oidc_server` is `oidc-server`."""

from .cli import main

if __name__ == "__main__":
    main()
