CREATE DATABASE IF NOT EXISTS bullseye;
CREATE DATABASE IF NOT EXISTS bookworm;
CREATE USER IF NOT EXISTS wordpress@localhost IDENTIFIED BY 'press';
GRANT ALL ON bullseye.* TO wordpress@localhost;
GRANT ALL ON bookworm.* TO wordpress@localhost;
-- For the health check.
CREATE USER IF NOT EXISTS mysql@localhost IDENTIFIED VIA unix_socket;
