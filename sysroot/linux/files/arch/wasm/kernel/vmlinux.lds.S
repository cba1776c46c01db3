/* wasm-ld has no linker scripts: see sections.h. */
