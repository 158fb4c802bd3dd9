<?php
define('DB_NAME', getenv('WORDPRESS_DB_NAME') ?: 'wordpress');
define('DB_USER', getenv('WORDPRESS_DB_USER') ?: 'wordpress');
define('DB_PASSWORD', getenv('WORDPRESS_DB_PASSWORD') ?: '');
define('DB_HOST', getenv('WORDPRESS_DB_HOST') ?: 'localhost:/run/mysqld/mysqld.sock');
define('WP_CONTENT_DIR', '/var/lib/wordpress/wp-content');
// Debian's nginx passes the name of the host without its port, and the port is another one outside of the container.
if ($url = getenv('WORDPRESS_URL')) {
  define('WP_HOME', $url);
  define('WP_SITEURL', $url);
  $_SERVER['HTTP_HOST'] = substr(strstr($url, '//'), 2);
}
// Nothing outside is asked: the machine may have no way there.
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('DISABLE_WP_CRON', true);
