// node 18 and newer have fetch, which Emscripten 3.1.6 then uses for the wasm file and fails.
if (typeof process === 'object' && process.versions && process.versions.node) globalThis.fetch = undefined;
