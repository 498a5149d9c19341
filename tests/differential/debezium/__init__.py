"""Our Postgres source against Debezium's, configuration by configuration and record by record."""
