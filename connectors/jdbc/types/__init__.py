"""What a schema's values mean, the same for every target database."""

from connectors.jdbc.types.contract import Contract, Kind, contract_of

__all__ = ["Contract", "Kind", "contract_of"]
