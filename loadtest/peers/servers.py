"""The servers that are compared: tintype, nginx as a static file server, as a proxy cache and by HTTP/3, and Varnish.

Each is pinned to the server cores and listens on 127.0.0.1, on ports that the system chooses. Their configurations are made in
a temporary folder; what they serve is the same: the bytes of tintype's answers, with the fields of its answers' heads.
"""
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url, headers=None):
    request = urllib.request.Request(url, headers=headers or {})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.status, {k.lower(): v for k, v in response.headers.items()}, response.read()


def wait_for(url, process):
    for _ in range(400):
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


class Server:
    """One that runs. `base` is where it answers in cleartext, `secure` its port for TLS and QUIC, if any."""

    def __init__(self, name, process, base, secure=None, protocols=("h1",)):
        self.name, self.process, self.base, self.secure, self.protocols = name, process, base, secure, protocols

    def cpu_seconds(self):
        """User and system time of the process tree."""
        ticks = [0, 0]
        for member in tree(self.process.pid):
            with contextlib.suppress(OSError):
                fields = pathlib.Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
                ticks[0] += int(fields[11])
                ticks[1] += int(fields[12])
        return [t / os.sysconf("SC_CLK_TCK") for t in ticks]

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
            return
        self.process.kill()


def make_certificate(work):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-keyout", work / "key.pem", "-out", work / "cert.pem", "-subj", "/CN=a.example",
                    "-addext", "subjectAltName=DNS:a.example,DNS:localhost,IP:127.0.0.1",
                    "-addext", "basicConstraints=critical,CA:FALSE"],
                   check=True, capture_output=True)


def start_tintype(binary, cores, work):
    port, admin, secure = free_port(), free_port(), free_port()
    config = work / "tintype.toml"
    config.write_text(f"""
[server]
listen = ["127.0.0.1:{port}"]
admin = "127.0.0.1:{admin}"
runtime = "per-core"
threads = {len(cores)}
[tls]
listen = ["127.0.0.1:{secure}"]
http3 = true
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
    log = open(work / "tintype.log", "w")
    command = ["taskset", "-c", ",".join(map(str, cores)), binary, "serve", "--config", config]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    base = f"http://127.0.0.1:{port}"
    wait_for(f"{base}/img/river.jpg?w=16", process)
    return Server("tintype", process, base, secure, ("h1", "h1-tls", "h2-tls", "h3"))


def find_rendition(base, wanted):
    """A URL whose rendition has about `wanted` bytes: a PNG where a JPEG would not be large enough."""
    kind, best, width = ("f=png", None, 600) if wanted > 500_000 else ("f=jpeg&q=80", None, 300)
    for _ in range(5):
        path = f"/img/landscape.jpg?w={width}&{kind}"
        for _ in range(40):
            with contextlib.suppress(urllib.error.HTTPError):
                _, headers, body = get(base + path)
                break
            time.sleep(0.5)
        else:
            sys.exit(f"{path} is not answered")
        if best is None or abs(len(body) - wanted) < abs(len(best[2]) - wanted):
            best = (path, headers, body)
        # Bytes grow about as the area does.
        following = min(max(round(width * (wanted / len(body)) ** 0.5), 16), 2000)
        if following == width:
            break
        width = following
    return best


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
    types {{ image/jpeg jpg; image/png png; }}
    ssl_certificate {work}/cert.pem;
    ssl_certificate_key {work}/key.pem;
    proxy_cache_path {work}/cache levels=1:2 keys_zone=hot:16m max_size=512m inactive=60m use_temp_path=off;
    server {{
        listen 127.0.0.1:{static} reuseport;
{secure}
        root {root};
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
TLS = "listen 127.0.0.1:{port} ssl http2 reuseport;"
QUIC = "listen 127.0.0.1:{port} quic reuseport; quic_gso on; http3_max_concurrent_streams 128;"


def start_nginx(program, cores, work, headers, nopush, quic=False):
    """As a static file server and as a proxy cache before itself. With `quic` HTTP/3 instead of TLS."""
    static, proxy, secure = free_port(), free_port(), free_port()
    total = os.cpu_count()
    affinity = " ".join("".join("1" if c == core else "0" for c in reversed(range(total))) for core in cores)
    quoted = "\n".join(f"        add_header {k} '{v}';" for k, v in headers.items() if "'" not in v and "$" not in v)
    own = work / ("nginx-h3" if quic else "nginx")
    own.mkdir()
    text = NGINX.format(workers=len(cores), affinity=affinity, work=own, root=work / "root", static=static, proxy=proxy,
                        secure=(QUIC if quic else TLS).format(port=secure), headers=quoted, nopush=nopush)
    for name in ("cert.pem", "key.pem"):
        shutil.copy(work / name, own / name)
    (own / "nginx.conf").write_text(text)
    process = subprocess.Popen([program, "-p", str(own), "-c", str(own / "nginx.conf"), "-e", str(own / "error.log")])
    wait_for(f"http://127.0.0.1:{static}/2000.jpg", process)
    if quic:
        return [Server("nginx", process, f"http://127.0.0.1:{static}", secure, ("h3",))]
    return [Server("nginx", process, f"http://127.0.0.1:{static}", secure, ("h1", "h1-tls", "h2-tls")),
            Server("nginx proxy_cache", process, f"http://127.0.0.1:{proxy}")]


def nginx_program(quic=False):
    """The installed one, or the one that scripts/setup unpacked; None where there is none."""
    if quic:
        program = ROOT / ".tools/nginx-h3/nginx"
        return str(program) if program.exists() else None
    return shutil.which("nginx", path=f"{ROOT}/.tools/nginx/usr/sbin:/usr/sbin:" + os.environ["PATH"])


def start_varnish(cores, work, backend):
    """Before nginx's static server; None where it is not installed."""
    program = shutil.which("varnishd", path=f"{ROOT}/.tools/varnish/usr/sbin:/usr/sbin:" + os.environ["PATH"])
    if not program:
        return None
    port = free_port()
    (work / "default.vcl").write_text(
        f'vcl 4.1;\nbackend default {{ .host = "127.0.0.1"; .port = "{backend}"; }}\n'
        "sub vcl_backend_response { set beresp.ttl = 1h; }\n")
    command = ["taskset", "-c", ",".join(map(str, cores)), program, "-F", "-j", "none", "-a", f"127.0.0.1:{port}",
               "-f", str(work / "default.vcl"), "-n", str(work / "varnish"), "-S", "none", "-T", "none",
               "-s", "default=malloc,256m", "-p", "thread_pools=1", "-p", "thread_pool_min=100"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}"
    wait_for(f"{base}/2000.jpg", process)
    return Server("Varnish", process, base)
