"""What the same request costs with few and with very many people, on PostgreSQL.

Order to read: `report` (what is printed), `places` (two servers, each on a database of its own),
`population` (who and what is in it), `lists` and `protocol` (what is asked), `turns` (how it is
measured).
"""
