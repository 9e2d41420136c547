// The small set of digits that the page brings along: node web/cut_digits.js TO [FROM...]
// The first 8,000 training and 2,000 test digits of the IDX files in the first folder FROM that has all four, gzipped
// into the folder TO. Without such a folder it says so and ends well: the page then asks for the files. (A build for a
// machine without a network must work too.)
'use strict';
const fs = require('fs');
const path = require('path');
const zlib = require('zlib');

const parts = [
  {name: 'train-images-idx3-ubyte', head: 16, count: 8000},
  {name: 'train-labels-idx1-ubyte', head: 8, count: 8000},
  {name: 't10k-images-idx3-ubyte', head: 16, count: 2000},
  {name: 't10k-labels-idx1-ubyte', head: 8, count: 2000},
];

function find(folder, name) {
  const dotted = name.replace('-idx', '.idx');
  return [name, dotted, `${name}.gz`, `${dotted}.gz`].map((f) => path.join(folder, f)).find((f) => fs.existsSync(f));
}

// An IDX file with only its first digits.
function cut(bytes, {name, head, count}) {
  if (bytes.length < head || bytes.readUInt32BE(0) !== (head === 16 ? 0x803 : 0x801)) throw new Error(`${name} is not an IDX file of digits`);
  const size = head === 16 ? bytes.readUInt32BE(8) * bytes.readUInt32BE(12) : 1;
  if (bytes.readUInt32BE(4) < count || bytes.length < head + count * size) throw new Error(`${name} holds fewer than ${count} digits`);
  const small = Buffer.from(bytes.subarray(0, head + count * size));
  small.writeUInt32BE(count, 4);
  return small;
}

function main([to, ...folders]) {
  const from = folders.find((folder) => folder && parts.every((part) => find(folder, part.name)));
  if (!from) {
    console.log('The page is built without digits, which are not here: ./run digits installs them. It asks for the files instead.');
    return;
  }
  const target = (part) => path.join(to, `${part.name}.gz`);
  const newest = Math.max(fs.statSync(__filename).mtimeMs, ...parts.map((part) => fs.statSync(find(from, part.name)).mtimeMs));
  if (parts.every((part) => fs.existsSync(target(part)) && fs.statSync(target(part)).mtimeMs >= newest)) return;
  fs.mkdirSync(to, {recursive: true});
  for (const part of parts) {
    const source = find(from, part.name);
    const bytes = fs.readFileSync(source);
    const small = cut(source.endsWith('.gz') ? zlib.gunzipSync(bytes) : bytes, part);
    fs.writeFileSync(target(part), zlib.gzipSync(small, {level: 9}));
  }
}

try {
  main(process.argv.slice(2));
} catch (e) {
  console.error(`cut_digits: ${e.message}; install the digits again by ./run digits`);
  process.exit(1);
}
