"""The clients: wrk for HTTP/1.1, h2load for HTTP/2, `load ask` for HTTP/3.

Each gives requests a second, the 99th percentile in milliseconds, and the server's processor time for each request. An answer
that is no success, and a connection that is lost, end the run.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

# Seconds that a client runs before it counts; the server's processor time is that of all of it.
WARM_UP = {"wrk": 0.0, "h2load": 1.0, "load": 0.5}


def run(server, command, cores, warm_up, seconds, read):
    before = server.cpu_seconds()
    done = subprocess.run(["taskset", "-c", ",".join(map(str, cores)), *command], capture_output=True, text=True)
    after = server.cpu_seconds()
    if done.returncode != 0:
        sys.exit(f"{server.name}: {' '.join(command)}: {done.stdout}{done.stderr}")
    rate, p99 = read(done.stdout)
    user, system = (a - b for a, b in zip(after, before))
    requests = rate * (seconds + warm_up)
    return {"rate": rate, "cpu": (user + system) / requests * 1e6, "system": system / requests * 1e6, "p99": p99}


def wrk(server, url, connections, seconds, cores, headers=()):
    def read(out):
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", out) or re.search(r"Socket errors: (.*)", out)
        if wrong and not re.fullmatch(r"connect 0, read 0, write 0, timeout 0", wrong[1]):
            sys.exit(f"{server.name} {url}: wrk saw errors: {wrong[0]}")
        unit = {"us": 1e-3, "ms": 1.0, "s": 1e3}
        p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
        return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1]), float(p99[1]) * unit[p99[2]]

    command = ["wrk", "--latency", f"-t{len(cores)}", f"-c{connections}", f"-d{seconds}s",
               *sum((["-H", h] for h in headers), []), url]
    return run(server, command, cores, WARM_UP["wrk"], seconds, read)


def h2load(server, url, seconds, cores):
    """Ten requests at once on each of 32 connections. It prints no percentiles, but logs how long each request took."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "requests"

        def read(out):
            failed = re.search(r"(\d+) failed, (\d+) errored", out)
            if failed.groups() != ("0", "0"):
                sys.exit(f"{server.name} {url}: h2load saw errors: {failed[0]}")
            # Start, status, microseconds.
            took = sorted(int(line.split()[2]) for line in log.read_text().splitlines())
            p99 = took[len(took) * 99 // 100] / 1e3 if took else float("nan")
            return float(re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", out)[1]), p99

        command = ["h2load", f"-t{len(cores)}", "-c32", "-m10", f"-D{seconds}", f"--warm-up-time={int(WARM_UP['h2load'])}",
                   f"--log-file={log}", url]
        return run(server, command, cores, WARM_UP["h2load"], seconds, read)


def ask(server, load, protocol, path, length, ca, seconds, cores):
    """Eight requests at once on each of 16 connections."""
    def read(out):
        rate, _, p99 = out.split()
        return float(rate), float(p99)

    command = [load, "ask", f"--protocol={protocol}", f"--address=127.0.0.1:{server.secure}", f"--target={path}",
               f"--bytes={length}", f"--ca={ca}", f"--seconds={seconds}", f"--threads={len(cores)}"]
    return run(server, command, cores, WARM_UP["load"], seconds, read)
