// Keeps the page for when there is no network, and never an old one for when there is.
//
// The page's files have hashes in their names: what is kept under a name is what was built, and is
// taken from here. The page itself, which names them, and the demo run come from the network as long
// as that answers. A new build has another list, so the browser installs this file anew; it takes over
// when no tab shows the old build any more.
//
// `cargo xtask build` writes the list of files.
const FILES = [];
const PREFIX = "ckptscope-";
const NAME = PREFIX + FILES.join().split("").reduce((hash, letter) => (hash * 31 + letter.charCodeAt()) | 0, 0);

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(["./", ...FILES])));
});

self.addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith(PREFIX) && name !== NAME;
  const drop = (names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name)));
  event.waitUntil(caches.keys().then(drop));
});

// A worker's answers vary with who asks; the files with hashes in their names do not.
const kept = async (request) => (await caches.open(NAME)).match(request, { ignoreVary: true });

const fromNetwork = async (request, name) => {
  try {
    const response = await fetch(request);
    if (response.status === 200 && name !== "") {
      await (await caches.open(NAME)).put(request, response.clone());
    }
    return response;
  } catch (error) {
    const found = await kept(name === "" ? "./" : request);
    if (found) return found;
    throw error;
  }
};

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const folder = new URL("./", self.location).href;
  const address = request.url.split(/[?#]/)[0];
  // What a worker serves beside the page, and what others have, is not this file's business.
  if (request.method !== "GET" || !address.startsWith(folder)) return;
  const name = address.slice(folder.length).replace(/^index\.html$/, "");
  if (FILES.includes(name)) {
    event.respondWith(kept(request).then((found) => found ?? fetch(request)));
  } else if (name === "" || (name.startsWith("demo/") && !request.headers.has("range"))) {
    event.respondWith(fromNetwork(request, name));
  }
});
