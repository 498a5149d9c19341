"""Amazon S3 and everything that speaks its protocol, as a target for topics."""
