"""What SQLite locks for one connection is not let go by another one of the same process."""

import subprocess
import sys
import threading
from pathlib import Path

from sqlalchemy import text

from oidc_server.database import Database

READ_AND_GO = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM names')"


def test_whoever_comes_and_goes_leaves_the_log_of_those_who_stay(tmp_path: Path) -> None:
    """The last connection deletes the log of a database; POSIX drops locks at any close."""
    file = tmp_path / "oidc.db"
    database = Database(f"sqlite:///{file}")
    with database.transaction("write") as db:
        db.session.execute(text("CREATE TABLE names (name TEXT)"))

    def connect() -> None:
        with database.transaction("read") as db:
            db.session.execute(text("SELECT * FROM names"))

    another = threading.Thread(target=connect)
    another.start()
    another.join()
    subprocess.run([sys.executable, "-c", READ_AND_GO, file], check=True)

    assert file.with_name("oidc.db-wal").exists()
    database.close()
