-- A video rental shop: domains, enums, arrays, tsvector with its trigger, a payment table partitioned by month,
-- views, a materialized view, timestamps kept by triggers, foreign keys in a circle.
CREATE TYPE mpaa_rating AS ENUM ('G', 'PG', 'PG-13', 'R', 'NC-17');
CREATE DOMAIN year AS integer CONSTRAINT year_check CHECK (VALUE >= 1901 AND VALUE <= 2155);
CREATE DOMAIN "bıgınt" AS bigint;
CREATE SEQUENCE film_film_id_seq;
CREATE FUNCTION last_updated() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.last_update = CURRENT_TIMESTAMP; RETURN NEW; END $$;
CREATE FUNCTION _group_concat(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT CASE WHEN $2 IS NULL THEN $1 WHEN $1 IS NULL THEN $2 ELSE $1 || ', ' || $2 END $$;
CREATE AGGREGATE group_concat(text) (SFUNC = _group_concat, STYPE = text);

CREATE TABLE language (language_id serial PRIMARY KEY, name character(20) NOT NULL, last_update timestamp NOT NULL DEFAULT now());
CREATE TABLE category (category_id smallserial PRIMARY KEY, name text NOT NULL, last_update timestamptz NOT NULL DEFAULT now());
CREATE TABLE actor (
  actor_id serial PRIMARY KEY, first_name varchar(45) NOT NULL, last_name varchar(45) NOT NULL, last_update timestamp NOT NULL DEFAULT now());
CREATE TABLE film (
  film_id integer DEFAULT nextval('film_film_id_seq') PRIMARY KEY, title varchar(255) NOT NULL, description text, release_year year,
  language_id smallint NOT NULL REFERENCES language, original_language_id smallint REFERENCES language,
  rental_duration smallint NOT NULL DEFAULT 3, rental_rate numeric(4,2) NOT NULL DEFAULT 4.99, length smallint,
  replacement_cost numeric(5,2) NOT NULL DEFAULT 19.99, rating mpaa_rating DEFAULT 'G', last_update timestamp NOT NULL DEFAULT now(),
  special_features text[], fulltext tsvector NOT NULL, revenue_projection numeric(5,2) GENERATED ALWAYS AS (rental_duration * rental_rate) STORED);
CREATE INDEX film_fulltext_idx ON film USING gist (fulltext);
CREATE TRIGGER film_fulltext_trigger BEFORE INSERT OR UPDATE ON film FOR EACH ROW
  EXECUTE FUNCTION tsvector_update_trigger('fulltext', 'pg_catalog.english', 'title', 'description');
CREATE TRIGGER last_updated BEFORE UPDATE ON film FOR EACH ROW EXECUTE FUNCTION last_updated();
CREATE TABLE film_actor (
  actor_id smallint NOT NULL REFERENCES actor ON UPDATE CASCADE, film_id smallint NOT NULL REFERENCES film ON UPDATE CASCADE,
  last_update timestamp NOT NULL DEFAULT now(), PRIMARY KEY (actor_id, film_id));
CREATE TABLE film_category (
  film_id smallint NOT NULL REFERENCES film, category_id smallint NOT NULL REFERENCES category, last_update timestamp NOT NULL DEFAULT now(),
  CONSTRAINT film_category_pkey PRIMARY KEY (film_id, category_id));
CREATE TABLE store (store_id serial PRIMARY KEY, manager_staff_id smallint NOT NULL UNIQUE, last_update timestamp NOT NULL DEFAULT now());
CREATE TABLE staff (
  staff_id serial PRIMARY KEY, first_name varchar(45) NOT NULL, email varchar(50), store_id smallint NOT NULL REFERENCES store,
  active boolean NOT NULL DEFAULT true, username varchar(16) NOT NULL, password varchar(40), last_update timestamp NOT NULL DEFAULT now(), picture bytea);
ALTER TABLE store ADD FOREIGN KEY (manager_staff_id) REFERENCES staff DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE customer (
  customer_id serial PRIMARY KEY, store_id smallint NOT NULL REFERENCES store, email varchar(50), activebool boolean NOT NULL DEFAULT true,
  create_date date NOT NULL DEFAULT CURRENT_DATE, last_update timestamp DEFAULT now(), active integer);
CREATE TABLE rental (
  rental_id serial PRIMARY KEY, rental_period tsrange, rental_date timestamp NOT NULL, customer_id smallint NOT NULL REFERENCES customer,
  return_date timestamp, staff_id smallint NOT NULL REFERENCES staff, last_update timestamp NOT NULL DEFAULT now(),
  EXCLUDE USING gist (rental_period WITH &&) WHERE (rental_id < 0));
CREATE TABLE payment (
  payment_id serial NOT NULL, customer_id smallint NOT NULL, staff_id smallint NOT NULL, rental_id integer NOT NULL,
  amount numeric(5,2) NOT NULL, payment_date timestamptz NOT NULL, PRIMARY KEY (payment_date, payment_id)) PARTITION BY RANGE (payment_date);
CREATE TABLE payment_p2022_01 PARTITION OF payment FOR VALUES FROM ('2022-01-01 00:00:00+00') TO ('2022-02-01 00:00:00+00');
CREATE TABLE payment_p2022_02 PARTITION OF payment FOR VALUES FROM ('2022-02-01 00:00:00+00') TO ('2022-03-01 00:00:00+00');
CREATE TABLE payment_p2022_03 (LIKE payment INCLUDING ALL);
CREATE VIEW actor_info AS SELECT a.actor_id, group_concat(f.title::text) AS film_info FROM actor a
  LEFT JOIN film_actor fa USING (actor_id) LEFT JOIN film f USING (film_id) GROUP BY a.actor_id;
CREATE MATERIALIZED VIEW rental_by_category AS SELECT name AS category, sum(1) AS total_sales FROM category GROUP BY name WITH NO DATA;
CREATE UNIQUE INDEX rental_category ON rental_by_category (category);

INSERT INTO language (name) VALUES ('English'), ('Italian'), ('日本語');
INSERT INTO category (name) SELECT 'Category ' || n FROM generate_series(1, 16) n;
INSERT INTO actor (first_name, last_name) SELECT 'PENELOPE' || n, 'O''GUINESS \ "' || n FROM generate_series(1, 50) n;
INSERT INTO film (title, description, release_year, language_id, rating, length, special_features)
  SELECT 'ACADEMY DINOSAUR ' || n, 'A Epic Drama of a Feminist And a Mad Scientist ' || n, 1950 + n % 50, 1 + n % 3,
    (enum_range(NULL::mpaa_rating))[1 + n % 5], n, CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY['Trailers', 'Deleted Scenes', 'a,"b"', NULL] END
  FROM generate_series(1, 100) n;
INSERT INTO film_actor SELECT a, f FROM generate_series(1, 50) a, generate_series(1, 3) f;
INSERT INTO film_category SELECT f, 1 + f % 16 FROM generate_series(1, 100) f;
INSERT INTO store VALUES (1, 1), (2, 2);
INSERT INTO staff (first_name, store_id, username, picture) VALUES ('Mike', 1, 'Mike', '\x89504e470d0a5a0a00ff'), ('Jon', 2, 'Jon', NULL);
INSERT INTO customer (store_id, email) SELECT 1 + n % 2, 'MARY' || n || '@example.org' FROM generate_series(1, 60) n;
INSERT INTO rental (rental_date, rental_period, customer_id, staff_id, return_date)
  SELECT t, CASE WHEN n % 3 > 0 THEN tsrange(t, t + interval '1 day') END, 1 + n % 60, 1 + n % 2, CASE WHEN n % 5 > 0 THEN t + interval '3 days 01:02:03.000004' END
  FROM generate_series(1, 200) n, LATERAL (SELECT timestamp '2022-01-01' + n * interval '4 hours 0.5 seconds' AS t) x;
INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date)
  SELECT 1 + n % 60, 1 + n % 2, n, n / 7.0, timestamptz '2022-01-01 00:00Z' + n * interval '6 hours' FROM generate_series(1, 200) n;
