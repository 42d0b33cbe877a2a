// Starts the page. It is a file because the Content-Security-Policy of index.html allows no inline script.
import init from "./app.js";

// Web workers are going to ask for their part of the program; then the browser has it already.
const fetchAhead = async () => {
  for (const { content } of document.querySelectorAll("meta[name=compute-part]")) {
    await fetch(content, { priority: "low" }).then((response) => response.arrayBuffer(), () => {});
  }
};

// Keeps the page for a visit without a network; browsers have it on safe addresses only.
const keepForLater = () => navigator.serviceWorker?.register("./service_worker.js").catch(() => {});

init().then(fetchAhead).then(keepForLater, (error) => {
  const message = document.createElement("p");
  message.setAttribute("role", "alert");
  message.textContent =
    `This page could not start: ${error.message ?? error}. ` +
    "It needs a browser of 2023 or later, with WebAssembly and its SIMD instructions.";
  document.body.append(message);
  throw error;
});
