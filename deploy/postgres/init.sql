-- One schema and one role per service, and nobody reads another's. Run once, as superuser, in the trial's database:
-- by the postgres image at its first start, by `make stack`, and by an operator on an existing server:
--   ENROLLMENT_DB_PASSWORD=... SAFETY_DB_PASSWORD=... (and so on) psql --dbname=trial --file=init.sql
\set ON_ERROR_STOP on
\getenv enrollment_password ENROLLMENT_DB_PASSWORD
\getenv safety_password SAFETY_DB_PASSWORD
\getenv efficacy_password EFFICACY_DB_PASSWORD
\getenv biomarkers_password BIOMARKERS_DB_PASSWORD
\getenv projector_password PROJECTOR_DB_PASSWORD

revoke all on schema public from public;

create role enrollment login password :'enrollment_password';
create role safety login password :'safety_password';
create role efficacy login password :'efficacy_password';
create role biomarkers login password :'biomarkers_password';
create role projector login password :'projector_password';

create schema enrollment authorization enrollment;
create schema safety authorization safety;
create schema efficacy authorization efficacy;
create schema biomarkers authorization biomarkers;
create schema projector authorization projector;
