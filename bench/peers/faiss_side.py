"""faiss beside our indexes: flat inner product, sharded over threads for single queries, and its HNSW.

One JSON line a request. First {"vectors", "queries", "dimension", "rows", "threads", "hnsw"}; then
{"index": "flat" | "sharded" | "hnsw", "first", "n", "k", "ef"}: answers {"ms", "rows"}.
"""
import json
import sys
import time

import faiss
import numpy

setup = json.loads(sys.stdin.readline())
d = setup["dimension"]
vectors = numpy.fromfile(setup["vectors"], dtype=numpy.float32, count=setup["rows"] * d).reshape(-1, d)
queries = numpy.fromfile(setup["queries"], dtype=numpy.float32).reshape(-1, d)
threads = setup["threads"]
faiss.omp_set_num_threads(threads)
indexes = {}
build_ms = None
if setup.get("hnsw"):
    began = time.perf_counter()
    hnsw = faiss.IndexHNSWFlat(d, 16, faiss.METRIC_INNER_PRODUCT)
    hnsw.hnsw.efConstruction = 200
    hnsw.add(vectors)
    build_ms = (time.perf_counter() - began) * 1000
    indexes["hnsw"] = hnsw
else:
    flat = faiss.IndexFlatIP(d)
    flat.add(vectors)
    indexes["flat"] = flat
    # A single query uses one thread of a flat index; shards are how faiss uses more.
    sharded = faiss.IndexShards(d, True, True)
    size = -(-len(vectors) // threads)
    parts = []
    for i in range(threads):
        part = faiss.IndexFlatIP(d)
        part.add(vectors[i * size : (i + 1) * size])
        parts.append(part)
        sharded.add_shard(part)
    indexes["sharded"] = sharded
print(json.dumps({"version": faiss.__version__, "build_ms": build_ms}), flush=True)

for line in sys.stdin:
    ask = json.loads(line)
    index = indexes[ask["index"]]
    if "ef" in ask:
        index.hnsw.efSearch = ask["ef"]
    block = queries[ask["first"] : ask["first"] + ask["n"]]
    began = time.perf_counter()
    _, rows = index.search(block, ask["k"])
    ms = (time.perf_counter() - began) * 1000
    print(json.dumps({"ms": ms, "rows": rows.tolist()}), flush=True)
