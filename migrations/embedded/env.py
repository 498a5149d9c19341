"""Alembic environment of the embedded log: `alembic -c migrations/embedded/alembic.ini -x path=DIR/log.db ...`."""

from alembic import context
from sqlalchemy import create_engine

path = context.get_x_argument(as_dictionary=True)["path"]

with create_engine(f"sqlite:///{path}").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
