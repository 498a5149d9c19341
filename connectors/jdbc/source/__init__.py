"""The SQL source: tables or a query, read again and again (bulk, incrementing, timestamp and both)."""
