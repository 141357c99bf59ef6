vcl 4.1;

# varnishd -a :80 -f /etc/varnish/default.vcl -p vcl_path=/etc/varnish
# Name where Tintype listens, and who may purge. All else is in tintype.vcl beside it.

backend tintype {
    .host = "127.0.0.1";
    .port = "8080";
    .connect_timeout = 1s;
    # The slowest render that you want to wait for.
    .first_byte_timeout = 60s;
    .between_bytes_timeout = 10s;
}

acl purgers {
    "127.0.0.1";
    "::1";
}

include "tintype.vcl";
