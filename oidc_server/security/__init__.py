"""Cryptography without domain knowledge: passwords, random handles, links, JOSE, data at rest.

A library has its one home here. Nothing here reads settings, the clock or the database;
keys and times are passed in. Read `opaque_tokens` and `encryption` first, then `jose`.
"""
