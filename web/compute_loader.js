// Starts the web worker's wasm. (trunk's own loader calls wasm-bindgen in a form that is deprecated.)
importScripts("./compute.js");
wasm_bindgen({ module_or_path: "./compute_bg.wasm" });
