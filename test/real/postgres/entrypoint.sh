#!/bin/sh
# Makes a cluster in an empty volume, then becomes the server.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initdb --auth-local=trust --auth-host=scram-sha-256 --pwfile=/dev/stdin <<END
${POSTGRES_PASSWORD:?the first start needs a password}
END
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
fi
exec "$@"
