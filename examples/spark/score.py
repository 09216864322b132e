# SPDX-License-Identifier: Apache-2.0
"""A Spark job: a CSV becomes Parquet, a model is trained on it (or is given), all rows are scored to Parquet.

Example:
  manygate generate funnel --rows 200000 --seed 1 --output funnel.csv
  python3 score.py --data funnel.csv --label click --label purchase --label amount:amount --work out/spark
  python3 score.py --data out/spark/rows.parquet --model_dir out/spark/model --work out/again --keep user_id

Leaves in the folder --work: rows.parquet, model (unless --model_dir), scores.parquet. Run by spark-submit it takes that
command's master and settings; paths must then be ones that all machines see. Needs manygate, pyspark and pyarrow.
"""

import argparse
import os
import sys
import time


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="rows: CSV with a line of names, or Parquet (.parquet)")
    parser.add_argument("--label", action="append", help="a column to predict, NAME[:KIND]; may be repeated")
    parser.add_argument("--model_dir", help="score with this model instead of training one")
    parser.add_argument("--work", required=True, help="folder for what is made")
    parser.add_argument(
        "--keep", action="append", help="a column to repeat beside the scores; may be repeated (default: all)"
    )
    parser.add_argument("--master", default="local[*]", help="where to run without spark-submit (default: local[*])")
    flags = parser.parse_args()
    if (flags.label is None) == (flags.model_dir is None):
        parser.error("give either --label, to train, or --model_dir")
    return flags


def session(master):
    """The session of spark-submit, or one of its own. Driver and workers must run the same Python."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("manygate-score")
    if "SPARK_ENV_LOADED" not in os.environ:  # not by spark-submit
        builder = builder.master(master).config("spark.ui.enabled", "false")
        if master.startswith("local"):
            builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    return builder.getOrCreate()


def prepare(spark, data, rows):
    """Parquet with typed columns; an empty cell is null."""
    if data.rstrip("/").endswith(".parquet"):
        return data
    spark.read.csv(data, header=True, inferSchema=True).write.mode("overwrite").parquet(rows)
    return rows


def main():
    flags = parse()
    import manygate
    import manygate.spark

    spark = session(flags.master)
    rows = prepare(spark, flags.data, os.path.join(flags.work, "rows.parquet"))
    model_dir = flags.model_dir
    if model_dir is None:
        model_dir = os.path.join(flags.work, "model")
        print(manygate.train(rows, flags.label, model_dir=model_dir, progress=False).evaluate())
    scores = os.path.join(flags.work, "scores.parquet")
    start = time.monotonic()
    scored = manygate.spark.predict(spark.read.parquet(rows), model_dir, keep=flags.keep)
    scored.write.mode("overwrite").parquet(scores)
    written = spark.read.parquet(scores)
    print(
        f"{scores}: {written.count():,} rows in {time.monotonic() - start:.1f} s, columns {', '.join(written.columns)}"
    )
    spark.stop()


if __name__ == "__main__":
    main()
