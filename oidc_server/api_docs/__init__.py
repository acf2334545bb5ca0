"""The API described: an OpenAPI document, and two pages that show it.

Everything in the document comes from the table of operations. `document.py` puts it together,
`described.py` tells of one operation, `tags.py` where it is listed, `refusals.py` of its problems,
`schemas.py` of what is sent and answered. `endpoint.py` serves it, `pages.py` has Swagger UI and
ReDoc.
"""
