"""Postgres: the log reader, its type mapping, and the database as seen by the command line."""
