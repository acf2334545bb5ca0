"""Cryptography without domain knowledge: passwords, random handles, links, JOSE, data at rest.

Every module is the one home of its library. Nothing here reads settings, the clock or the database;
keys and times are passed in. Read `opaque_tokens` and `encryption` first, then `jose`.
"""
