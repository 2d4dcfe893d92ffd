#!/bin/sh
# Writes the secrets that the services share into docker/secrets, those that are missing, once.
# What others give out (a GitHub token, an LLM's key) is put there by hand: an empty file means none.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
# The services' user reads the files; other users of this machine cannot enter the folder.
chmod 0700 secrets
umask 022
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -e "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"; }
keep database_password "$(random)"
password="$(cat secrets/database_password)"
keep database_url "postgresql://triage:$password@database:5432/triage"
keep prefect_database_url "postgresql+asyncpg://triage:$password@database:5432/prefect"
keep hash_key "$(random)"
for name in github_token github_webhook_secret llm_api_key alarm_webhook_url intake_tokens; do
  [ -e "secrets/$name" ] || : >"secrets/$name"
done
