# SPDX-License-Identifier: MIT OR Apache-2.0
"""Runs a WASI program with wasmtime's package for Python; with --compile only makes native code of it,
in the second file, which is what it runs, and prints how many seconds that took."""

import sys
import time

from wasmtime import Config, Engine, ExitTrap, Linker, Module, Store, WasiConfig

config = Config()
config.cranelift_opt_level = "speed"
engine = Engine(config)
if sys.argv[1] == "--compile":
    with open(sys.argv[2], "rb") as source, open(sys.argv[3], "wb") as to:
        wasm = source.read()
        started = time.monotonic()
        native = Module(engine, wasm).serialize()
        print(time.monotonic() - started)
        to.write(native)
    sys.exit()
store = Store(engine)
wasi = WasiConfig()
wasi.inherit_stdout()
wasi.inherit_stderr()
store.set_wasi(wasi)
linker = Linker(engine)
linker.define_wasi()
instance = linker.instantiate(store, Module.deserialize_file(engine, sys.argv[1]))
try:
    instance.exports(store)["_start"](store)
except ExitTrap as trap:
    sys.exit(trap.code)
