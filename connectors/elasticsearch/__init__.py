"""Elasticsearch and OpenSearch, as targets for topics."""
