# SPDX-License-Identifier: Apache-2.0
"""Builds and tries deploy/Dockerfile where there is no container engine: every step in a change of root.

    sudo python3 tests/deploy/image_steps.py --folder out/image [--ccache DIR] [--model out/funnel]

Needs root, debootstrap and a Debian mirror; takes 10 to 30 minutes, so no other test runs it. The base is a minimal
Debian 12 (debootstrap --variant=minbase) with the settings for apt and dpkg that Debian's own images have. Then, per
stage and in order: COPY, RUN (as /bin/sh -c, with the arguments and the environment so far), WORKDIR, USER. The context
is what git knows of the working tree, less what .dockerignore names.

With --model, the runtime stage is started as an engine would: ENTRYPOINT and CMD as process 1 of a PID namespace, as
USER, no new privileges, the root read-only, the model at /models/model/1. The HEALTHCHECK is run inside; readiness, an
inference over HTTP and, where tritonclient is there, over gRPC are asked for from outside; SIGTERM must end it with
exit code 0.

Prints the sizes of the base, of the image, and of the program.
"""

import argparse
import contextlib
import fnmatch
import http.client
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, skip  # noqa: E402
from dockerfile import Dockerfile, expand  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIRROR = "http://deb.debian.org/debian"
SLIM = "\n".join(
    [f"path-exclude /usr/share/{name}/*" for name in ("doc", "man", "info", "lintian", "linda", "locale")]
    + ["path-include /usr/share/doc/*/copyright"]
)
CLEAN = """APT::Keep-Downloaded-Packages "false";
Binary::apt::APT::Keep-Downloaded-Packages "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""
# $1: the root; then the command.
READ_ONLY = """root=$1
shift
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
exec "$@"
"""
READY_SECONDS = 60


def call(*command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def make_base(folder):
    """folder/base: a bare Debian 12, made once."""
    base = folder / "base"
    if not (base / "etc/debian_version").exists():
        call("debootstrap", "--variant=minbase", "bookworm", base, MIRROR)
    (base / "etc/dpkg/dpkg.cfg.d/slim").write_text(SLIM + "\n")
    (base / "etc/apt/apt.conf.d/clean").write_text(CLEAN)
    # The mirrors of this machine hold the security updates, too, as those of Debian's images do.
    (base / "etc/apt/sources.list").write_text(
        f"deb {MIRROR} bookworm main\ndeb {MIRROR} bookworm-updates main\n"
        f"deb {MIRROR}-security bookworm-security main\n"
    )
    for pattern in ("var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/lib/apt/lists/*_*"):
        for cached in base.glob(pattern):
            cached.unlink()
    return base


def ignored(name, patterns):
    """Whether .dockerignore names the file, or a folder above it."""
    parts = name.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return any(
        fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path.split("/")[-1], pattern.removeprefix("**/"))
        if pattern.startswith("**/")
        else path == pattern
        for path in above
        for pattern in patterns
    )


def make_context(source, folder):
    """folder/context: what an engine would be sent."""
    context = folder / "context"
    shutil.rmtree(context, ignore_errors=True)
    patterns = [
        line for line in (source / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", source, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in listing.split("\0"):
        if name and (source / name).is_file() and not ignored(name, patterns):
            (context / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, context / name)
    return context


def inside(root, mounts, *command):
    """The command line of `command` with another root. mounts: {path inside: folder outside}, while it runs."""
    places = {"/proc": "/proc", "/dev": "/dev", "/dev/pts": "/dev/pts", **mounts}
    binds = [f"mkdir -p '{root}{to}' && mount --bind '{outside}' '{root}{to}'" for to, outside in places.items()]
    # A namespace of their own: they end with the command, however it ends, and nobody else sees them.
    return ["unshare", "--mount", "sh", "-ec", "\n".join([*binds, 'exec "$@"']), "sh", "chroot", root, *command]


def copy(step, context, stages, root, folder):
    """COPY, as engines understand it: the content of folders, into a folder where the target ends with /."""
    *sources, target = step.words()
    origin = stages[step.flags["from"]] if "from" in step.flags else context
    target = root / (target if target.startswith("/") else f"{folder}/{target}").lstrip("/")
    for name in sources:
        source = origin / name.strip("/")
        target.mkdir(parents=True, exist_ok=True)
        call("cp", "-a", "--no-preserve=ownership", f"{source}/." if source.is_dir() else source, f"{target}/")


def build_stage(stage, arguments, context, stages, root, ccache):
    """Takes every step of the stage in the root."""
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    folder = "/"
    for step in stage.steps:
        if step.word == "ARG":
            name = step.text.partition("=")[0]
            environment[name] = arguments[name]
        elif step.word == "ENV":
            environment.update(pair.split("=", 1) for pair in step.words())
        elif step.word == "WORKDIR":
            folder = expand(step.text, environment)
            (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif step.word == "COPY":
            copy(step, context, stages, root, folder)
        elif step.word == "RUN":
            mounts = {}
            if "mount" in step.flags:
                flags = dict(part.split("=", 1) for part in step.flags["mount"].split(","))
                if ccache and flags["type"] == "cache":
                    mounts[flags["target"]] = ccache
            begin = time.monotonic()
            shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
            shell = ["/bin/sh", "-c", f'cd "{folder}" && {step.text}']
            call(*inside(root, mounts, "env", "-i", *(f"{k}={v}" for k, v in environment.items()), *shell))
            check(True, f"{stage.name}, line {step.line}: RUN, {time.monotonic() - begin:.0f} s")


def process_one(holder):
    """The process outside of the namespace that is process 1 inside."""
    children = pathlib.Path(f"/proc/{holder}/task/{holder}/children").read_text().split()
    return int(children[0]) if children else None


def ask(path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=5)
    connection.request("POST" if body else "GET", path, body)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or "{}")


def request_of(metadata):
    """One row in which everything is missing."""
    return {"inputs": [{"name": column["name"], "shape": [1], "datatype": "BYTES", "data": [""]}
                       for column in metadata["inputs"]]}  # fmt: skip


def ask_grpc(metadata, expected):
    if importlib.util.find_spec("tritonclient") is None:
        print("left out: gRPC, for tritonclient is not installed")
        return
    import numpy
    import tritonclient.grpc

    client = tritonclient.grpc.InferenceServerClient("127.0.0.1:8081")
    inputs = []
    for column in metadata["inputs"]:
        inputs.append(tritonclient.grpc.InferInput(column["name"], [1], "BYTES"))
        inputs[-1].set_data_from_numpy(numpy.array([b""], dtype=object))
    answer = client.infer("model", inputs)
    check(
        all(numpy.array_equal(answer.as_numpy(output["name"]), numpy.array(output["data"], numpy.float32))
            for output in expected["outputs"]),
        "gRPC, from outside: the numbers of HTTP",
    )  # fmt: skip


def serve(stage, root, model):
    """Starts the stage as a container and asks it."""
    place = root / "models/model/1"
    shutil.rmtree(root / "models/model", ignore_errors=True)
    shutil.copytree(model, place, ignore=shutil.ignore_patterns("checkpoints"))
    call("chmod", "-R", "a+rX", root / "models")
    user = stage.last("USER").text
    path = "PATH=/usr/local/bin:/usr/bin:/bin"
    command = stage.last("ENTRYPOINT").words() + stage.last("CMD").words()
    holder = subprocess.Popen(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", READ_ONLY, "sh", str(root), "setpriv",
         "--no-new-privs", "chroot", f"--userspec={user}", str(root), "env", "-i", path, *command],
    )  # fmt: skip
    try:
        end = time.monotonic() + READY_SECONDS
        ready = None
        while ready != 200:
            check_running = holder.poll() is None and time.monotonic() < end
            if not check_running:
                sys.exit(f"FAILED: not ready (exit code {holder.poll()}, last status {ready})")
            time.sleep(0.05)
            with contextlib.suppress(OSError):
                ready = ask("/v2/health/ready")[0]
        check(True, "ready, from outside")
        pid = process_one(holder.pid)
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        check(fields["NSpid"].split()[-1] == "1", "it is process 1")
        check(fields["Uid"].split() == [user.split(":")[0]] * 4, f"its user is {user}")
        check(int(fields["CapEff"], 16) == 0 and fields["NoNewPrivs"] == "1", "no capabilities, no new privileges")
        enter = ["nsenter", "-t", str(pid), "--mount", "--pid"]
        probe = [*enter, "chroot", f"--userspec={user}", str(root), "env", "-i", path]
        written = subprocess.run([*probe, "touch", "/models/file"], capture_output=True, text=True, check=False)
        check("Read-only file system" in written.stderr, "the root is read-only")
        healthy = subprocess.run([*probe, *stage.last("HEALTHCHECK").words()], check=False).returncode
        check(healthy == 0, "HEALTHCHECK: healthy")
        metadata = ask("/v2/models/model")[1]
        code, answer = ask("/v2/models/model/infer", json.dumps(request_of(metadata)))
        check(code == 200 and answer["outputs"], f"HTTP, from outside: {answer.get('outputs')}")
        ask_grpc(metadata, answer)
        begin = time.monotonic()
        os.kill(pid, getattr(signal, stage.last("STOPSIGNAL").text))
        check(holder.wait(timeout=40) == 0, f"STOPSIGNAL ends it with exit code 0, {time.monotonic() - begin:.2f} s")
    finally:
        if holder.poll() is None:
            holder.kill()
    unhealthy = subprocess.run(
        ["chroot", f"--userspec={user}", root, *stage.last("HEALTHCHECK").words()], capture_output=True, check=False
    )
    check(unhealthy.returncode != 0, "HEALTHCHECK without a server: not healthy")


def size(root):
    """MB on disk."""
    done = subprocess.run(["du", "-sxB1", root], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0]) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True, type=pathlib.Path, help="where the roots are made")
    parser.add_argument("--source", default=ROOT, type=pathlib.Path, help="the repository")
    parser.add_argument("--ccache", type=pathlib.Path, help="a folder for the build's cache")
    parser.add_argument("--model", type=pathlib.Path, help="a model directory to serve")
    parser.add_argument("--stage", action="append", help="build only this stage anew (default: all)")
    flags = parser.parse_args()
    if os.geteuid() != 0:
        skip("changing the root needs root")
    if shutil.which("debootstrap") is None:
        skip("debootstrap is not installed")
    folder = flags.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    file = Dockerfile.read((flags.source / "deploy/Dockerfile").read_text(), {"JOBS": str(os.cpu_count())})
    base = make_base(folder)
    context = make_context(flags.source.resolve(), folder)
    stages = {stage.name: folder / stage.name for stage in file.stages}
    for stage in file.stages:
        root = stages[stage.name]
        if flags.stage and stage.name not in flags.stage:
            continue
        if root.exists():
            call("rm", "-rf", "--one-file-system", root)
        call("cp", "-a", "--reflink=auto", base, root)
        build_stage(stage, file.arguments, context, stages, root, flags.ccache)
    runtime = stages[file.stages[-1].name]
    program = runtime / "usr/local/bin/manygate"
    print(f"base {size(base):.0f} MB, image {size(runtime):.0f} MB, program {program.stat().st_size / 1e6:.1f} MB")
    if flags.model:
        serve(file.stages[-1], runtime, flags.model)


if __name__ == "__main__":
    main()
