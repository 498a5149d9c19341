-- A trading company: char keys, real prices, dates, bytea pictures, employees who report to employees, tables without rows.
CREATE TABLE categories (category_id smallint NOT NULL PRIMARY KEY, category_name varchar(15) NOT NULL, description text, picture bytea);
CREATE TABLE customer_demographics (customer_type_id bpchar NOT NULL PRIMARY KEY, customer_desc text);
CREATE TABLE customers (customer_id character(5) NOT NULL PRIMARY KEY, company_name varchar(40) NOT NULL, region varchar(15), fax varchar(24));
CREATE TABLE customer_customer_demo (customer_id character(5) NOT NULL REFERENCES customers, customer_type_id bpchar NOT NULL REFERENCES customer_demographics, PRIMARY KEY (customer_id, customer_type_id));
CREATE TABLE employees (
  employee_id smallint NOT NULL PRIMARY KEY, last_name varchar(20) NOT NULL, birth_date date, photo bytea, notes text, reports_to smallint REFERENCES employees);
CREATE TABLE region (region_id smallint PRIMARY KEY, region_description varchar(60) NOT NULL);
CREATE TABLE territories (territory_id varchar(20) PRIMARY KEY, territory_description varchar(60) NOT NULL, region_id smallint NOT NULL REFERENCES region);
CREATE TABLE employee_territories (employee_id smallint REFERENCES employees, territory_id varchar(20) REFERENCES territories, PRIMARY KEY (employee_id, territory_id));
CREATE TABLE orders (
  order_id smallint PRIMARY KEY, customer_id character(5) REFERENCES customers, order_date date, required_date date, freight real, ship_region varchar(15));
CREATE TABLE order_details (
  order_id smallint NOT NULL REFERENCES orders, product_id smallint NOT NULL, unit_price real NOT NULL, quantity smallint NOT NULL, discount real NOT NULL, PRIMARY KEY (order_id, product_id));
CREATE TABLE us_states (state_id smallint PRIMARY KEY, state_abbr varchar(2), flags bit(3), mask bit varying(10), one bit);

INSERT INTO categories SELECT n, 'Beverages ' || n, NULL, decode(md5(n::text), 'hex') FROM generate_series(1, 8) n;
INSERT INTO customers SELECT 'AL' || n, 'Företag ' || n, CASE WHEN n % 2 = 0 THEN '' END FROM generate_series(1, 90) n;
INSERT INTO customer_demographics VALUES ('vip', 'x'), ('old ', NULL);
INSERT INTO customer_customer_demo VALUES ('AL1', 'vip'), ('AL1', 'old ');
INSERT INTO employees SELECT n, 'Davolio', date '1948-12-08' + n, '\x', repeat('Education includes a BA. ', n), CASE WHEN n > 1 THEN 1 END FROM generate_series(1, 9) n;
INSERT INTO region VALUES (1, 'Eastern'), (2, 'Western                 ');
INSERT INTO territories VALUES ('01581', 'Westboro', 1), (' 01581', 'blank', 2), ('01581 ', 'blank', 2);
INSERT INTO employee_territories VALUES (1, '01581'), (2, '01581 ');
INSERT INTO orders SELECT 10248 + n, 'AL' || 1 + n % 90, date '1996-07-04' + n, NULL, 32.38 * n / 7, NULL FROM generate_series(1, 300) n;
INSERT INTO order_details SELECT 10248 + n, p, p * 0.7, n, 0.15 FROM generate_series(1, 300) n, generate_series(1, 3) p;
INSERT INTO us_states VALUES (1, 'AL', B'101', B'1', B'1'), (2, 'AK', B'000', B'', B'0'), (3, NULL, NULL, NULL, NULL);
