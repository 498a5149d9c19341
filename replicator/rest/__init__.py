"""The HTTP API: Kafka Connect's endpoints, metrics, and the page. Imported only when REST is on."""
