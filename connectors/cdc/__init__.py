"""What log readers of all databases share: tables, schemas, envelopes, selection and naming."""
