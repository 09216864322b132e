# SPDX-License-Identifier: Apache-2.0
"""What the files of deploy/ say of one server, each as a list of words and numbers that can be compared.

files = Files.read(ROOT)                                  # needs PyYAML
for command in files.commands: command.place, command.words      # "Dockerfile: CMD", ["serve", "/models", ...]
list(disagreements(files, help_text))                     # "kubernetes/manygate.yaml: ... port 9090 ..."
"""

import dataclasses
import pathlib
import re

from dockerfile import Dockerfile
from sandbox import settings

YAML_FILES = ["kubernetes/manygate.yaml", "kserve/inference_service.yaml", "kserve/serving_runtime.yaml"]
HEALTH = {"startupProbe": "/v2/health/live", "livenessProbe": "/v2/health/live", "readinessProbe": "/v2/health/ready"}


@dataclasses.dataclass
class Command:
    """How one file starts the server: the words behind `manygate`."""

    place: str
    words: list

    def value(self, flag, default=None):
        return self.words[self.words.index(flag) + 1] if flag in self.words else default


@dataclasses.dataclass
class Pod:
    place: str
    spec: dict
    containers: list


@dataclasses.dataclass
class Files:
    image: Dockerfile
    unit: dict
    documents: list  # (place, object)
    version: str
    drain_seconds: int

    @staticmethod
    def read(root):
        import yaml

        folder = pathlib.Path(root) / "deploy"
        documents = []
        for name in YAML_FILES:
            documents += [(f"{name}: {d['kind']}", d) for d in yaml.safe_load_all((folder / name).read_text())]
        cmake = (root / "CMakeLists.txt").read_text()
        serve = (root / "manygate/cli/serve.cc").read_text()
        return Files(
            Dockerfile.read((folder / "Dockerfile").read_text()),
            settings((folder / "manygate.service").read_text()),
            documents,
            re.search(r"project\(manygate VERSION (\S+)", cmake).group(1),
            int(re.search(r"seconds kPatience\((\d+)\)", serve).group(1)),
        )

    @property
    def runtime(self):
        return self.image.stages[-1]

    @property
    def pods(self):
        found = []
        for place, document in self.documents:
            spec = document.get("spec", {})
            spec = spec.get("template", {}).get("spec") or spec.get("predictor") or spec
            if "containers" in spec:
                found.append(Pod(place, spec, spec["containers"]))
        return found

    @property
    def commands(self):
        start = self.unit["ExecStart"][0].split()
        found = [Command("Dockerfile: CMD", self.runtime.last("CMD").words()), Command("manygate.service", start[1:])]
        return found + [Command(pod.place, container["args"]) for pod in self.pods for container in pod.containers]


def disagreements(files, help_text):
    """Yields a sentence for each thing that one file says and another, or the program, does not."""
    flags = set(re.findall(r"--[a-z_]+", help_text))
    defaults = dict(re.findall(r"--(http_port|grpc_port) N .*?\(default: (\d+)", help_text))
    for command in files.commands:
        for word in command.words:
            if word.startswith("-") and word not in flags:
                yield f"{command.place}: manygate {command.words[0]} has no flag {word}"
        if command.words[0] != "serve":
            yield f"{command.place}: starts manygate {command.words[0]}, not serve"
    runtime = files.runtime
    exposed = runtime.last("EXPOSE").words()
    if exposed != [defaults["http_port"], defaults["grpc_port"]]:
        yield f"Dockerfile: EXPOSE {' '.join(exposed)}; the program listens at {defaults}"
    if f"/127.0.0.1/{defaults['http_port']} " not in " ".join(runtime.last("HEALTHCHECK").words()):
        yield f"Dockerfile: HEALTHCHECK asks another port than {defaults['http_port']}"
    if files.image.arguments["VERSION"] != files.version:
        yield f"Dockerfile: ARG VERSION is {files.image.arguments['VERSION']}; CMakeLists.txt says {files.version}"
    if int(files.unit["TimeoutStopSec"][-1]) <= files.drain_seconds:
        yield f"manygate.service: TimeoutStopSec is not above the {files.drain_seconds} s of answering what was taken"
    for pod in files.pods:
        for container in pod.containers:
            yield from in_container(files, pod, container, defaults)
    yield from in_service(files)


