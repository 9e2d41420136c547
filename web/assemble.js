// One folder that any static host can serve: node web/assemble.js OUT SITE... Copies the sites that are there into OUT,
// names the build in the page and in its service worker, and removes what an earlier one left.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const [out, ...given] = process.argv.slice(2);
const sites = given.filter((s) => fs.existsSync(path.join(s, 'index.html')));
if (!out || sites.length === 0) {
  console.error('assemble: needs OUT and the folder of at least one built site');
  process.exit(2);
}

const found = new Map();  // name in the site -> file
function walk(site, folder) {
  for (const entry of fs.readdirSync(path.join(site, folder), {withFileTypes: true})) {
    const name = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isDirectory()) walk(site, name);
    else if (!found.has(name)) found.set(name, path.join(site, name));
  }
}
for (const site of sites) walk(site, '');
found.delete('service-worker.js');

const names = [...found.keys()].sort();
const worker = fs.readFileSync(path.join(__dirname, 'service-worker.js'), 'utf8');
const hash = crypto.createHash('sha256').update(worker);
for (const name of names) hash.update(`${name}\n`).update(fs.readFileSync(found.get(name)));
const build = hash.digest('hex').slice(0, 12);

// Beside OUT, then in its place: a server never sees half a site.
const fresh = `${out}.new`;
fs.rmSync(fresh, {recursive: true, force: true});
for (const name of names) {
  fs.mkdirSync(path.dirname(path.join(fresh, name)), {recursive: true});
  fs.copyFileSync(found.get(name), path.join(fresh, name));
}
const once = (text, from, to) => {
  if (text.split(from).length !== 2) throw new Error(`assemble: '${from}' must stand once in its file`);
  return text.replace(from, () => to);
};
let page = fs.readFileSync(path.join(fresh, 'index.html'), 'utf8');
page = once(page, '<meta name="dalea-build" content="">', `<meta name="dalea-build" content="${build}">`);
for (const file of ['page.css', 'page.js']) page = once(page, `="${file}"`, `="${file}?v=${build}"`);
fs.writeFileSync(path.join(fresh, 'index.html'), page);
// What the page asks for with its build's name, and what it fetches by its plain name (digits, connectomes).
const plain = (n) => n.startsWith('digits/') || n.startsWith('connectomes/');
const files = names.filter((n) => n !== 'index.html').map((n) => (plain(n) ? n : `${n}?v=${build}`));
fs.writeFileSync(path.join(fresh, 'service-worker.js'),
  once(once(worker, "'@BUILD@'", JSON.stringify(build)), "['@FILES@']", JSON.stringify(files)));
fs.rmSync(out, {recursive: true, force: true});
fs.renameSync(fresh, out);
console.log(`site: ${out}, build ${build}, ${names.length + 1} files`);
