"""Lets PyTorch's CUDA build be imported without CUDA: for a CPU benchmark 2.5 GB of libraries are not needed.

The dynamic linker wants every library that torch names and every symbol in them, although nothing calls them on a
CPU. So each missing library is made with gcc: all symbols that torch wants from any of them, each a function that
ends the program. Nothing that computes on the CPU is touched. Where nothing is missing, nothing is done.
"""

import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

LIBRARIES = ("libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch_python.so")
CUDA_SYMBOL = re.compile(r"\bU ((?:cublas|cudnn|cufft|cuFile|curand|cusparse|nccl)\w+)")


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def missing_libraries(folder):
    return sorted(set(re.findall(r"(\S+) => not found", run("ldd", folder / "libtorch_python.so"))))


def wanted_symbols(folder):
    lists = [run("nm", "-D", "--undefined-only", folder / name) for name in LIBRARIES]
    return sorted({symbol for text in lists for symbol in CUDA_SYMBOL.findall(text)})


def stand_in(folder, names):
    """Writes the libraries `names` (like libcublas.so.12) into `folder`, which torch searches first of all."""
    with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
        source.writelines(f"void {symbol}(void) {{ __builtin_trap(); }}\n" for symbol in wanted_symbols(folder))
        source.flush()
        for name in names:
            # The symbols' version is the library's name: that is how torch was linked.
            link = (f"-Wl,-soname,{name}", "-Wl,--default-symver")
            run("gcc", "-shared", "-w", *link, source.name, "-o", folder / name)


if __name__ == "__main__":
    libraries = Path(find_spec("torch").origin).parent / "lib"
    if sys.platform == "linux" and (libraries / "libtorch_cuda.so").exists():
        stand_in(libraries, missing_libraries(libraries))
