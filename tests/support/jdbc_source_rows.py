"""A row of every type that the SQL source reads, of Postgres and of MySQL, and what becomes of it."""

from __future__ import annotations

POSTGRES = """CREATE TABLE t (
  a smallint NOT NULL, b integer, c bigint, d real, e double precision, f boolean, g text, h char(3), i bytea,
  j numeric(10,2), k date, l time, m timestamp, n timestamptz, o json, p jsonb, q uuid, r xml, s mood, v bit(1),
  w bit(6), x bit(12), y name, z oid, odd int[], odder interval, free numeric)"""
POSTGRES_ROW = """INSERT INTO t VALUES (
  -32768, 2147483647, 9223372036854775807, 1.1, 0.1, true, 'é', 'ab', '\\x00ff', 12345678.90, '2024-02-29',
  '12:34:56.789', '2024-02-29 12:34:56.789123', '2024-02-29 12:34:56.789123+02', '{"a": 1}', '{"b":2}',
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '<a/>', 'sad', B'1', B'000101', B'100000000001', 'n', 4294967295,
  '{1,2}', '1 day 02:00', 12.345)"""
MYSQL = """CREATE TABLE t (
  a tinyint NOT NULL, b smallint, c mediumint, d int, e bigint, f tinyint unsigned, g smallint unsigned,
  h int unsigned, i bigint unsigned, j float, k double, l decimal(10,2), m varchar(10), n text, o binary(2),
  p blob, q date, r time(3), s datetime(6), t timestamp(6), u year, v bit(1), w bit(6), x bit(12), y enum('x','y'),
  z json)"""
MYSQL_ROW = """INSERT INTO t VALUES (
  -128, -32768, 8388607, 2147483647, 9223372036854775807, 255, 65535, 4294967295, 9223372036854775807, 1.5, 0.1,
  12345678.90, 'é', 'long', x'00ff', x'01', '2024-02-29', '12:34:56.789', '2024-02-29 12:34:56.789123',
  '2024-02-29 12:34:56.789123', 2024, b'1', b'101', b'100000000001', 'y', '{"a": 1}')"""
