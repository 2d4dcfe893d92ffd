#!/bin/sh
# Runs once, when the database server is made: a database for Prefect beside that of the reports.
set -eu
createdb --username="$POSTGRES_USER" prefect
psql --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" --command='CREATE EXTENSION vector'
