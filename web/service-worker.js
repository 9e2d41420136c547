// Keeps the page for use without a network, and adds the headers that threads need where the host does not send them.
// web/assemble.js writes the first two lines' values at build time; another build is another worker, with its own cache.
'use strict';
const build = '@BUILD@';
const files = ['@FILES@'];  // everything the site has, as the page asks for it
const shell = ['./', `page.js?v=${build}`, `page.css?v=${build}`];
const cacheName = `dalea-${build}`;

self.addEventListener('install', (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(cacheName);
    await cache.addAll(shell.map((file) => new Request(file, {cache: 'reload'})));
    await self.skipWaiting();
  })());
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys())
      if (name.startsWith('dalea-') && name !== cacheName) await caches.delete(name);
    await self.clients.claim();
  })());
});

// The page names what it runs on, once it runs: only that is kept, of the two builds.
self.addEventListener('message', (event) => {
  const wanted = event.data && Array.isArray(event.data.keep) ? event.data.keep : [];
  event.waitUntil((async () => {
    const cache = await caches.open(cacheName);
    for (const file of wanted)
      if (files.includes(file) && !(await cache.match(file))) await cache.add(file).catch(() => { /* at the next visit */ });
  })());
});

function isolated(response) {
  if (response.type === 'opaque' || response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  const empty = [204, 205, 304].includes(response.status);
  return new Response(empty ? null : response.body, {status: response.status, statusText: response.statusText, headers});
}

async function answer(request, name) {
  const cache = await caches.open(cacheName);
  const page = request.mode === 'navigate';
  const key = page ? './' : name;
  // A file of this build never changes; the page itself is asked for anew, so that a new build is seen.
  if (!page && files.includes(name)) {
    const kept = await cache.match(key);
    if (kept) return isolated(kept);
  }
  try {
    const response = await fetch(request);
    if (response.ok && !page && files.includes(name)) await cache.put(key, response.clone());
    return isolated(response);
  } catch (e) {
    const kept = await cache.match(key);
    if (kept) return isolated(kept);
    throw e;
  }
}

self.addEventListener('fetch', (event) => {
  const scope = new URL(self.registration.scope), url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return;
  if (event.request.headers.has('range')) return;
  const name = url.pathname.slice(scope.pathname.length) + url.search;
  // Only this page's own: another one in the same folder is none of our business.
  const ours = event.request.mode === 'navigate' ? ['', 'index.html'].includes(url.pathname.slice(scope.pathname.length)) : files.includes(name);
  if (ours) event.respondWith(answer(event.request, name));
});
