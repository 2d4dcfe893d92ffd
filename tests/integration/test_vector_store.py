"""Vectors in and out of PostgreSQL, many at once."""

import numpy as np
import pytest
from sqlalchemy import text

from triage.database import Database
from triage.errors import DatabaseError
from triage.store.embeddings import (
    ROWS_PER_PART,
    ensure_space,
    load_vector_matrix,
    load_vectors,
    save_vectors,
)


@pytest.fixture
def space_id(database: Database) -> int:
    with database.session() as session:
        return ensure_space(session, model="m", revision="r", dimensions=3)


def numbered(count: int, dimensions: int = 3) -> dict[str, np.ndarray]:
    matrix = np.arange(count * dimensions, dtype=np.float32).reshape(count, dimensions)
    return {f"{row:06}": vector for row, vector in enumerate(matrix)}


def test_vectors_come_back_as_they_were_saved(database: Database, space_id: int) -> None:
    vectors = numbered(ROWS_PER_PART + 3)
    vectors["tiny"] = np.array([1e-30, -0.0, 3.4e38], dtype=np.float32)
    with database.session() as session:
        save_vectors(session, space_id, vectors)
    with database.session() as session:
        keys, matrix = load_vector_matrix(session, space_id)
        by_key = load_vectors(session, space_id)
    assert keys == sorted(vectors)
    assert matrix.dtype == np.float32
    assert np.array_equal(matrix, np.stack([vectors[key] for key in keys]))
    assert by_key.keys() == vectors.keys()
    assert all(np.array_equal(by_key[key], vectors[key]) for key in vectors)


def test_a_vector_that_is_there_stays_and_saving_again_changes_nothing(
    database: Database, space_id: int
) -> None:
    with database.session() as session:
        save_vectors(session, space_id, numbered(2))
    other = {key: vector + 7 for key, vector in numbered(3).items()}
    for _ in range(2):
        with database.session() as session:
            save_vectors(session, space_id, other)
            save_vectors(session, space_id, other)  # in one transaction too
    with database.session() as session:
        found = load_vectors(session, space_id)
    assert np.array_equal(found["000001"], numbered(2)["000001"])
    assert np.array_equal(found["000002"], other["000002"])
    assert len(found) == 3


def test_spaces_of_one_transaction_are_kept_apart(database: Database, space_id: int) -> None:
    with database.session() as session:
        wide = ensure_space(session, model="m", revision="wide", dimensions=5)
        save_vectors(session, space_id, numbered(2))
        save_vectors(session, wide, numbered(4, 5))
        assert load_vector_matrix(session, space_id)[1].shape == (2, 3)
        assert load_vector_matrix(session, wide)[1].shape == (4, 5)


def test_only_the_vectors_asked_for_are_loaded(database: Database, space_id: int) -> None:
    with database.session() as session:
        save_vectors(session, space_id, numbered(9))
        hostile = "x'); DROP TABLE embedding; --"
        keys, matrix = load_vector_matrix(session, space_id, ["000007", "000002", hostile])
        assert keys == ["000002", "000007"]
        assert np.array_equal(matrix[1], numbered(9)["000007"])
        assert load_vectors(session, space_id, []) == {}
        assert load_vector_matrix(session, space_id, [])[1].shape == (0, 3)


def test_a_transaction_that_fails_leaves_no_vector(database: Database, space_id: int) -> None:
    def save_and_fail() -> None:
        with database.session() as session:
            save_vectors(session, space_id, numbered(5))
            raise RuntimeError("later")

    with pytest.raises(RuntimeError, match="later"):
        save_and_fail()
    with database.session() as session:
        save_vectors(session, space_id, {})
        assert load_vectors(session, space_id) == {}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused_whole(
    bad: float, database: Database, space_id: int
) -> None:
    vectors = numbered(5)
    vectors["000004"][1] = bad
    with pytest.raises(DatabaseError, match="Copying into"), database.session() as session:
        save_vectors(session, space_id, vectors)
    with database.session() as session:  # the connection is as good as new
        assert load_vectors(session, space_id) == {}


def test_vectors_of_another_length_are_refused(database: Database, space_id: int) -> None:
    with pytest.raises(DatabaseError, match="3 dimensions"), database.session() as session:
        save_vectors(session, space_id, numbered(2, 4))
    with database.session() as session:
        session.execute(
            text("INSERT INTO embedding VALUES (:space, 'k', '[1,2]')"), {"space": space_id}
        )
    with pytest.raises(DatabaseError, match="3 dimensions"), database.session() as session:
        load_vectors(session, space_id)


def test_a_server_that_goes_away_while_copying_is_a_database_error(
    database: Database, space_id: int
) -> None:
    def save_to_a_lost_server() -> None:
        with database.session() as session, database.engine.connect() as other:
            mine = session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
            save_vectors(session, space_id, numbered(5))

    with pytest.raises(DatabaseError):
        save_to_a_lost_server()
    with database.session() as session:
        save_vectors(session, space_id, numbered(1))
        assert len(load_vectors(session, space_id)) == 1
