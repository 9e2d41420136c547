// Serves the page on loopback with the headers it wants: node web/serve.js FOLDER [--port N] [--no-isolation]
'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');

const types = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm', '.json': 'application/json', '.gz': 'application/gzip',
};
const policy = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "worker-src 'self' blob:", "connect-src 'self'",
  "style-src 'self'", "img-src 'self' data: blob:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

function serve(folders, {port = 0, isolation = true} = {}) {
  const roots = folders.map((f) => path.resolve(f));
  const server = http.createServer((request, response) => {
    const refuse = (code, text) => {
      response.writeHead(code, {'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff'});
      response.end(`${text}\n`);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, 'only GET');
    let name;
    try {
      name = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    } catch {
      return refuse(400, 'not an address');
    }
    if (name.endsWith('/')) name += 'index.html';
    const candidates = roots.map((root) => path.join(root, name)).filter((f, k) => f.startsWith(roots[k] + path.sep));
    const file = candidates.find((f) => { try { return fs.statSync(f).isFile(); } catch { return false; } });
    if (!file) return refuse(404, 'not found');
    const headers = {
      'Content-Type': types[path.extname(file)] || 'application/octet-stream',
      'Content-Length': fs.statSync(file).size,
      'Content-Security-Policy': policy,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-cache',
    };
    if (isolation) {
      headers['Cross-Origin-Opener-Policy'] = 'same-origin';
      headers['Cross-Origin-Embedder-Policy'] = 'require-corp';
      headers['Cross-Origin-Resource-Policy'] = 'same-origin';
    }
    response.writeHead(200, headers);
    if (request.method === 'HEAD') return response.end();
    const stream = fs.createReadStream(file);
    stream.on('error', () => response.destroy());
    stream.pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

module.exports = {serve};

if (require.main === module) {
  const folders = [];
  let port = 8080, isolation = true;
  for (let k = 2; k < process.argv.length; ++k) {
    if (process.argv[k] === '--no-isolation') isolation = false;
    else if (process.argv[k] === '--port') port = Number(process.argv[++k]);
    else folders.push(process.argv[k]);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    console.error('serve: --port needs a number from 0 to 65535');
    process.exit(2);
  }
  const announce = (server) => console.log(`Dalea is at http://127.0.0.1:${server.address().port}/  (Ctrl-C stops)`);
  serve(folders, {port, isolation}).then(announce, (e) => {
    if (e.code !== 'EADDRINUSE') { console.error(`serve: ${e.message}`); process.exit(1); }
    serve(folders, {port: 0, isolation}).then(announce, (f) => { console.error(`serve: ${f.message}`); process.exit(1); });
  });
}
