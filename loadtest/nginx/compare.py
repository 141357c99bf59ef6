#!/usr/bin/env python3
"""The hit path beside nginx: the same bytes and the same kind of headers, from memory, over keep-alive HTTP/1.1.

Servers: tintype (per-core runtime), nginx as a static file server (sendfile, open_file_cache), nginx as a proxy cache.
Each runs on the server cores, wrk on the client cores; one server works at a time, in an order that changes from round
to round; the figures are medians over rounds. CPU is the time of the server's whole process tree, per request.

With --tls the same over TLS: HTTP/1.1 by wrk, HTTP/2 by h2load (ten requests at once on each of 32 connections).

  compare.py --binary target/release/tintype [--server-cores 0] [--client-cores 1-3] [--rounds 5] [--seconds 2] [--tls]

Prints a markdown table. Only Python's standard library is used. nginx's configuration is made in a temporary folder.
"""
import argparse
import contextlib
import os
import pathlib
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZES = (2_000, 20_000, 100_000)
# nginx makes or may not repeat these itself.
NOT_COPIED = {"date", "content-length", "content-type", "connection", "age", "server", "etag", "last-modified", "accept-ranges"}


def cores(text):
    out = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        out.extend(range(int(first), int(last or first) + 1))
    return out


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url, headers=None):
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.status, {k.lower(): v for k, v in response.headers.items()}, response.read()


def wait_for(url, process):
    for _ in range(200):
        if process.poll() is not None:
            sys.exit(f"a server ended at once: {process.args}")
        with contextlib.suppress(OSError):
            return get(url)
        time.sleep(0.05)
    sys.exit(f"nothing answers at {url}")


def tree(pid):
    """The process and its descendants."""
    found = [pid]
    for parent in found:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found.extend(int(child) for child in task.read_text().split())
    return found


def cpu_seconds(pid):
    """User and system time of a process tree."""
    ticks = [0, 0]
    for member in tree(pid):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            ticks[0] += int(fields[11])
            ticks[1] += int(fields[12])
    return [t / os.sysconf("SC_CLK_TCK") for t in ticks]


class Server:
    def __init__(self, name, process, base, secure=None):
        self.name, self.process, self.base, self.secure = name, process, base, secure

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
            return
        self.process.kill()


def make_certificate(work):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", work / "key.pem", "-out", work / "cert.pem", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)


def start_tintype(binary, server_cores, work):
    port, admin, secure = free_port(), free_port(), free_port()
    config = work / "tintype.toml"
    config.write_text(f"""
[server]
listen = ["127.0.0.1:{port}"]
admin = "127.0.0.1:{admin}"
runtime = "per-core"
threads = {len(server_cores)}
[tls]
listen = ["127.0.0.1:{secure}"]
certificates = [{{ cert = "{work}/cert.pem", key = "{work}/key.pem" }}]
[signing]
mode = "disabled"
[[origins]]
name = "samples"
kind = "file"
root = "{ROOT / 'samples'}"
[[routes]]
prefix = "/img/"
origin = "samples"
""")
    mask = ",".join(map(str, server_cores))
    log = open(work / "tintype.log", "w")
    process = subprocess.Popen(["taskset", "-c", mask, binary, "serve", "--config", config], stdout=log, stderr=log)
    base = f"http://127.0.0.1:{port}"
    wait_for(f"{base}/img/river.jpg?w=16", process)
    return Server("tintype", process, base, f"https://127.0.0.1:{secure}")


def find_rendition(base, wanted):
    """A URL whose rendition has about `wanted` bytes."""
    best = None
    low, high = 16, 4000
    while low <= high:
        width = (low + high) // 2
        path = f"/img/landscape.jpg?w={width}&f=jpeg&q=80"
        for _ in range(20):
            with contextlib.suppress(urllib.error.HTTPError):
                _, headers, body = get(base + path)
                break
            time.sleep(0.5)
        if best is None or abs(len(body) - wanted) < abs(best[3] - wanted):
            best = (path, headers, body, len(body))
        low, high = (width + 1, high) if len(body) < wanted else (low, width - 1)
    return best[:3]


