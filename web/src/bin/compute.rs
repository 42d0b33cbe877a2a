//! The page's web worker.
use wasm_bindgen::JsCast;

fn main() {
    let _scope: web_sys::DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
}
