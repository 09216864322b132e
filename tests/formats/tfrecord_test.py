# SPDX-License-Identifier: Apache-2.0
"""The same rows as CSV, as TFRecord and as lists of fields train the same model, bit by bit.

    python3 tests/formats/tfrecord_test.py --program build/release/manygate

The first 20,000 rows of Census-Income, under $MANYGATE_DATA or ../shared/data; exit code 77 without. The TFRecord and its
tf.Examples are written here, byte by byte, so that TensorFlow is not needed.
"""
import argparse
import gzip
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import skip  # noqa: E402
ROWS = 20000
STEPS = 300


def crc_table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


CRC_TABLE = crc_table()


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(content):
    length = struct.pack("<Q", len(content))
    return length + struct.pack("<I", masked_crc(length)) + content + struct.pack("<I", masked_crc(content))


def varint(value):
    value &= 2**64 - 1
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def message(number, content):
    return varint(number * 8 + 2) + varint(len(content)) + content


def feature(value):
    """An Int64List or a BytesList of one value; of None an empty Feature."""
    if value is None:
        return b""
    if isinstance(value, int):
        return message(3, message(1, varint(value)))
    return message(1, message(1, value.encode()))


def example(row):
    return message(1, b"".join(message(1, message(1, name.encode()) + message(2, feature(value)))
                               for name, value in row.items()))


def census_rows():
    for folder in (os.environ.get("MANYGATE_DATA"), ROOT / "data", ROOT.parent / "shared" / "data"):
        found = sorted(pathlib.Path(folder, "census-income").glob("census-income.data*.gz")) if folder else []
        if found:
            with gzip.open(found[0], "rt", newline="\n") as lines:
                return [[value.strip() for value in line.rstrip("\r\n").split(",")] for line, _ in zip(lines, range(ROWS))]
    return None


def is_whole(text):
    return text.isdigit() and str(int(text)) == text


def write_files(rows, folder):
    """rows.csv, rows.tfrecord.gz, rows.lists: the label in front, then the others in another order in every row."""
    names = [f"c{i}" for i in range(len(rows[0]))]
    whole = [all(is_whole(row[i]) or row[i] == "?" for row in rows) for i in range(len(names))]
    (folder / "rows.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    with gzip.open(folder / "rows.tfrecord.gz", "wb", compresslevel=1) as out:
        for row in rows:
            values = {name: None if text == "?" else int(text) if number else text
                      for name, text, number in zip(names, row, whole)}
            out.write(record(example(values)))
    with open(folder / "rows.lists", "w") as out:
        for number, row in enumerate(rows):
            fields = [f"{name}:{text}" for name, text in zip(names[:-1], row) if text != "?"]
            turn = number % len(fields)
            out.write(",".join([row[-1]] + fields[turn:] + fields[:turn]) + "\n")
    return names


def run(program, folder, *args):
    done = subprocess.run([program, *args], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"manygate {' '.join(args)}: exit code {done.returncode}\n{done.stderr}")
    return done


def train(program, folder, name, *settings):
    config = ["--set", f"train_config.num_steps={STEPS}", "--set", 'data_config.cache_dir="off"', "--threads", "2"]
    for setting in settings:
        config += ["--set", setting]
    run(program, folder, "train", "rows.config", "--model_dir", name, *config)
    return (folder / name / "weights.safetensors").read_bytes()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    program = str(pathlib.Path(parser.parse_args().program).resolve())
    rows = census_rows()
    if rows is None:
        skip("no Census-Income under $MANYGATE_DATA or ../shared/data")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        names = write_files(rows, folder)
        label = names[-1]
        made = run(program, folder, "init", "rows.csv", "--columns", f"c0..{label}", "--label", label)
        assert f"{ROWS:,} rows, {len(names)} columns" in made.stderr, made.stderr
        expected = train(program, folder, "csv")
        records = train(program, folder, "records", "data_config.dataset_type=TFRecordDataset",
                        "train_input_path=rows.tfrecord.gz")
        assert records == expected, "TFRecord: other weights than from CSV"
        config = (folder / "rows.config").read_text()
        lists = "".join(line + "\n" for line in config.splitlines()
                        if "input_fields" not in line or f'"{label}"' in line)
        (folder / "rows.config").write_text(lists)
        fields = train(program, folder, "lists", "data_config.dataset_type=FieldListDataset", "train_input_path=rows.lists")
        assert fields == expected, "lists of fields: other weights than from CSV"
        inspected = run(program, folder, "inspect", "rows.tfrecord.gz").stdout
        assert f"{ROWS:,} rows, {len(names)} columns of TFRecord" in inspected, inspected
    print(f"{ROWS} rows, {STEPS} steps: equal weights from CSV, TFRecord and lists of fields")
    return 0


if __name__ == "__main__":
    sys.exit(main())
