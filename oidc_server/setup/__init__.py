"""The first run: a one-time link makes the first administrator. No default password anywhere."""
