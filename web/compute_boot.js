// Starts the program in a web worker.
//
// The page compiles app_bg.wasm once and posts the same `{module}`, a WebAssembly.Module, to every
// worker as its first message. From then on the wasm itself listens; it answers `Ready` when it does,
// and the page sends nothing before.
//
// What ends the wasm comes to the page as `{died: "reason"}`. Its futures trap inside promises, where
// the page's `worker.onerror` does not hear of it.
const died = (reason) => self.postMessage({ died: String(reason?.message ?? reason) });
self.addEventListener("error", (event) => died(event.message));
self.addEventListener("unhandledrejection", (event) => died(event.reason));

const program = import("./app.js");
const start = async ({ data }) => (await program).default({ module_or_path: data.module });
self.addEventListener("message", start, { once: true });