def in_container(files, pod, container, defaults):
    command = Command(pod.place, container["args"])
    listens = {int(command.value(f"--{name}", default)): name for name, default in defaults.items()}
    ports = {port.get("name"): port["containerPort"] for port in container["ports"]}
    for name, number in ports.items():
        if number not in listens:
            yield f"{pod.place}: port {number} ({name}); the server listens at {sorted(listens)}"
    if command.value("--address") != "0.0.0.0":
        yield f"{pod.place}: --address {command.value('--address')} cannot be reached from outside of the pod"
    for probe, path in HEALTH.items():
        asked = container[probe]["httpGet"]
        port = ports.get(asked["port"], asked["port"])
        if asked["path"] != path or listens.get(port) != "http_port":
            yield f"{pod.place}: {probe} asks {asked['path']} at {port}; expected {path} at the port of HTTP"
    user = files.runtime.last("USER").text
    asked = container["securityContext"]
    if f"{asked['runAsUser']}:{asked['runAsGroup']}" != user:
        yield f"{pod.place}: runs as {asked['runAsUser']}:{asked['runAsGroup']}; the image has {user}"
    if not container["image"].endswith(f":{files.version}"):
        yield f"{pod.place}: image {container['image']}; CMakeLists.txt says version {files.version}"
    # A runtime of KServe leaves this to the service that uses it.
    grace = pod.spec.get("terminationGracePeriodSeconds", files.drain_seconds + 15)
    needed = container["lifecycle"]["preStop"]["sleep"]["seconds"] + files.drain_seconds
    if grace <= needed:
        yield f"{pod.place}: terminationGracePeriodSeconds is {grace}; preStop and answering may take {needed}"
    yield from not_restricted(pod, container)


def not_restricted(pod, container):
    """What the profile "restricted" of Kubernetes' Pod Security Standards asks for, and a root that is read-only."""
    own = container["securityContext"]
    both = {**pod.spec.get("securityContext", {}), **own}
    expected = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, "readOnlyRootFilesystem": True,
                "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}  # fmt: skip
    for name, value in expected.items():
        if both.get(name) != value:
            yield f"{pod.place}: securityContext.{name} is {both.get(name)}; expected {value}"


def in_service(files):
    """What refers to the Deployment."""
    objects = {document["kind"]: document for _, document in files.documents}
    deployment = objects["Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    names = {port["name"] for port in container["ports"]}
    http = next(port["containerPort"] for port in container["ports"] if port["name"] == "http")
    scraped = deployment["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"]
    if int(scraped) != http:
        yield f"kubernetes/manygate.yaml: prometheus.io/port is {scraped}; HTTP is at {http}"
    for port in objects["Service"]["spec"]["ports"]:
        if port["targetPort"] not in names:
            yield f"kubernetes/manygate.yaml: Service: targetPort {port['targetPort']}; the pod has {sorted(names)}"
    selectors = {
        "Deployment": deployment["spec"]["selector"]["matchLabels"],
        "Service": objects["Service"]["spec"]["selector"],
        "PodDisruptionBudget": objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        "NetworkPolicy": objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    }
    for kind, selector in selectors.items():
        if not selector.items() <= labels.items():
            yield f"kubernetes/manygate.yaml: {kind} selects {selector}; the pods have {labels}"
    claims = {v["persistentVolumeClaim"]["claimName"] for v in deployment["spec"]["template"]["spec"]["volumes"]
              if "persistentVolumeClaim" in v}  # fmt: skip
    if claims != {objects["PersistentVolumeClaim"]["metadata"]["name"]}:
        yield f"kubernetes/manygate.yaml: the pod mounts {sorted(claims)}, which the file does not make"
    if objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] != deployment["metadata"]["name"]:
        yield "kubernetes/manygate.yaml: HorizontalPodAutoscaler scales something else"
