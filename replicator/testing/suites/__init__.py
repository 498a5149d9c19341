"""Contract suites: subclass one and give it the fixture it asks for."""
