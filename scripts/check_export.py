"""Checks an exported encoder and its bank with Python's own tools; started by check-export.mjs.

Prints one line a check and ends with 1 when any of them fails, whatever the reason.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import safetensors
from safetensors import safe_open

TOLERANCE = 1e-5


class Wrong(Exception):
    """A check does not hold; the message says what was found."""


def demand(holds, found):
    """Ends the check unless it holds; returns what was found, for its line."""
    if not holds:
        raise Wrong(found)
    return found


def within(difference, what):
    found = f"{what}: {difference:.1e}, allowed {TOLERANCE:.0e}"
    return demand(difference <= TOLERANCE, found)  # false for NaN


def longest_error(rows):
    """How far the lengths of the rows (n x d) are from 1, at most."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1)
    return float(np.abs(lengths - 1).max())


def same_hash(path, expected):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return demand(digest == expected, f"{path.name} {digest[:12]}…, in the manifest {expected[:12]}…")


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def read_floats(path, *shape):
    return np.fromfile(path, dtype="<f4").reshape(shape)


class Model:
    """The encoder; `inputs` n x 3 x h x w and `expected` n x d come from the Node side."""

    def __init__(self, folder, inputs, expected):
        self.path = folder / "encoder.onnx"
        self.manifest = read_json(folder / "manifest.json")
        size = self.manifest["input"]
        self.inputs = read_floats(inputs, -1, 3, size["height"], size["width"])
        self.expected = read_floats(expected, -1, self.manifest["dimension"])

    def embed(self, images):
        session = onnxruntime.InferenceSession(self.path, providers=["CPUExecutionProvider"])
        names = self.manifest["output"]["name"], self.manifest["input"]["name"]
        return session.run([names[0]], {names[1]: images})[0]

    def hash(self):
        return same_hash(self.path, self.manifest["sha256"])

    def checker(self):
        model = onnx.load(self.path)
        onnx.checker.check_model(model, full_check=True)
        opsets = ", ".join(f"{entry.domain or 'ai.onnx'} {entry.version}" for entry in model.opset_import)
        return f"IR {model.ir_version}, opset {opsets}, {len(model.graph.node)} nodes"

    def weights(self):
        types = {tensor.data_type for tensor in onnx.load(self.path).graph.initializer}
        allowed = {onnx.TensorProto.FLOAT, onnx.TensorProto.INT64}
        names = ", ".join(sorted(onnx.TensorProto.DataType.Name(kind) for kind in types))
        return demand(onnx.TensorProto.FLOAT in types and types <= allowed, names)

    def agreement(self):
        return within(np.abs(self.embed(self.inputs) - self.expected).max(), "largest difference of a number")

    def difference(self):
        cosines = self.expected @ self.expected.T - 2 * np.eye(len(self.expected))
        found = f"largest cosine of two inputs: {cosines.max():.6f}"
        return demand(cosines.max() < 0.99999, found)  # else the agreement would say little

    def batch(self):
        single = np.concatenate([self.embed(self.inputs[i : i + 1]) for i in range(len(self.inputs))])
        return within(np.abs(self.embed(self.inputs) - single).max(), "largest difference of a number")

    def length(self):
        return within(longest_error(self.embed(self.inputs)), "largest distance from 1")

    def checks(self):
        yield "encoder.onnx is the manifest's", self.hash
        yield "onnx.checker, full check", self.checker
        yield "weights are float32", self.weights
        yield f"onnxruntime in Python agrees with Node's ({len(self.inputs)} inputs)", self.agreement
        yield "the inputs have different embeddings", self.difference
        yield "a batch equals single inputs", self.batch
        yield "embeddings have unit length", self.length


class Bank:
    """The vectors and the items of `folder`, which `model` made."""

    def __init__(self, folder, model):
        self.folder = folder
        self.model = model
        self.manifest = read_json(folder / "manifest.json")

    def vectors(self):
        with safe_open(self.folder / "bank.safetensors", framework="numpy") as file:
            return file.get_tensor("vectors")

    def items(self):
        text = (self.folder / "items.ndjson").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n") if line]

    def hashes(self):
        return "; ".join(same_hash(self.folder / name, digest) for name, digest in self.manifest["files"].items())

    def parent(self):
        found, wanted = self.manifest["model_sha256"], self.model.manifest["sha256"]
        return demand(found == wanted, f"made by {found[:12]}…, the model is {wanted[:12]}…")

    def shape(self):
        vectors = self.vectors()
        wanted = (self.manifest["rows"], self.manifest["dimension"])
        found = f"{vectors.shape[0]} x {vectors.shape[1]} {vectors.dtype}, the manifest names {wanted[0]} x {wanted[1]}"
        return demand(vectors.shape == wanted and vectors.dtype == np.float32, found)

    def length(self):
        return within(longest_error(self.vectors()), "largest distance from 1")

    def rows(self):
        vectors, items = self.vectors(), self.items()
        ids = {item["id"] for item in items}
        found = f"{len(items)} items with {len(ids)} ids for {len(vectors)} vectors"
        return demand(len(items) == len(ids) == len(vectors), found)

    def checks(self):
        yield "the bank's files are the manifest's", self.hashes
        yield "the bank was made by this model", self.parent
        yield "bank.safetensors opens, shape and type", self.shape
        yield "the bank's rows have unit length", self.length
        yield "one item a row, ids distinct", self.rows


def holds(name, check):
    try:
        line = f"ok    {name}: {check()}"
    except Exception as error:  # a damaged file fails in any way its reader has
        line = f"FAIL  {name}: {str(error) or type(error).__name__}"
    print(line, flush=True)
    return line.startswith("ok")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("model", "bank", "inputs", "expected"):
        parser.add_argument(f"--{option}", type=Path, required=True)
    given = parser.parse_args()
    modules = (onnx, onnxruntime, safetensors, np)
    print("Python", sys.version.split()[0], *(f"{module.__name__} {module.__version__}" for module in modules))
    model = Model(given.model, given.inputs, given.expected)
    bank = Bank(given.bank, model)
    results = [holds(name, check) for name, check in (*model.checks(), *bank.checks())]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
