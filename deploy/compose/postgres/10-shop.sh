#!/bin/sh
# Run once, by the image of Postgres, when its volume is empty: a few tables, and the role that replicates them.
set -eu
psql -v ON_ERROR_STOP=1 --username postgres --dbname shop <<'SQL'
\set password `cat /run/secrets/postgres_password`
CREATE ROLE replicator WITH LOGIN REPLICATION PASSWORD :'password';
GRANT CREATE ON DATABASE shop TO replicator;

CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    joined timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer bigint NOT NULL REFERENCES customers,
    total numeric(12, 2) NOT NULL,
    placed timestamptz NOT NULL DEFAULT now()
);
INSERT INTO customers (name) SELECT 'customer ' || n FROM generate_series(1, 100) n;
INSERT INTO orders (customer, total) SELECT 1 + n % 100, n * 1.25 FROM generate_series(1, 1000) n;

-- A publication's owner must own its tables.
ALTER TABLE customers OWNER TO replicator;
ALTER TABLE orders OWNER TO replicator;
SQL
