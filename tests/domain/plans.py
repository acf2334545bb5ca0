"""How the database would run a statement."""

import re

from oidc_server.database import Statement, Transaction


def plan_of(db: Transaction, statement: Statement) -> str:
    """How the database runs it whatever the values are."""
    connection = db.session.connection()
    compiled = statement.compiled(connection.dialect)
    if db.dialect_name == "sqlite":
        values = tuple("" for _ in compiled.names)
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled.sql}", values).all()
    else:
        nulls = ", ".join("NULL" for _ in compiled.names)
        nothing = f"({nulls})" if nulls else ""
        # Indexes keep the size that other tests gave them, which weighs where a table is empty.
        for table in set(re.findall(r"FROM (\w+)", compiled.sql)):
            connection.exec_driver_sql(f"REINDEX TABLE {table}")
        # An empty table is sorted soonest; a long one is read in an order that is there.
        connection.exec_driver_sql("SET LOCAL enable_sort = off")
        connection.exec_driver_sql(f"PREPARE page AS {compiled.sql}")
        rows = connection.exec_driver_sql(f"EXPLAIN EXECUTE page{nothing}").all()
        connection.exec_driver_sql("DEALLOCATE page")
    return "\n".join(str(row) for row in rows)