NGINX = """
daemon off;
worker_processes {workers};
worker_cpu_affinity {affinity};
pid {work}/nginx.pid;
error_log {work}/error.log warn;
events {{ worker_connections 4096; multi_accept off; }}
http {{
    access_log off;
    client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
    uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
    sendfile on;
    tcp_nopush {nopush};
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 100000000;
    open_file_cache max=1000 inactive=60s;
    open_file_cache_valid 60s;
    types {{ image/jpeg jpg; }}
    proxy_cache_path {work}/cache levels=1:2 keys_zone=hot:16m max_size=512m inactive=60m use_temp_path=off;
    server {{
        listen 127.0.0.1:{static} reuseport;
        listen 127.0.0.1:{secure} ssl http2 reuseport;
        ssl_certificate {work}/cert.pem;
        ssl_certificate_key {work}/key.pem;
        http2_max_requests 100000000;
        root {work}/root;
{headers}
    }}
    server {{
        listen 127.0.0.1:{proxy} reuseport;
        location / {{
            proxy_pass http://127.0.0.1:{static};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_cache hot;
            proxy_cache_valid 200 60m;
            proxy_ignore_headers Cache-Control Expires Vary;
            add_header Cache-Status $upstream_cache_status;
        }}
    }}
}}
"""


def start_nginx(server_cores, work, headers, nopush):
    static, proxy, secure = free_port(), free_port(), free_port()
    total = os.cpu_count()
    affinity = " ".join("".join("1" if c == core else "0" for c in reversed(range(total))) for core in server_cores)
    quoted = "\n".join(f"        add_header {k} '{v}';" for k, v in headers.items() if "'" not in v and "$" not in v)
    text = NGINX.format(workers=len(server_cores), affinity=affinity, work=work, static=static, proxy=proxy, secure=secure,
                        headers=quoted, nopush=nopush)
    (work / "nginx.conf").write_text(text)
    program = shutil.which("nginx", path=f"{ROOT}/.tools/nginx/usr/sbin:/usr/sbin:" + os.environ["PATH"])
    process = subprocess.Popen([program, "-p", str(work), "-c", str(work / "nginx.conf"), "-e", str(work / "error.log")])
    servers = (Server("nginx static", process, f"http://127.0.0.1:{static}", f"https://127.0.0.1:{secure}"),
               Server("nginx proxy_cache", process, f"http://127.0.0.1:{proxy}"))
    return servers, program


def load_http2(server, path, seconds, client_cores):
    """By h2load, which knows the mean only."""
    threads = len(client_cores)
    command = ["taskset", "-c", ",".join(map(str, client_cores)), "h2load", f"-t{threads}", "-c32", "-m10", f"-D{seconds}",
               "--warm-up-time=1", server.secure + path]
    before = cpu_seconds(server.process.pid)
    began = time.monotonic()
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after, took = cpu_seconds(server.process.pid), time.monotonic() - began
    rate = float(re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", out)[1])
    failed = re.search(r"(\d+) failed, (\d+) errored", out)
    if failed.groups() != ("0", "0"):
        sys.exit(f"{server.name} {path}: h2load saw errors: {failed[0]}")
    # It counts what comes after the warm-up; the processor time is that of all.
    requests = rate * (took - 0.05)
    user, system = after[0] - before[0], after[1] - before[1]
    return {"rate": rate, "cpu": (user + system) / requests * 1e6, "system": system / requests * 1e6, "p99": float("nan")}


def load(server, path, connections, seconds, client_cores, headers, protocol="HTTP/1.1"):
    if protocol == "HTTP/2, TLS":
        return load_http2(server, path, seconds, client_cores)
    base = server.base if protocol == "HTTP/1.1" else server.secure
    command = ["taskset", "-c", ",".join(map(str, client_cores)), "wrk", "--latency", f"-t{len(client_cores)}",
               f"-c{connections}", f"-d{seconds}s", *sum((["-H", h] for h in headers), []), base + path]
    before = cpu_seconds(server.process.pid)
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    after = cpu_seconds(server.process.pid)
    requests = int(re.search(r"(\d+) requests in", out)[1])
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", out) or re.search(r"Socket errors: (.*)", out)
    if wrong and not re.fullmatch(r"connect 0, read 0, write 0, timeout 0", wrong[1]):
        sys.exit(f"{server.name} {path}: wrk saw errors: {wrong[0]}")
    unit = {"us": 1e-3, "ms": 1.0, "s": 1e3}
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    user, system = after[0] - before[0], after[1] - before[1]
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]),
        "cpu": (user + system) / requests * 1e6,
        "system": system / requests * 1e6,
        "p99": float(p99[1]) * unit[p99[2]],
    }


def head_bytes(headers):
    return sum(len(k) + len(v) + 4 for k, v in headers.items())


