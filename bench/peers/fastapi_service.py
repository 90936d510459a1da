"""The same main job as a small service in Python: FastAPI, Pillow, onnxruntime, faiss HNSW.

    python fastapi_service.py '<setup as JSON>'    prints "ready: <url>" and serves until SIGTERM

One uvicorn process (uvloop, httptools): each process more would hold the vectors and the graph once more. The endpoint is a
plain function, so that requests run in FastAPI's threads; decoding, encoder and search let go of the interpreter's lock.
`?size=` is the side of the encoder's input, `?threads=` how many threads the encoder has. /neighbours finds rows of a vector with
another breadth, to find the breadth for a recall.
"""
import io
import json
import os
import socket
import sys
import threading

import faiss
import numpy
import onnxruntime
import uvicorn
from fastapi import Body, FastAPI, UploadFile
from PIL import Image, ImageOps

setup = json.loads(sys.argv[1])
d = setup["dimension"]
MEAN = numpy.array(setup["mean"], dtype=numpy.float32)
STD = numpy.array(setup["std"], dtype=numpy.float32)
K, VOTE_K = 10, 200

faiss.omp_set_num_threads(os.cpu_count())
path = os.path.join(setup["cache"], f"faiss-{setup['rows']}.index")
if os.path.exists(path):
    index = faiss.read_index(path)
else:
    index = faiss.IndexHNSWFlat(d, 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 200
    index.add(numpy.fromfile(setup["vectors"], dtype=numpy.float32, count=setup["rows"] * d).reshape(-1, d))
    faiss.write_index(index, path)
index.hnsw.efSearch = setup["ef"]["faiss"]
faiss.omp_set_num_threads(1)  # a search of one query uses one; more of them would wait for nothing
labels = numpy.arange(setup["rows"]) % 10
names = [f"class {i}" for i in range(10)]

sessions = {}
opening = threading.Lock()


def session_of(threads):
    with opening:
        if threads not in sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            options.log_severity_level = 3
            sessions[threads] = onnxruntime.InferenceSession(setup["onnx"], options, providers=["CPUExecutionProvider"])
        return sessions[threads]


def embed(data, size, threads):
    with Image.open(io.BytesIO(data)) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    fitted = ImageOps.fit(upright, (size, size), Image.Resampling.BICUBIC)
    pixels = (numpy.asarray(fitted, dtype=numpy.float32) / 255 - MEAN) / STD
    tensor = numpy.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
    (vector,) = session_of(threads).run([setup["output"]["name"]], {setup["input"]["name"]: tensor})
    return vector / numpy.linalg.norm(vector)


app = FastAPI()


@app.post("/v1/search")
def search(image: UploadFile, size: int, threads: int):
    scores, rows = index.search(embed(image.file.read(), size, threads), VOTE_K)
    scores, rows = scores[0], rows[0]
    weights = numpy.exp((scores - scores[0]) / setup["temperature"])
    shares = weights / weights.sum()
    whole = numpy.bincount(labels[rows], weights=shares, minlength=len(names))
    return {
        "labels": [
            {"label": names[i], "share": float(whole[i])} for i in numpy.argsort(-whole) if whole[i] > 0
        ],
        "neighbours": [
            {"id": f"{row:08d}", "label": names[labels[row]], "score": float(score), "share": float(share)}
            for row, score, share in zip(rows[:K].tolist(), scores, shares)
        ],
    }


@app.post("/neighbours")
def neighbours(vector: list[float] = Body(), ef: int = VOTE_K):
    index.hnsw.efSearch = ef
    return index.search(numpy.array([vector], dtype=numpy.float32), VOTE_K)[1][0].tolist()


listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen()  # a client that is quicker than uvicorn's start waits instead of being refused
config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False)
server = uvicorn.Server(config)


@app.get("/versions")
def versions():
    import fastapi
    import PIL

    return {
        "python": sys.version.split()[0],
        "fastapi": fastapi.__version__,
        "uvicorn": uvicorn.__version__,
        "pillow": PIL.__version__,
        "onnxruntime": onnxruntime.__version__,
        "faiss": faiss.__version__,
    }


print(f"ready: http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
server.run(sockets=[listening])
