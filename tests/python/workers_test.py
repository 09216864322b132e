# SPDX-License-Identifier: Apache-2.0
"""Manygate in worker processes: forked, also in the middle of other threads' predictions, spawned, and joblib's.

    PYTHONPATH=build/release/python python3 tests/python/workers_test.py

Each worker predicts with the model it inherited or was sent, and trains; all scores must have the parent's bits. A worker that
hangs or dies fails the test.
"""

import faulthandler
import hashlib
import multiprocessing
import pathlib
import signal
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, skip, without
from imports_test import data

SECONDS = 60  # for any one answer
FORKS_UNDER_LOAD = 40

model = None  # what forked workers inherit


def train():
    import manygate

    return manygate.train(data(), ["click", "buy"], set={"train_config.num_epochs": 2}, seed=3, threads=2, progress=False)


def digest(of):
    predicted = of.predict(data(), threads=2)
    return hashlib.sha256(b"".join(predicted[key].tobytes() for key in sorted(predicted))).hexdigest()


def work(sent):
    """In a worker: (scores of the model that was sent or inherited, scores of one trained here)."""
    signal.alarm(SECONDS)  # a hang ends the worker, and the parent finds it gone
    return digest(sent if sent is not None else model), digest(train())


def in_pool(method, sent):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map_async(work, [sent] * 4, chunksize=1).get(timeout=2 * SECONDS)


def fork_under_load(expected):
    """Forks while threads of this process predict: whatever they hold at that moment, a child must not wait for it."""
    stop = threading.Event()

    def load():
        while not stop.is_set():
            model.predict(data(), threads=2)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    context = multiprocessing.get_context("fork")
    try:
        for _ in range(FORKS_UNDER_LOAD):
            receiver, sender = context.Pipe(duplex=False)
            child = context.Process(target=lambda: sender.send(digest(model)))
            child.start()
            answered = receiver.poll(SECONDS)
            if not answered:
                child.kill()
            child.join()
            if not answered or receiver.recv() != expected:
                return False
        return True
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def main():
    global model
    missing = without("numpy", "manygate")
    if missing:
        skip(f"{missing[0]} cannot be imported")
    faulthandler.enable()
    model = train()
    expected = digest(model)
    check(digest(train()) == expected, "the same training gives the same scores")
    right = [(expected, expected)] * 4
    check(in_pool("fork", None) == right, "forked workers predict with what they inherited, and train")
    check(in_pool("fork", model) == right, "forked workers predict with a model sent by pickle")
    check(in_pool("spawn", model) == right, "spawned workers do")
    check(fork_under_load(expected), f"{FORKS_UNDER_LOAD} forks while other threads predict")
    if without("joblib"):
        print("left out: joblib is not installed")
    else:
        import joblib

        answers = joblib.Parallel(n_jobs=2, timeout=2 * SECONDS)(joblib.delayed(work)(model) for _ in range(4))
        check(answers == right, "joblib's workers do")
        answers = joblib.Parallel(n_jobs=2, backend="threading")(joblib.delayed(digest)(model) for _ in range(4))
        check(answers == [expected] * 4, "joblib's threads do")
    check(digest(model) == expected, "the parent's model still does")


if __name__ == "__main__":
    main()
