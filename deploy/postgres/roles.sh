#!/usr/bin/env bash
# Who may do what in the database of runs. The container runs this once, as it makes the database;
# run it again (passwords in the environment) to change a password.
#   mlflow_writer  `mlflow server` and `mlflow db upgrade`: owns the tables
#   mlflow_reader  notebooks, dashboards: reads runs, and can change nothing
#   mlflow_sweeper members' sweeps: the database of studies and no other
set -euo pipefail
: "${MLFLOW_DB_WRITER_PASSWORD:?set it in .env}" "${MLFLOW_DB_READER_PASSWORD:?set it in .env}"
: "${MLFLOW_DB_SWEEPER_PASSWORD:?set it in .env}"
export MLFLOW_DB_WRITER_PASSWORD MLFLOW_DB_READER_PASSWORD MLFLOW_DB_SWEEPER_PASSWORD
# psql reads the passwords from its environment: as arguments all users of the machine could see them.
psql -v ON_ERROR_STOP=1 -q -U "$POSTGRES_USER" -d "$POSTGRES_DB" <<'SQL'
\getenv writer_password MLFLOW_DB_WRITER_PASSWORD
\getenv reader_password MLFLOW_DB_READER_PASSWORD
\getenv sweeper_password MLFLOW_DB_SWEEPER_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['mlflow_writer', 'mlflow_reader', 'mlflow_sweeper']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE mlflow_writer PASSWORD :'writer_password';
ALTER ROLE mlflow_reader PASSWORD :'reader_password';
ALTER ROLE mlflow_sweeper PASSWORD :'sweeper_password';
ALTER ROLE mlflow_reader SET default_transaction_read_only = on;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()) \gexec
SELECT format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO mlflow_writer', current_database()) \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO mlflow_reader', current_database()) \gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO mlflow_writer;
GRANT USAGE ON SCHEMA public TO mlflow_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO mlflow_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE mlflow_writer IN SCHEMA public
    GRANT SELECT ON TABLES TO mlflow_reader;
-- Two more databases, closed to readers: members' passwords (hashed), and the studies that workers
-- of many machines share.
SELECT format('CREATE DATABASE %I OWNER %I', name, owner)
FROM (VALUES ('mlflow_auth', 'mlflow_writer'), ('soilfuse_sweeps', 'mlflow_sweeper'))
    AS wanted (name, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
REVOKE ALL ON DATABASE mlflow_auth, soilfuse_sweeps FROM PUBLIC;
SQL
