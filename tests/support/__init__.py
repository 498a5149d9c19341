"""What tests share: fixtures for real servers and small tools."""
