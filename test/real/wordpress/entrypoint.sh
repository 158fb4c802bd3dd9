#!/bin/sh
# php-fpm beside whatever the command is, nginx as a rule; the health check tells when it is gone.
set -eu
php-fpm --nodaemonize &
exec "$@"
