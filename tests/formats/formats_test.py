# SPDX-License-Identifier: Apache-2.0
"""Parquet and S3: the same rows give the same models, whatever they are stored in and wherever they lie.

    python3 tests/formats/formats_test.py parquet --program build/release/manygate
    python3 tests/formats/formats_test.py errors  --program build/release/manygate
    python3 tests/formats/formats_test.py s3      --program build/release/manygate

parquet  20,000 rows of Census-Income with some columns added (floats, booleans, dates, lists) as CSV and as Parquet: plain,
         with dictionaries, in other types, in many row groups, as several files, as partition folders. The column caches
         and the weights of a short training must be byte-equal. init, train --data, inspect and predict read Parquet; the
         program itself does not depend on Arrow. Needs the data under $MANYGATE_DATA or ../shared/data.
errors   Damaged, truncated, empty and other files, and a plug-in that is not there: the messages and the exit code.
s3       The same rows from a local S3 server (moto): files, folders, globs, CSV and Parquet, and what changes there.

Exit code 77, with the reason, where pyarrow, the plug-in, the data or the server are missing.
"""
import argparse
import datetime
import gzip
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import check, skip  # noqa: E402
ROWS = 20000
CENSUS = ROOT / "examples/census_income/mmoe.config"

CONFIG = """
train_config { dense_optimizer { adam_optimizer { lr: 0.003 } } num_epochs: 1 seed: 3 use_tensorboard: false }
data_config {
  DATA
  batch_size: 64 missing_values: "?" cache_dir: "cache" split { validation_fraction: 0.1 test_fraction: 0.1 }
  label_configs { label_name: "income" column: "income_50k" positive_values: "50000+." }
  label_configs { label_name: "marital" column: "marital_stat" positive_values: "Never married" }
}
feature_configs { id_feature { feature_name: "education" embedding_dim: 8 } }
feature_configs { id_feature { feature_name: "det_occ_code" embedding_dim: 8 } }
feature_configs { id_feature { feature_name: "class_worker" one_hot: true } }
feature_configs { id_feature { feature_name: "sex" one_hot: true } }
feature_configs { id_feature { feature_name: "state_prev_res" embedding_dim: 4 } }
feature_configs { id_feature { feature_name: "joined" embedding_dim: 4 } }
feature_configs { id_feature { feature_name: "tags" embedding_dim: 4 } }
feature_configs { id_feature { feature_name: "score_id" expression: "score" embedding_dim: 4 } }
feature_configs { raw_feature { feature_name: "age" transform { standardise: true } } }
feature_configs { raw_feature { feature_name: "score" transform { standardise: true missing_indicator: true } } }
feature_configs { raw_feature { feature_name: "flag" } }
model_config {
  mmoe {
    num_expert: 4
    expert_mlp { hidden_units: 16 }
    task_towers { label_name: "income" mlp { hidden_units: 8 } }
    task_towers { label_name: "marital" mlp { hidden_units: 8 } }
  }
}
"""
CSV = "with_header: true"
PARQUET = "dataset_type: ParquetDataset"
NUMBERS = ["age", "det_ind_code", "det_occ_code", "wage_per_hour", "capital_gains", "capital_losses", "stock_dividends"]


def run(command, cwd, code=0, env=None):
    """Returns (stdout, stderr)."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, timeout=300,
                          env={**os.environ, **(env or {})})
    if done.returncode != code:
        sys.exit(f"FAILED: exit code {done.returncode}, expected {code}: {' '.join(map(str, command))}\n"
                 f"{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def census():
    """(names of the columns, rows of texts), or None without the data."""
    for folder in [os.environ.get("MANYGATE_DATA"), ROOT / "data", ROOT.parent / "shared/data"]:
        files = sorted(pathlib.Path(folder or "/nowhere").glob("census-income/census-income.data*.gz"))
        if files:
            names = re.findall(r'input_fields { input_name: "(\w+)" }', CENSUS.read_text())
            with gzip.open(files[0], "rt") as lines:
                rows = [[value.strip() for value in next(lines).rstrip("\n").split(",")] for _ in range(ROWS)]
            return names, rows
    return None


def add_columns(names, rows):
    """The same with columns of other types; None: missing."""
    names = names + ["score", "flag", "joined", "tags"]
    start = datetime.date(2019, 12, 25)
    added = []
    for i, row in enumerate(rows):
        added.append(row + [None if i % 11 == 0 else (i * 7919 % 1000) / 7,
                            None if i % 13 == 0 else i % 3 == 0,
                            None if i % 17 == 0 else start + datetime.timedelta(days=i * 31 % 700),
                            None if i % 19 == 0 else [f"t{k}" for k in range(i % 4)]])
    return names, added


def text(value):
    """As it stands in a CSV file."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return "\x1d".join(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def write_csv(path, names, rows):
    lines = [",".join(names)] + [",".join(text(value) for value in row) for row in rows]
    assert not any('"' in line for line in lines)
    path.write_text("\n".join(lines) + "\n")


