"""Transforms and predicates against the Java classes they stand for."""
