// node 18 and newer have fetch, which Emscripten 3.1.6 then uses for the wasm file and fails.
if (typeof process === 'object' && process.versions && process.versions.node) globalThis.fetch = undefined;
// Emscripten gives a program an environment of its own.
Module.preRun = Module.preRun || [];
Module.preRun.push(() => {
  if (typeof process === 'object' && process.env.DALEA_DIGITS && typeof ENV === 'object')
    ENV.DALEA_DIGITS = process.env.DALEA_DIGITS;
});
