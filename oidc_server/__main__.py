"""`python -m oidc_server` is `oidc-server`."""

from oidc_server.cli import main

if __name__ == "__main__":
    main()