def table_of(names, rows, change=None):
    """A pyarrow table; change: {column: type} instead of int64 and string."""
    import pyarrow as pa
    types = {"score": pa.float64(), "flag": pa.bool_(), "joined": pa.date32(), "tags": pa.list_(pa.string())}
    types.update({name: pa.int64() for name in NUMBERS})
    columns = []
    for i, name in enumerate(names):
        values = [row[i] for row in rows]
        if name in NUMBERS:
            values = [int(value) for value in values]
        array = pa.array(values, types.get(name, pa.string()))
        kind = (change or {}).get(name)
        columns.append(array.cast(kind) if kind is not None else array)
    return pa.table(dict(zip(names, columns)))


def cache_columns(folder):
    """The bytes behind the descriptions of all caches (manygate/data/cache.h)."""
    parts = []
    for path in sorted((folder / "cache").glob("*.mgcache")):
        content = path.read_bytes()
        description = struct.unpack_from("<Q", content, 24)[0]
        parts.append(content[(64 + description + 63) // 64 * 64:])
    return parts


class Trained:
    """The caches and the weights of a training on `data`."""

    def __init__(self, program, folder, name, data, settings, env=None):
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "c.config").write_text(CONFIG.replace("DATA", settings))
        self.notes = run([program, "train", "c.config", "--data", data, "--model_dir", "model"], self.folder, env=env)[1]
        self.weights = (self.folder / "model/weights.safetensors").read_bytes()
        self.caches = cache_columns(self.folder)

    def check_equal(self, other, what):
        check(len(self.caches) == len(other.caches) > 0 and self.caches == other.caches, f"{what}: equal caches")
        check(self.weights == other.weights, f"{what}: equal weights")


def check_parquet(program, folder):
    import pyarrow as pa
    import pyarrow.parquet as pq
    found = census()
    if found is None:
        skip("no census-income under $MANYGATE_DATA or ../shared/data")
    names, rows = add_columns(*found)
    write_csv(folder / "rows.csv", names, rows)
    reference = Trained(program, folder, "csv", folder / "rows.csv", CSV)

    table = table_of(names, rows)
    pq.write_table(table, folder / "plain.parquet", use_dictionary=False, compression="zstd")
    Trained(program, folder, "plain", folder / "plain.parquet", PARQUET).check_equal(reference, "plain")
    pq.write_table(table, folder / "groups.parquet", row_group_size=1700)
    Trained(program, folder, "groups", folder / "groups.parquet", PARQUET).check_equal(reference, "row groups")
    change = {name: pa.dictionary(pa.int8() if name == "sex" else pa.int32(), pa.string())
              for name in ["education", "sex", "class_worker"]}
    change.update({"age": pa.uint8(), "det_occ_code": pa.int16(), "state_prev_res": pa.large_string(),
                   "tags": pa.large_list(pa.large_string()), "joined": pa.date64(), "income_50k": pa.binary()})
    pq.write_table(table_of(names, rows, change), folder / "types.parquet", row_group_size=7000)
    Trained(program, folder, "types", folder / "types.parquet", PARQUET).check_equal(reference, "other types")
    (folder / "many").mkdir()
    for part in range(5):
        pq.write_table(table.slice(part * 4000, 4000), folder / f"many/part-{part}.parquet")
    Trained(program, folder, "several", f"{folder}/many/", PARQUET).check_equal(reference, "several files")
    Trained(program, folder, "glob", f"{folder}/many/*.parquet", PARQUET).check_equal(reference, "glob")
    check_partitions(program, folder, names, rows)
    check_verbs(program, folder, len(names))


def check_partitions(program, folder, names, rows):
    import pyarrow.parquet as pq
    at = names.index("sex")
    in_order = []
    for value in ["Female", "Male"]:
        part = [row for row in rows if row[at] == value]
        in_order += part
        below = folder / f"partitions/sex={value}"
        below.mkdir(parents=True)
        pq.write_table(table_of(names, part).drop_columns(["sex"]), below / "part-0.parquet")
    (folder / "partitions/_SUCCESS").write_text("")
    write_csv(folder / "sorted.csv", names, in_order)
    reference = Trained(program, folder, "sorted", folder / "sorted.csv", CSV)
    Trained(program, folder, "partitioned", folder / "partitions", PARQUET).check_equal(reference, "partition folders")


def check_verbs(program, folder, columns):
    """init, train --data, inspect, check, predict."""
    run([program, "init", "many", "--label", "income_50k", "--label", "marital_stat"], folder)
    config = (folder / "many.config").read_text()
    check("dataset_type: ParquetDataset" in config and "delimiter" not in config and "input_fields" not in config,
          "init writes the format")
    run([program, "train", "many.config", "--set", "train_config.num_epochs=1"], folder)
    data = ["--data", "types.parquet", "--label", "income_50k"]
    notes = run([program, "train", *data, "--set", "train_config.num_epochs=1", "--model_dir", "out/direct"], folder)[1]
    check("columns of Parquet" in notes, "train --data says what it reads")
    out = run([program, "inspect", "partitions"], folder)[0]
    check(f"partitions: 20,000 rows, {columns} columns of Parquet" in out and "\nsex " in out, "inspect a folder")
    run([program, "predict", "out/direct", "--data", "many/part-1.parquet", "--output", "p.csv", "--keep", "joined"],
        folder)
    lines = (folder / "p.csv").read_text().splitlines()
    check(len(lines) == 4001 and lines[0].startswith("joined,probs_"), "predict reads Parquet")
    check(re.match(r"2\d\d\d-\d\d-\d\d,0\.", lines[2]), "dates are texts")


def check_program(program):
    out = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    check("NEEDED" in out and not re.search("arrow|parquet", out), "the program does not depend on Arrow")


def expect(program, folder, command, *texts, env=None):
    err = run([program, *command.split()], folder, code=2, env=env)[1]
    for piece in texts:
        check(piece in err, f"{command}: {piece}" if piece in err else f"{command}: expected {piece!r} in\n{err}")


def check_errors(program, folder):
    import pyarrow as pa
    import pyarrow.parquet as pq
    n = 3000
    good = pa.table({"id": [f"v{i % 50}" for i in range(n)], "price": [i * 0.5 for i in range(n)],
                     "click": [i % 2 for i in range(n)], "inner": [{"a": i} for i in range(n)]})
    pq.write_table(good, folder / "good.parquet", row_group_size=1000, use_dictionary=False, compression="none",
                   write_page_checksum=True)
    (folder / "c.config").write_text("""
data_config { dataset_type: ParquetDataset cache_dir: "off" }
feature_configs { id_feature { feature_name: "id" one_hot: true } }
feature_configs { raw_feature { feature_name: "price" } }
train_config { num_epochs: 1 }
model_config { shared_bottom { bottom_mlp { hidden_units: 4 } task_towers { label_name: "click" } } }
""")
    train = "train c.config --model_dir out --data "
    run([program, *train.split(), "good.parquet"], folder)
    for name in ["empty", "short"]:
        (folder / f"{name}.parquet").write_bytes((folder / "good.parquet").read_bytes()[:0 if name == "empty" else 5000])
    (folder / "text.parquet").write_text("id,price,click\nv,1,0\n")
    expect(program, folder, train + "empty.parquet", "empty.parquet: is empty")
    expect(program, folder, train + "short.parquet", "short.parquet: was cut off: after 5000 bytes")
    expect(program, folder, train + "text.parquet", "text.parquet: is not a Parquet file")
    expect(program, folder, "train --label click --data short.parquet", "short.parquet: was cut off")
    content = bytearray((folder / "good.parquet").read_bytes())
    content[len(content) // 2] ^= 0x55
    (folder / "flipped.parquet").write_bytes(content)
    expect(program, folder, train + "flipped.parquet", "flipped.parquet: row group 2 of 3 is damaged")
    content = bytearray((folder / "good.parquet").read_bytes())
    footer = len(content) - 8 - struct.unpack_from("<I", content, len(content) - 8)[0]
    content[footer:footer + 64] = b"\xff" * 64
    (folder / "footer.parquet").write_bytes(content)
    expect(program, folder, train + "footer.parquet", "footer.parquet: ")
    pq.write_table(good.slice(0, 0), folder / "none.parquet")
    expect(program, folder, train + "none.parquet", "none.parquet: has no rows")

    pq.write_table(good.drop_columns(["price"]), folder / "less.parquet")
    expect(program, folder, train + "less.parquet", "\"price\" is not a column of less.parquet")
    expect(program, folder, train + "good.parquet,less.parquet",
           "less.parquet: has no column \"price\", which good.parquet has")
    prices = pa.array([f"{i}" if i != 2345 else "cheap" for i in range(n)])
    pq.write_table(good.set_column(1, "price", prices), folder / "words.parquet", row_group_size=1000)
    expect(program, folder, train + "words.parquet", "words.parquet: row 2346 (price): found \"cheap\", expected a number")
    expect(program, folder, train + "good.parquet,words.parquet",
           "words.parquet: column \"price\" holds values of type text, expected double as in good.parquet")
    days = pa.array([datetime.date(2024, 1, 1)] * n)
    pq.write_table(good.set_column(1, "price", days), folder / "days.parquet")
    expect(program, folder, train + "days.parquet",
           "days.parquet: column \"price\" holds values of type date, expected numbers")
    config = (folder / "c.config").read_text().replace('"id"', '"inner"')
    (folder / "inner.config").write_text(config)
    expect(program, folder, "train inner.config --model_dir out --data good.parquet",
           "good.parquet: column \"inner\" holds values of type struct, which cannot be read")
    run([program, "init", "good.parquet", "--label", "click"], folder)
    check("inner" not in (folder / "good.config").read_text(), "init passes over what cannot be read")
    expect(program, folder, "init good.parquet --label clack --force", "clack", "click")
    expect(program, folder, "init good.parquet --label click --columns a,b --force", "--columns is for text")
    for key, name in [("day", "a"), ("date", "b")]:
        (folder / f"keys/{key}=1").mkdir(parents=True)
        pq.write_table(good, folder / f"keys/{key}=1/{name}.parquet")
    expect(program, folder, train + "keys", "give it columns day, expected date")
    expect(program, folder, train + "absent.parquet", "absent.parquet: no such file", "Did you mean")

    expect(program, folder, train + "good.parquet", "the columnar plug-in cannot be loaded", "pip install pyarrow",
           "/nonexistent: no such file", env={"MANYGATE_COLUMNAR": "/nonexistent"})
    expect(program, folder, train + "good.parquet", "the columnar plug-in cannot be loaded", "c.config",
           env={"MANYGATE_COLUMNAR": str(folder / "c.config")})
    check_program(program)


class Server:
    """A local S3 server."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(folder / "server.log", "w")
        self.process = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
                                        stdout=self.log, stderr=self.log)

    def __enter__(self):
        import boto3
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "AWS_PROFILE"]:
            os.environ.pop(name, None)
        os.environ.update({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true",
                           "AWS_DEFAULT_REGION": "us-east-1"})
        self.client = boto3.client("s3", endpoint_url=self.url)
        for _ in range(120):
            try:
                self.client.create_bucket(Bucket="rows")
                return self
            except Exception:  # not up yet
                time.sleep(0.5)
        sys.exit("FAILED: the S3 server does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def put(self, key, path):
        self.client.upload_file(str(path), "rows", key)


def check_s3(program, folder):
    import pyarrow.parquet as pq
    found = census()
    if found is None:
        skip("no census-income under $MANYGATE_DATA or ../shared/data")
    names, rows = add_columns(*found)
    rows = rows[:4000]
    write_csv(folder / "rows.csv", names, rows)
    table = table_of(names, rows)
    pq.write_table(table, folder / "rows.parquet", row_group_size=1000)
    (folder / "rows.csv.gz").write_bytes(gzip.compress((folder / "rows.csv").read_bytes()))
    reference = Trained(program, folder, "local", folder / "rows.csv", CSV)
    with Server(folder) as server:
        env = {"AWS_ENDPOINT_URL": server.url}
        for name in ["rows.csv", "rows.csv.gz", "rows.parquet"]:
            server.put("one folder/" + name if name == "rows.csv.gz" else name, folder / name)
        for part in range(4):
            pq.write_table(table.slice(part * 1000, 1000), folder / f"part-{part}.parquet")
            server.put(f"many/day={part // 2}/part-{part}.parquet", folder / f"part-{part}.parquet")
        server.put("many/_SUCCESS", folder / "rows.csv")
        trained = {}
        for name, path, settings in [("csv", "rows.csv", CSV), ("gz", "one folder/rows.csv.gz", CSV),
                                     ("parquet", "rows.parquet", PARQUET), ("folder", "many/", PARQUET),
                                     ("glob", "many/day=*/part-*.parquet", PARQUET)]:
            escaped = path.replace(" ", "%20")
            trained[name] = Trained(program, folder, "s3_" + name, "s3://rows/" + escaped, settings, env=env)
            trained[name].check_equal(reference, f"s3 {name}")
        options = f"?endpoint_override=127.0.0.1:{server.port}&scheme=http"
        for path in ["rows.parquet", "many"]:
            Trained(program, folder, "query_" + path, f"s3://rows/{path}{options}", PARQUET).check_equal(
                reference, f"endpoint in the query, {path}")
        check_cache(program, folder / "s3_parquet", server, folder, env)
        out = run([program, "inspect", "s3://rows/many/"], folder, env=env)[0]
        check(f"4,000 rows, {len(names) + 1} columns of Parquet" in out, "inspect a folder of S3")
        run([program, "init", "s3://rows/rows.csv", "--label", "income_50k"], folder, env=env)
        check((folder / "rows.config").exists(), "init from S3")
        expect(program, folder, "inspect s3://rows/rowz.csv", "s3://rows/rowz.csv: no such file", env=env)
        expect(program, folder, "inspect s3://rows/many/day=1/x*", "no file matches this pattern", env=env)


def check_cache(program, trained, server, folder, env):
    """The cache is used while the file there is the same, and made anew after it has changed."""
    command = [program, "train", "c.config", "--data", "s3://rows/rows.parquet", "--model_dir"]
    before = {path: path.stat().st_mtime_ns for path in (trained / "cache").glob("*")}
    run([*command, "again"], trained, env=env)
    check(before == {path: path.stat().st_mtime_ns for path in (trained / "cache").glob("*")}, "the cache is used")
    check((trained / "again/weights.safetensors").read_bytes() == (trained / "model/weights.safetensors").read_bytes(),
          "and gives the same weights")
    time.sleep(1.1)  # S3 counts seconds
    server.put("rows.parquet", folder / "rows.parquet")
    run([*command, "anew"], trained, env=env)
    check(before != {path: path.stat().st_mtime_ns for path in (trained / "cache").glob("*")},
          "the cache of a changed file is made anew")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tests = {"parquet": check_parquet, "errors": check_errors, "s3": check_s3}
    parser.add_argument("test", choices=tests)
    parser.add_argument("--program", required=True)
    args = parser.parse_args()
    program = pathlib.Path(args.program).resolve()
    try:
        import pyarrow.parquet  # noqa: F401
        if args.test == "s3":
            import boto3  # noqa: F401
            import moto.server  # noqa: F401
    except ImportError as error:
        skip(f"{error}; scripts/requirements-formats.txt lists what is needed")
    if not (program.parent / "libmanygate_columnar.so").exists():
        skip(f"no libmanygate_columnar.so beside {program}: it was built without pyarrow")
    with tempfile.TemporaryDirectory() as folder:
        tests[args.test](program, pathlib.Path(folder))


if __name__ == "__main__":
    main()
