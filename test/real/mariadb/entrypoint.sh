#!/bin/sh
# Makes the system tables in an empty volume, then becomes the server.
set -eu
[ -d /var/lib/mysql/mysql ] || mariadb-install-db --skip-test-db --auth-root-authentication-method=socket
exec "$@"
