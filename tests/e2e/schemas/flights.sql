-- An airline in a schema of its own: jsonb names, timestamptz, char(n) keys, points, composite foreign keys, a generated column, inheritance.
CREATE SCHEMA bookings;
SET LOCAL search_path = bookings;
CREATE TABLE aircrafts_data (aircraft_code character(3) NOT NULL PRIMARY KEY, model jsonb NOT NULL, "range" integer NOT NULL CHECK ("range" > 0));
CREATE VIEW aircrafts AS SELECT aircraft_code, model ->> 'en' AS model, "range" FROM aircrafts_data;
CREATE TABLE airports_data (airport_code character(3) NOT NULL PRIMARY KEY, airport_name jsonb NOT NULL, coordinates point NOT NULL, timezone text NOT NULL);
CREATE TABLE bookings (book_ref character(6) PRIMARY KEY, book_date timestamptz NOT NULL, total_amount numeric(10,2) NOT NULL);
CREATE TABLE flights (
  flight_id serial PRIMARY KEY, flight_no character(6) NOT NULL, scheduled_departure timestamptz NOT NULL, status varchar(20) NOT NULL,
  actual_arrival timestamptz, duration interval, delay int GENERATED ALWAYS AS (flight_id * 2) STORED, UNIQUE (flight_no, scheduled_departure));
CREATE TABLE tickets (ticket_no character(13) PRIMARY KEY, book_ref character(6) NOT NULL REFERENCES bookings, contact_data jsonb, raw json, doc xml);
CREATE TABLE ticket_flights (
  ticket_no character(13) NOT NULL REFERENCES tickets, flight_id integer NOT NULL REFERENCES flights, amount numeric(10,2) NOT NULL, PRIMARY KEY (ticket_no, flight_id));
CREATE TABLE boarding_passes (
  ticket_no character(13), flight_id integer, seat_no varchar(4) NOT NULL, PRIMARY KEY (ticket_no, flight_id), UNIQUE (flight_id, seat_no),
  FOREIGN KEY (ticket_no, flight_id) REFERENCES ticket_flights ON DELETE CASCADE);
CREATE TABLE city (id int PRIMARY KEY, name text, population real, area box, route path, net inet, mac macaddr, ids uuid, span int4range);
CREATE TABLE capital (state char(2), UNIQUE (id)) INHERITS (city);
ALTER TABLE capital ADD PRIMARY KEY (id);
CREATE TABLE seats_log (seat_no varchar(4), at timestamptz DEFAULT now(), why text);
CREATE TABLE audit_full (seat_no varchar(4), why text, amount double precision);
ALTER TABLE audit_full REPLICA IDENTITY FULL;
CREATE TABLE by_index (code text NOT NULL, n int NOT NULL, v text);
CREATE UNIQUE INDEX by_index_code ON by_index (n, code);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_code;

INSERT INTO aircrafts_data VALUES ('773', '{"en": "Boeing 777-300", "ru": "Боинг 777-300"}', 11100), ('CN1', '{"en": "Cessna", "n": 1.10, "big": 123456789012345678901234567890}', 1200);
INSERT INTO airports_data VALUES ('YKS', '{"en": "Yakutsk"}', '(129.77099609375,62.0932998657227)', 'Asia/Yakutsk');
INSERT INTO bookings SELECT lpad(n::text, 6, '0'), timestamptz '2017-07-05 03:12:00+03' + n * interval '1.000001 s', n * 100 FROM generate_series(1, 100) n;
INSERT INTO flights (flight_no, scheduled_departure, status, duration) SELECT 'PG' || n, timestamptz '2017-09-10 06:50Z' + n * interval '1 h', 'Scheduled', n * interval '1 month 1 day 1.5 s' FROM generate_series(1, 100) n;
INSERT INTO tickets SELECT lpad(n::text, 13, '0'), lpad(n::text, 6, '0'), jsonb_build_object('phone', '+7' || n, 'a', ARRAY[1, 2.50]), '{"b":1, "a": [1.0,  null]}', '<a b="1">é</a>' FROM generate_series(1, 100) n;
INSERT INTO ticket_flights SELECT lpad(n::text, 13, '0'), n, 42100 FROM generate_series(1, 100) n;
INSERT INTO boarding_passes SELECT lpad(n::text, 13, '0'), n, n || 'A' FROM generate_series(1, 50) n;
INSERT INTO city VALUES (1, 'Wien', 1.9e6, '(2,2),(1,1)', '[(0,0),(1,2)]', '10.0.0.1/8', '08:00:2b:01:02:03', '00000000-0000-0000-0000-0000000000ff', '[1,5)');
INSERT INTO capital VALUES (2, 'Roma', 2.8e6, NULL, NULL, '::1', NULL, NULL, 'empty', 'I');
INSERT INTO seats_log SELECT n || 'C', now(), NULL FROM generate_series(1, 20) n;
INSERT INTO audit_full SELECT n % 4 || 'C', NULL, n / 3.0 FROM generate_series(1, 20) n;
INSERT INTO audit_full SELECT '9D', 'twin', NULL FROM generate_series(1, 3) n;
INSERT INTO by_index SELECT 'c' || n, n, repeat('x', 3000) FROM generate_series(1, 10) n;
