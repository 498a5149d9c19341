-- A music shop as it is exported from other systems: quoted mixed-case names, self references, wide numerics, keyless playlist rows.
CREATE TABLE "Artist" ("ArtistId" INT NOT NULL, "Name" VARCHAR(120), CONSTRAINT "PK_Artist" PRIMARY KEY ("ArtistId"));
CREATE TABLE "Album" ("AlbumId" INT NOT NULL, "Title" VARCHAR(160) NOT NULL, "ArtistId" INT NOT NULL, CONSTRAINT "PK_Album" PRIMARY KEY ("AlbumId"));
CREATE TABLE "Employee" (
  "EmployeeId" INT NOT NULL CONSTRAINT "PK_Employee" PRIMARY KEY, "LastName" VARCHAR(20) NOT NULL, "ReportsTo" INT REFERENCES "Employee",
  "BirthDate" TIMESTAMP, "HireDate" TIMESTAMP(0), "Salary" money, "Skill" real, "Score" double precision);
CREATE TABLE "MediaType" ("MediaTypeId" INT PRIMARY KEY, "Name" VARCHAR(120));
CREATE TABLE "Track" (
  "TrackId" INT NOT NULL PRIMARY KEY, "Name" VARCHAR(200) NOT NULL, "AlbumId" INT, "MediaTypeId" INT NOT NULL, "Composer" VARCHAR(220),
  "Milliseconds" INT NOT NULL, "Bytes" INT, "UnitPrice" NUMERIC(10,2) NOT NULL);
CREATE TABLE "Playlist" ("PlaylistId" INT PRIMARY KEY, "Name" VARCHAR(120));
CREATE TABLE "PlaylistTrack" ("PlaylistId" INT NOT NULL, "TrackId" INT NOT NULL, CONSTRAINT "PK_PlaylistTrack" PRIMARY KEY ("PlaylistId", "TrackId"));
CREATE TABLE "Invoice Line" ("Invoice Line Id" INT PRIMARY KEY, "Unit Price" NUMERIC(10,2) NOT NULL, "Größe" int, "order" int, "key" text, "rank" int, "groups" text[]);
CREATE TABLE "groups" ("key" text, "rank" int, "order" int, "system" text, "window" int, "lead" int, "values" text, "interval" interval, PRIMARY KEY ("key", "rank"));
CREATE TABLE "user" (id int PRIMARY KEY, "USER" text, "primary" bool, "index" int, "read" text, "condition" text, "usage" text, "row_number" int);
ALTER TABLE "Album" ADD FOREIGN KEY ("ArtistId") REFERENCES "Artist";

INSERT INTO "Artist" SELECT n, CASE WHEN n % 7 > 0 THEN 'AC/DC № ' || n || ' 🎸' END FROM generate_series(1, 80) n;
INSERT INTO "Album" SELECT n, 'For Those About To Rock ' || n, 1 + n % 80 FROM generate_series(1, 90) n;
INSERT INTO "Employee" VALUES (1, 'Adams', NULL, '1962-02-18', '2002-08-14 12:34:56', '$1,234.56', 0.1, 1e300), (2, 'Edwards', 1, '1958-12-08 00:00:00.5', NULL, '-$0.05', 3.4e38, -0.0);
INSERT INTO "MediaType" VALUES (1, 'MPEG audio file');
INSERT INTO "Track" SELECT n, 'Track ' || n, 1 + n % 90, 1, NULL, n * 1000, n * 4096, 0.99 FROM generate_series(1, 300) n;
INSERT INTO "Playlist" SELECT n, 'List ' || n FROM generate_series(1, 5) n;
INSERT INTO "PlaylistTrack" SELECT p, t FROM generate_series(1, 5) p, generate_series(1, 60) t;
INSERT INTO "Invoice Line" SELECT n, n / 3.0, n, n, 'k' || n, n, ARRAY['a', 'b' || n] FROM generate_series(1, 40) n;
INSERT INTO "groups" SELECT 'k' || n, n, n, 's', n, n, 'v', n * interval '1 day 2 hours' FROM generate_series(1, 40) n;
INSERT INTO "user" SELECT n, 'U', n % 2 = 0, n, 'r', 'c', 'u', n FROM generate_series(1, 40) n;
