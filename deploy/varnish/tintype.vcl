vcl 4.1;

# Varnish 7 in front of Tintype, as its CDN. It follows Tintype's own headers: Cache-Control with both stale directives,
# CDN-Cache-Control, Vary, Cache-Tag. Include it after your backend and the acl `purgers`: default.vcl beside it.

import std;

sub vcl_recv {
    if (req.method == "PURGE" || req.method == "BAN") {
        if (client.ip !~ purgers) {
            return (synth(405, "Not allowed"));
        }
        if (req.method == "PURGE") {
            # One URL, in all its formats: formats are told apart by Vary, not by the key.
            set req.url = std.querysort(req.url);
            return (purge);
        }
        # Everything with one of Tintype's tags: src:cats/tom.jpg, route:/img/, and those of tags= in the URL.
        # It is compared as it is: between \Q and \E all is plain text. It has no blanks, which would end the expression.
        if (req.http.Cache-Tag !~ "^[!-+\--~]{1,256}$" || req.http.Cache-Tag ~ "\\E") {
            return (synth(400, "Cache-Tag: one tag"));
        }
        if (std.ban("obj.http.Cache-Tag ~ (?i)(^|,)\Q" + req.http.Cache-Tag + "\E(,|$)")) {
            return (synth(200, "Banned"));
        }
        return (synth(400, std.ban_error()));
    }

    # Tintype keeps no sessions. What it does not read must not keep answers from being shared.
    unset req.http.Cookie;
    # The order of parameters means nothing, also to signatures.
    set req.url = std.querysort(req.url);

    # f=auto asks by Accept, of which there are thousands. Tintype reads three formats of it (JPEG XL where a route offers
    # that); an explicit "not this one" is kept, finer weights are not.
    if (req.http.Accept) {
        set req.http.X-Formats = "";
        if (req.http.Accept ~ "(?i)\bimage/avif\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))") {
            set req.http.X-Formats = ",image/avif";
        }
        if (req.http.Accept ~ "(?i)\bimage/webp\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))") {
            set req.http.X-Formats = req.http.X-Formats + ",image/webp";
        }
        # if (req.http.Accept ~ "(?i)\bimage/jxl\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))") {
        #     set req.http.X-Formats = req.http.X-Formats + ",image/jxl";
        # }
        if (req.http.X-Formats == "") {
            unset req.http.Accept;
        } else {
            set req.http.Accept = regsub(req.http.X-Formats, "^,", "");
        }
        unset req.http.X-Formats;
    }

    if (req.restarts == 0) {
        unset req.http.X-Stale;
        unset req.http.X-Fresh;
    }
    if (req.http.X-Fresh) {
        # Too old for stale-while-revalidate: asked for anew, and waited for.
        set req.grace = 0s;
    }
    if (req.http.X-Stale) {
        # The backend failed: whatever stale-if-error allows.
        unset req.http.X-Fresh;
        set req.grace = 365d;
    }
}

sub vcl_hit {
    # Grace is the longer of both stale directives. While nothing fails only stale-while-revalidate counts.
    if (obj.ttl < 0s && !req.http.X-Stale && !req.http.X-Fresh
        && obj.ttl + std.duration(regsub(obj.http.Cache-Control, "^.*stale-while-revalidate=(\d+).*$", "\1") + "s", 0s) < 0s) {
        set req.http.X-Fresh = "1";
        return (restart);
    }
}

sub vcl_backend_fetch {
    unset bereq.http.X-Stale;
    unset bereq.http.X-Fresh;
}

sub vcl_backend_response {
    if (beresp.status >= 500) {
        if (bereq.is_bgfetch) {
            # What is stale is better than that.
            return (abandon);
        }
        set beresp.ttl = 0s;
        set beresp.grace = 0s;
        set beresp.uncacheable = true;
        return (deliver);
    }
    # RFC 9213: the field for CDNs goes before Cache-Control.
    if (beresp.http.CDN-Cache-Control ~ "max-age=\d+") {
        set beresp.ttl = std.duration(regsub(beresp.http.CDN-Cache-Control, "^.*max-age=(\d+).*$", "\1") + "s", 0s)
            - std.duration(beresp.http.Age + "s", 0s);
    }
    set beresp.grace = std.duration(regsub(beresp.http.Cache-Control, "^.*stale-while-revalidate=(\d+).*$", "\1") + "s", 0s);
    if (std.duration(regsub(beresp.http.Cache-Control, "^.*stale-if-error=(\d+).*$", "\1") + "s", 0s) > beresp.grace) {
        set beresp.grace = std.duration(regsub(beresp.http.Cache-Control, "^.*stale-if-error=(\d+).*$", "\1") + "s", 0s);
    }
    # Long enough to ask again with If-None-Match.
    set beresp.keep = 1d;
}

sub vcl_backend_error {
    # Tintype cannot be reached.
    set beresp.http.Cache-Control = "no-store";
}

sub vcl_deliver {
    if (resp.status >= 500 && req.http.X-Fresh) {
        # There is something stale: vcl_hit has seen it.
        set req.http.X-Stale = "1";
        return (restart);
    }
    # RFC 9211: nearest to the client last.
    if (obj.hits > 0 && obj.ttl < 0s && req.http.X-Stale) {
        set resp.http.X-Cache = "varnish; fwd=stale; detail=error";
    } else if (obj.hits > 0) {
        set resp.http.X-Cache = "varnish; hit";
    } else {
        set resp.http.X-Cache = "varnish; fwd=miss";
    }
    if (resp.http.Cache-Status) {
        set resp.http.Cache-Status = resp.http.Cache-Status + ", " + resp.http.X-Cache;
    } else {
        set resp.http.Cache-Status = resp.http.X-Cache;
    }
    unset resp.http.X-Cache;
    unset resp.http.X-Varnish;
}
