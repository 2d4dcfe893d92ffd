"""What is asked and done around a whole installation: when it is restored from a backup."""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlmodel import Session


def count_rows(session: Session) -> int:
    """How many reports there are."""
    return int(session.execute(text("SELECT count(*) FROM report")).scalar_one())


def load_server_major(connection: Connection) -> int:
    """The server's major version, for example 18."""
    number = connection.execute(text("SHOW server_version_num")).scalar_one()
    return int(number) // 10_000


def drop_everything_sql(lock: int) -> str:
    """SQL that waits for every other migration, then drops all that is ours in the schema public.

    What extensions brought along stays.
    """
    return f"""
SELECT pg_advisory_xact_lock({lock});
DO $drop$
DECLARE found record;
BEGIN
    FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DROP TABLE IF EXISTS public.%I CASCADE', found.tablename);
    END LOOP;
    FOR found IN
        SELECT p.oid::regprocedure AS signature FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e'
        )
    LOOP
        EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', found.signature);
    END LOOP;
END
$drop$;
"""
