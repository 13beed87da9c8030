#!/usr/bin/env bash
# Start MLflow's server with a name and password for each member. Addresses and secrets come by the
# environment: as arguments all users of the machine could see them.
set -euo pipefail
: "${MLFLOW_BACKEND_STORE_URI:?}" "${MLFLOW_AUTH_DATABASE_URI:?}" "${MLFLOW_ARTIFACTS_DESTINATION:?}"
: "${MLFLOW_AUTH_ADMIN_PASSWORD:?}" "${MLFLOW_FLASK_SERVER_SECRET_KEY:?}"
umask 077
MLFLOW_AUTH_CONFIG_PATH=$(mktemp)
export MLFLOW_AUTH_CONFIG_PATH MLFLOW_DISABLE_TELEMETRY=true
# A % begins a substitution in this file. Passwords are checked once a minute, not at each request:
# a check takes longer than most requests.
cat >"$MLFLOW_AUTH_CONFIG_PATH" <<INI
[mlflow]
default_permission = ${MLFLOW_DEFAULT_PERMISSION:-EDIT}
database_uri = ${MLFLOW_AUTH_DATABASE_URI//%/%%}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
grant_default_workspace_access = true
auth_cache_ttl_seconds = 60
INI
exec mlflow server --app-name basic-auth --serve-artifacts \
    --host "${LISTEN_HOST:-0.0.0.0}" --port "${LISTEN_PORT:-5000}" --workers "${WORKERS:-4}"