def versions(binary, nginx):
    run = lambda *c: subprocess.run(c, capture_output=True, text=True)
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return [
        run(binary, "--version").stdout.strip(),
        run(nginx, "-v").stderr.strip().replace("nginx version: ", ""),
        run("wrk", "-v").stdout.split("[")[0].strip(),
        f"Linux {os.uname().release}, {os.cpu_count()} × {cpu[1] if cpu else os.uname().machine}",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--server-cores", type=cores, default=[0])
    parser.add_argument("--client-cores", type=cores, default=list(range(1, max(2, os.cpu_count()))))
    parser.add_argument("--connections", type=lambda t: [int(c) for c in t.split(",")], default=[64])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--tcp-nopush", choices=["on", "off"], default="off",
                        help="off by default: with it on, proxy_cache stalls for 40 ms on bodies of 100 KB")
    parser.add_argument("--tls", action="store_true", help="over TLS, instead of in cleartext")
    options = parser.parse_args()
    if set(options.server_cores) & set(options.client_cores):
        print("note: server and client share cores; the request rates are not worth much", file=sys.stderr)

    work = pathlib.Path(tempfile.mkdtemp(prefix="tintype-nginx-"))
    work.chmod(0o755)
    (work / "root").mkdir()
    running = []
    try:
        make_certificate(work)
        tintype = start_tintype(options.binary, options.server_cores, work)
        running.append(tintype)
        cases = []
        for size in SIZES:
            path, headers, body = find_rendition(tintype.base, size)
            file = f"{size}.jpg"
            (work / "root" / file).write_bytes(body)
            cases.append((f"{len(body) / 1000:.1f} KB", path, f"/{file}", body, headers))
        copied = {k: v for k, v in cases[0][4].items() if k not in NOT_COPIED}
        (static, proxy), program = start_nginx(options.server_cores, work, copied, options.tcp_nopush)
        running.append(static)
        wait_for(f"{static.base}{cases[0][2]}", static.process)
        servers = [tintype, static, proxy]
        plan, sizes = [], {}
        for label, ours, theirs, body, _ in cases:
            for server in servers:
                path = ours if server is tintype else theirs
                get(server.base + path)
                status, headers, got = get(server.base + path)
                if status != 200 or got != body:
                    sys.exit(f"{server.name} serves other bytes for {path}")
                sizes.setdefault(server.name, head_bytes(headers))
                if options.tls:
                    for protocol in ("HTTP/1.1, TLS", "HTTP/2, TLS") if server.secure else ():
                        for connections in options.connections:
                            plan.append((f"{label}, {protocol}", connections, server, path, [], protocol))
                    continue
                for connections in options.connections:
                    plan.append((label, connections, server, path, [], "HTTP/1.1"))
                    if label == cases[0][0]:
                        plan.append(("304", connections, server, path, [f"If-None-Match: {headers['etag']}"], "HTTP/1.1"))
        results = {}
        for _ in range(options.rounds):
            random.shuffle(plan)
            for label, connections, server, path, extra, protocol in plan:
                one = load(server, path, connections, options.seconds, options.client_cores, extra, protocol)
                results.setdefault((label, connections, server.name), []).append(one)
        report(results, servers, options, sizes, versions(options.binary, program))
    finally:
        for server in running:
            server.stop()
        shutil.rmtree(work, ignore_errors=True)


def report(results, servers, options, sizes, about):
    median = lambda rows, key: statistics.median(row[key] for row in rows)
    print("| body | connections | server | requests/s | against nginx static | CPU µs/request | of it system | p99 ms |")
    print("|---|---:|---|---:|---:|---:|---:|---:|")
    for label, connections in dict.fromkeys((label, c) for label, c, _ in sorted(results, key=lambda k: (k[1], len(k[0]), k[0]))):
        static = results[label, connections, "nginx static"]
        for server in (server for server in servers if (label, connections, server.name) in results):
            rows = results[label, connections, server.name]
            ratio = median(rows, "rate") / median(static, "rate")
            cpu = median(rows, "cpu") / median(static, "cpu")
            print(f"| {label} | {connections} | {server.name} | {median(rows, 'rate'):,.0f} | {ratio:.2f} × (CPU {cpu:.2f}) "
                  f"| {median(rows, 'cpu'):.1f} | {median(rows, 'system'):.1f} | {median(rows, 'p99'):.2f} |")
    print()
    print(f"{'; '.join(about)}. Medians of {options.rounds} rounds of {options.seconds} s, order shuffled in each; "
          f"server on core {options.server_cores}, wrk on {options.client_cores}; tcp_nopush {options.tcp_nopush}. "
          f"Bytes of response heads: {', '.join(f'{k} {v}' for k, v in sizes.items())}. "
          "The proxy_cache rows count nginx's whole process tree, cache manager included.")


if __name__ == "__main__":
    main()
