"""What `make demo` shows: a shop and pgbench under load, replicated and verified."""
