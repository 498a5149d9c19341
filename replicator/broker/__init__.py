"""Where topics live: protocols, the embedded broker, Kafka."""
